"""What a trained classifier looks at in a picture: Grad-CAM, on pictures of any size.

See `gradcam` for the method and its source.
"""

import dataclasses
import difflib
from pathlib import Path

import numpy as np
from PIL import Image

from atelier import models
from atelier.classify.gradcam import GradCam, spatial_layers, stage_layers
from atelier.classify.recipes import Recipe
from atelier.data.images import fit_picture
from atelier.data.reading import read_rgb
from atelier.data.rights import pictures_may_be_shown
from atelier.data.splits import load_split
from atelier.errors import AtelierError
from atelier.plots.explaining import HEAT

OPACITY = 0.6  # of a heatmap's colors over the picture


@dataclasses.dataclass(frozen=True)
class Explanation:
    """Where in a picture layers of a classifier see a class."""

    picture: np.ndarray  # (height, width, 3) uint8, at its own size
    class_name: str  # what is explained
    probability: float  # of that class
    heatmaps: dict[str, np.ndarray]  # layer -> (height, width) float32 in [0, 1]; most is 1

    @property
    def caption(self):
        """The class and its probability in words."""
        return f"{self.class_name}, {self.probability:.0%}"

    def overlays(self, opacity=OPACITY):
        """The picture under each layer's heatmap: dict of layer -> (height, width, 3) uint8."""
        return {name: overlay(self.picture, heat, opacity) for name, heat in self.heatmaps.items()}


class Explainer:
    """Grad-CAM of one trained classifier, compiled once for all pictures.

    Args:
        model: its folder, name or alias, or a `models.LoadedModel`.
        layers: names of layers; None takes the last with a feature map.

    Raises:
        AtelierError: if the model is damaged, or a layer cannot be explained.
    """

    def __init__(self, model, layers=None):
        self.loaded = _load(model)
        self.recipe = Recipe.from_json(self.loaded.recipe)
        self._grad_cam = GradCam(self.loaded.model, layers)

    def __call__(self, picture, class_name=None):
        """Explain a picture.

        Args:
            picture: its path, or (height, width, 3) uint8 RGB, of any size.
            class_name: what to explain; None explains the likeliest class.

        Returns:
            `Explanation`. A heatmap without any evidence for the class is all zeros, and
            so are parts of the picture that the recipe's fit cuts away.

        Raises:
            AtelierError: if there is no such class, or the picture cannot be read.
        """
        classes = None if class_name is None else [self._index(class_name)]
        picture = picture if isinstance(picture, np.ndarray) else read_rgb(picture)
        image_size, fit = self.recipe.image_size, self.recipe.fit
        seen = self._grad_cam(fit_picture(picture, image_size, fit)[None], classes)
        index = int(seen.classes[0])
        return Explanation(
            picture=picture,
            class_name=self.loaded.class_names[index],
            probability=float(seen.probabilities[0, index]),
            heatmaps={
                layer: _normalized(onto_picture(maps[0], picture.shape[:2], image_size, fit))
                for layer, maps in seen.maps.items()
            },
        )

    def _index(self, class_name):
        names = self.loaded.class_names
        if class_name not in names:
            near = difflib.get_close_matches(str(class_name), names, n=3, cutoff=0.4) or names[:5]
            raise AtelierError(
                f"one of the model's {len(names)} classes",
                repr(class_name),
                f"Did you mean {' or '.join(near)}?",
            )
        return names.index(class_name)


def explain(model, picture, *, layers=None, class_name=None):
    """Explain one picture; for several, keep an `Explainer`, whose arguments these are."""
    return Explainer(model, layers)(picture, class_name)


def what_it_sees(model, picture, *, layers=None, class_name=None):
    """Explain one picture at several layers, fine to coarse.

    Args:
        model: as `Explainer` takes it.
        picture: as `Explainer` takes it.
        layers: names of layers; None takes the last of each of the last four stages.
        class_name: what to explain; None explains the likeliest class.
    """
    loaded = _load(model)
    if layers is None:
        layers = stage_layers(loaded.model, Recipe.from_json(loaded.recipe).image_size)
    return Explainer(loaded, layers)(picture, class_name)


