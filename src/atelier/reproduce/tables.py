"""The tables of README and of the report: what makes each, and what that needs.

Minutes are those of two cores of an AMD EPYC, as `benchmarks/RUNS.md` has them, with nothing else
to do; a GPU trains what is published in full, and its plan is another (see `classify.plans`).
"""

import dataclasses
import difflib

from atelier.data.catalog import ARTGAN_LISTS, BEST_ARTWORKS, GAN_GETTING_STARTED, WIKIART
from atelier.errors import AtelierError


@dataclasses.dataclass(frozen=True)
class Table:
    """A table, or the figures of a notebook.

    Attributes:
        name: on the command line.
        title: what it shows.
        source: the notebook or script that makes it, from the repository's root.
        minutes: about how many it takes.
        collections: names of those that it reads.
        bodies: (name, layer) of pretrained bodies, and up to where each is needed; None is
            the whole of it.
        models: shipped models that it reads and does not train.
        results: its file in `figures/` that is compared with the committed one, or None.
        arguments: of the script, beside `--json` and, where it reads a collection, `--data`.
    """

    name: str
    title: str
    source: str
    minutes: int
    collections: tuple[str, ...] = ()
    bodies: tuple[tuple[str, str | None], ...] = ()
    models: tuple[str, ...] = ()
    results: str | None = None
    arguments: tuple[str, ...] = ()

    @property
    def is_notebook(self):
        """Whether a notebook makes it; else a script of `benchmarks/` does."""
        return self.source.endswith(".ipynb")


_MAIN, _WIKIART, _LISTS = BEST_ARTWORKS.name, WIKIART.name, ARTGAN_LISTS.name
_RESNET50, _DENSENET169 = ("resnet50", "conv4_block6_out"), ("densenet169", None)
_VGG19 = ("vgg19", "block3_conv1")

_TABLES = (
    Table(
        "custom_cnn",
        "networks from scratch, 11 painters, and what a leaking split flatters",
        "notebooks/02_custom_cnn.ipynb",
        90,
        (_MAIN,),
        results="02_results.json",
    ),
    Table(
        "resnet50",
        "the predecessor's ResNet50 in two phases, and tuned",
        "notebooks/03_resnet50_two_phase.ipynb",
        100,
        (_MAIN,),
        (("resnet50", None),),
        results="03_results.json",
    ),
    Table(
        "styles",
        "WikiArt's styles in two stages, and a regression beside them",
        "notebooks/04_art_styles_efficientnet.ipynb",
        15,
        (_WIKIART, _MAIN),
        (("efficientnetb0", None), _RESNET50),
        results="04_results.json",
    ),
    Table(
        "movements",
        "movements of WikiArt from six views",
        "notebooks/05_movements_densenet_gradcam.ipynb",
        25,
        (_WIKIART, _MAIN),
        (("densenet121", None),),
        results="05_results.json",
    ),
    Table(
        "artgan",
        "artist, style and genre on ArtGAN's lists",
        "notebooks/06_artist_style_genre.ipynb",
        60,
        (_WIKIART, _LISTS, _MAIN),
        (("efficientnetb2", None), _RESNET50, _DENSENET169, ("mobilenetv2", None)),
        results="06_results.json",
    ),
    Table(
        "ours",
        "our classifier, one step at a time, and for all painters",
        "notebooks/07_our_classifier.ipynb",
        70,
        (_MAIN,),
        (_RESNET50, _DENSENET169),
        results="07_results.json",
    ),
    Table(
        "gatys",
        "style transfer pixel by pixel, and a search over its settings",
        "notebooks/08_style_transfer_gatys.ipynb",
        30,
        (_MAIN,),
        (_VGG19, _RESNET50, _DENSENET169),
    ),
    Table(
        "fast",
        "the network that paints in one pass, beside optimisation",
        "notebooks/09_fast_style_transfer.ipynb",
        120,
        (_MAIN, GAN_GETTING_STARTED.name),
        (_VGG19, _DENSENET169, _RESNET50),
        results="09_methods.csv",
    ),
    Table(
        "monet",
        "from photograph to Monet without pairs",
        "notebooks/10_photo_to_monet.ipynb",
        45,
        (GAN_GETTING_STARTED.name,),
        (("inceptionv3", None), _DENSENET169, _VGG19),
        ("fast",),
        results="10_methods.csv",
    ),
    Table(
        "speed_augment",
        "milliseconds of augmentation beside Keras's layers",
        "benchmarks/augment.py",
        3,
    ),
    Table(
        "speed_decode",
        "pictures a second into the memory map",
        "benchmarks/decode.py",
        1,
    ),
    Table(
        "speed_classify",
        "training pictures a second beside the predecessor's pipeline",
        "benchmarks/classify.py",
        5,
        (_MAIN,),
        models=("atelier",),
        arguments=("--steps", "8", "--model", "atelier"),
    ),
    Table(
        "speed_gatys",
        "seconds a step of style transfer beside the predecessor's loop",
        "benchmarks/gatys.py",
        3,
        arguments=("--rounds", "3", "--steps", "3"),
    ),
    Table(
        "speed_cyclegan",
        "pictures a second in training CycleGAN beside the usual step",
        "benchmarks/cyclegan.py",
        5,
    ),
    Table(
        "speed_translate",
        "milliseconds and memory of one photo painted by the shipped CycleGAN",
        "benchmarks/translate.py",
        1,
        models=("cyclegan_monet",),
    ),
    Table(
        "speed_serve",
        "seconds to an answer of the web application, and its memory",
        "benchmarks/serve.py",
        7,
        models=("atelier",),
    ),
)
TABLES = {table.name: table for table in _TABLES}


def get_table(name):
    """A table by name.

    Raises:
        AtelierError: if there is none; names that are near are listed.
    """
    if name in TABLES:
        return TABLES[name]
    near = difflib.get_close_matches(str(name), TABLES, n=3, cutoff=0.4) or TABLES
    raise AtelierError(
        f"a table among {', '.join(TABLES)}", repr(name), f"Did you mean {' or '.join(near)}?"
    )
