"""`atelier train` and `atelier tune`: what takes minutes or hours, and resumes."""

from pathlib import Path
from typing import Annotated

import typer

from atelier.cli.options import AsJson, Collection, read_collection, start_keras
from atelier.cli.output import progress_bar, show, show_json, stdout_to_stderr

RecipeName = Annotated[
    str, typer.Argument(metavar="RECIPE", help="A recipe's name, or a recipe.json.")
]
Subset = Annotated[
    int | None,
    typer.Option(min=1, help="At most this many pictures of each class in each part."),
]
Overwrite = Annotated[
    bool, typer.Option("--overwrite", help="Replace what another run left in --out.")
]

MinWorks = Annotated[
    int | None,
    typer.Option(
        min=1,
        help="Only classes of at least this many pictures. Default: a recipe.json's own; "
        "200 for the main collection, else all classes.",
    ),
]
Label = Annotated[
    str | None, typer.Option(help="What is told apart: artist, style, genre or movement.")
]
Top = Annotated[int | None, typer.Option(min=1, help="Only this many of the largest classes.")]


Backbone = Annotated[
    str | None,
    typer.Option(
        help="Another pretrained body than the recipe's, such as mobilenetv2 or dinov2_small."
    ),
]
Cut = Annotated[str | None, typer.Option(metavar="LAYER", help="Keep the body up to this layer.")]
WithFeedback = Annotated[
    bool,
    typer.Option(
        "--with-feedback",
        help="Train on pictures, too, that users of the web application gave with their artist.",
    ),
]
Feedback = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR", help="Instead of this machine's feedback, what was exported elsewhere."
    ),
]


def _recipe_for(name, directory, label, min_works, top):
    """The recipe, on the classes that were asked for or that the collection is known for."""
    import dataclasses

    from atelier.classify.recipes import get_recipe
    from atelier.data.choose import collection_at

    recipe = get_recipe(name)
    split = recipe.split
    if not name.endswith(".json"):
        split = dataclasses.replace(split, min_works=collection_at(directory).min_works)
    if min_works is not None or top is not None:
        split = dataclasses.replace(split, min_works=min_works, top=top)
    if label is not None:
        split = dataclasses.replace(split, label=label)
    return recipe.replace(split=split)


def _on_body(recipe, backbone, cut):
    """The recipe on the body that was asked for, or on its own."""
    from atelier.classify.bodies import with_body

    if backbone is None and cut is None:
        return recipe
    return with_body(recipe, backbone or recipe.backbone, cut)


def _feedback_folder(with_feedback, folder):
    """Where the feedback that joins training lies, exported anew; None without any."""
    if folder is not None or not with_feedback:
        return folder
    from atelier.serve import feedback
    from atelier.serve.store import Store

    store = Store()
    return feedback.export(store, store.path.parent / "feedback")


def train(
    context: typer.Context,
    recipe: RecipeName,
    data: Collection = None,
    photographs: Annotated[
        str | None,
        typer.Option(metavar="DIR", help="fast: a collection with photographs to paint."),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="The model's folder (models/RECIPE).")] = None,
    epochs: Annotated[
        int | None, typer.Option(min=1, help="No phase longer than this many epochs.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of weights and order.")] = None,
    subset: Subset = None,
    label: Label = None,
    min_works: MinWorks = None,
    top: Top = None,
    backbone: Backbone = None,
    cut: Cut = None,
    with_feedback: WithFeedback = False,
    feedback: Feedback = None,
    overwrite: Overwrite = False,
    as_json: AsJson = False,
):
    """Train a classifier, `fast` or `cyclegan_monet`, which paint; run again, it resumes."""
    from atelier import paths
    from atelier.classify.recipes import get_recipe

    changes = {"epochs": epochs, "seed": seed, "overwrite": overwrite}
    if recipe == "fast":
        from atelier.cli import painting

        painting.check_options(context, "the recipe fast")
        folder = painting.train_fast(read_collection(data), photographs, out, **changes)
        _tell(folder, as_json)
        return
    from atelier.translate import config as translations

    if translations.is_recipe(recipe):
        from atelier.cli import painting, translating

        painting.check_options(context, "recipes from photo to painting")
        _tell(translating.train(recipe, data, out, **changes), as_json)
        return
    get_recipe(recipe, ("fast", *translations.RECIPES))  # said before the collection is read
    if given := _feedback_folder(with_feedback, feedback):
        changes["feedback"] = given
    directory = read_collection(data)
    chosen = _recipe_for(recipe, directory, label, min_works, top)
    start_keras()
    chosen = _on_body(chosen, backbone, cut)
    from atelier.classify import train as training

    out = out or paths.models_dir() / chosen.name
    with stdout_to_stderr(), progress_bar("Training") as progress:
        folder = training.train(
            chosen,
            directory,
            out,
            subset=subset,
            progress=progress,
            **changes,
        )
    _tell(folder, as_json)


def _tell(folder, as_json):
    """Say where a trained model is."""
    from atelier import storage

    if as_json:
        metrics = storage.read_json(Path(folder) / "metrics.json")
        show_json({"model": folder, "metrics": metrics})
    else:
        show(f"The model is in {folder}")


def tune(
    recipe: RecipeName,
    data: Collection = None,
    out: Annotated[
        Path | None, typer.Option(help="The search's folder (models/RECIPE_search).")
    ] = None,
    trials: Annotated[int, typer.Option(min=1, help="Combinations to try.")] = 5,
    executions: Annotated[int, typer.Option(min=1, help="Runs of each combination.")] = 2,
    epochs: Annotated[int, typer.Option(min=1, help="Epochs of each run.")] = 10,
    subset: Subset = None,
    label: Label = None,
    min_works: MinWorks = None,
    top: Top = None,
    overwrite: Overwrite = False,
    as_json: AsJson = False,
):
    """Search a recipe's hyperparameters at random with KerasTuner; resumes.

    To share the search between machines that see the same folder, start it once as
    KerasTuner's chief and as often as wanted as its worker (see README.md).
    """
    from atelier import paths
    from atelier.classify.recipes import get_recipe

    get_recipe(recipe)  # a wrong name is said before the collection is read
    directory = read_collection(data)
    chosen = _recipe_for(recipe, directory, label, min_works, top)
    start_keras()
    from atelier.classify import tune as tuning

    out = out or paths.models_dir() / f"{chosen.name}_search"
    with stdout_to_stderr(), progress_bar("Searching") as progress:
        folder = tuning.tune(
            chosen,
            directory,
            out,
            trials=trials,
            executions=executions,
            epochs=epochs,
            subset=subset,
            overwrite=overwrite,
            progress=progress,
        )
    if as_json:
        show_json({"search": folder})
    else:
        show(f"The search is in {folder}")