def explain_examples(model, directory, *, layers=None, split="test", count=4, seed=0):
    """Explain pictures drawn at random from one part of a collection, as many classes as can be.

    Args:
        model: as `Explainer` takes it.
        directory: root of the collection that it was trained on.
        layers: as `what_it_sees` takes them.
        split: train, val or test.
        count: pictures, at most; only such as may be shown in a published figure.
        seed: of the choice.

    Returns:
        list of (picture, overlays, caption), as `plots.explaining.overlay_grid` takes them.
    """
    loaded = _load(model)
    recipe = Recipe.from_json(loaded.recipe)
    rows = load_split(directory, recipe.split).part(split)
    rows = rows[pictures_may_be_shown(directory, rows["path"])].sample(frac=1, random_state=seed)
    nth = rows.groupby("label").cumcount()  # each class's first, then each one's second
    explainer = Explainer(loaded, layers or stage_layers(loaded.model, recipe.image_size))
    examples = []
    for row in rows.loc[nth.sort_values(kind="stable").index[:count]].itertuples():
        seen = explainer(Path(directory) / row.path)
        examples.append((seen.picture, seen.overlays(), f"{row.label}; named {seen.caption}"))
    return examples


def explainable_layers(model):
    """Names of a trained classifier's layers that can be explained, in order."""
    return spatial_layers(_load(model).model)


def _load(model):
    return model if isinstance(model, models.LoadedModel) else models.load(model)


def onto_picture(heatmap, picture_size, image_size, fit="squash"):
    """Bring a heatmap of what a network saw to the picture that was fitted for it.

    Undoes `data.images.fit_picture`: what was padded is left out, what was cropped away is 0.

    Args:
        heatmap: (rows, columns) at least 0.
        picture_size: (height, width) of the picture, pixels.
        image_size: (height, width) of what the network saw, pixels.
        fit: "squash", "crop" or "pad".

    Returns:
        (height, width) float32, at least 0; bicubic, which widens as it shrinks.
    """
    height, width = picture_size
    rows, columns = image_size
    if fit == "crop":
        scale = min(height / rows, width / columns)
        tall, wide = round(rows * scale), round(columns * scale)
        top, left = (height - tall) // 2, (width - wide) // 2
        result = np.zeros((height, width), "float32")
        result[top : top + tall, left : left + wide] = onto_picture(
            heatmap, (tall, wide), image_size
        )
        return result
    box = None
    if fit == "pad":
        scale = min(rows / height, columns / width)
        tall, wide = max(1, round(height * scale)), max(1, round(width * scale))
        top, left = (rows - tall) // 2, (columns - wide) // 2
        down, across = heatmap.shape[0] / rows, heatmap.shape[1] / columns
        box = (left * across, top * down, (left + wide) * across, (top + tall) * down)
    image = Image.fromarray(np.float32(heatmap))
    resized = np.asarray(image.resize((width, height), Image.Resampling.BICUBIC, box))
    return np.maximum(resized, 0)  # bicubic swings below zero beside a peak


def _normalized(heatmap):
    """Divided by its maximum, unless that is zero."""
    most = heatmap.max()
    return heatmap / most if most > 0 else heatmap


def overlay(picture, heatmap, opacity=OPACITY):
    """Lay a heatmap's colors on a picture: what is cold darkens, what is hot shines.

    Args:
        picture: (height, width, 3) uint8 RGB.
        heatmap: (height, width) in [0, 1].
        opacity: of the colors, in [0, 1].

    Returns:
        (height, width, 3) uint8 RGB.

    Raises:
        AtelierError: if sizes differ or the opacity is out of range.
    """
    if heatmap.shape != picture.shape[:2]:
        raise AtelierError(
            f"a heatmap of the picture's size {picture.shape[:2]}",
            f"one of {heatmap.shape}",
            "Bring it there with `onto_picture`.",
        )
    if not 0 <= opacity <= 1:
        raise AtelierError("an opacity from 0 to 1", f"{opacity}", "Correct it.")
    colors = HEAT(heatmap, bytes=True)[..., :3]
    return np.uint8(np.round(picture * (1 - opacity) + colors * opacity))
