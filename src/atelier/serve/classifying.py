"""Who painted this: a classifier's answer, what it looks at, and paintings like it."""

import dataclasses
import hashlib
from pathlib import Path

import numpy as np

from atelier import models
from atelier.classify.datasets import model_input
from atelier.classify.explain import Explainer, overlay
from atelier.classify.gradcam import stage_layers
from atelier.classify.recipes import Recipe
from atelier.classify.reference import answers_and_embeddings, load_reference
from atelier.classify.similar import find_similar
from atelier.data.reading import read_rgb
from atelier.serve.ab import choose_arm
from atelier.serve.catalog import CHALLENGER, CHAMPION, OURS, version_of
from atelier.serve.shelf import weight_bytes

_LIKE = (320, 320)  # (height, width) that suffices for a picture in a gallery


@dataclasses.dataclass(frozen=True)
class Answer:
    """What a model says of a picture."""

    probabilities: dict[str, float]  # class -> probability, likeliest first, all of them
    model: str  # its folder
    version: str | None  # of the registry, such as "artist/3"
    arm: str | None  # "champion" or "challenger", where it was drawn
    outlying: bool | None  # whether the picture is unlike those it knows; None: it cannot say
    embedding: np.ndarray | None  # as the model's reference reduces it

    @property
    def name(self):
        """The likeliest class."""
        return next(iter(self.probabilities))

    @property
    def confidence(self):
        """Its probability."""
        return self.probabilities[self.name]

    def sentence(self):
        """What a reader should make of it."""
        if self.outlying:
            return (
                "This does not look like a painting of these artists. "
                f"The nearest guess is {self.name}, at {self.confidence:.0%}."
            )
        sure = "very likely" if self.confidence > 0.9 else "likely"
        if self.confidence < 0.5:
            return f"Not sure: {self.name} comes first, at {self.confidence:.0%}."
        return f"{self.name}, {sure}: {self.confidence:.0%}."


class _Ready:
    """A classifier with what an answer and an explanation need."""

    def __init__(self, name):
        self.loaded = models.load(name)
        self.recipe = Recipe.from_json(self.loaded.recipe)
        self.answer = answers_and_embeddings(self.loaded)
        self.reference = load_reference(self.loaded.folder)
        self._explainer = None

    @property
    def explainer(self):
        """Grad-CAM of the last layer of each stage, compiled at its first use."""
        if self._explainer is None:
            layers = stage_layers(self.loaded.model, self.recipe.image_size)
            self._explainer = Explainer(self.loaded, layers)
        return self._explainer


class Classifying:
    """Answers of the classifiers, which are loaded when they are asked for.

    Args:
        shelf: a `shelf.Shelf`.
        settings: a `settings.Settings`.
        collection: root of a collection whose similar paintings are shown, or None.
    """

    def __init__(self, shelf, settings, collection=None):
        self.shelf, self.settings, self.collection = shelf, settings, collection

    def answer(self, picture, name=OURS.name):
        """Classify a picture.

        Args:
            picture: (height, width, 3) uint8.
            name: of a model in `models/`. Ours may be replaced by the registry's champion, and a
                share of pictures, always the same ones, is answered by its challenger.

        Raises:
            AtelierError: if there is no such model, or its files were changed.
        """
        version, arm = self._drawn(picture, name)
        ready = self._ready(name, version)
        views = model_input(picture, ready.recipe)
        probabilities, embedding = ready.answer(views)
        order = np.argsort(-probabilities, kind="stable")
        names = ready.loaded.class_names
        outlying = reduced = None
        if ready.reference is not None:
            reduced = ready.reference.reduce(embedding[None])
            outlying = bool(ready.reference.outlying(reduced, probabilities[None])[0])
        return Answer(
            {names[index]: float(probabilities[index]) for index in order},
            ready.loaded.folder.name if version is None else version.model,
            None if version is None else version.name,
            arm,
            outlying,
            None if reduced is None else np.float16(reduced[0]),
        )

    def explain(self, picture, name=OURS.name, class_name=None):
        """Where a model sees a class: a `classify.explain.Explanation` of its last stages' layers."""
        return self._ready(name, self._champion(name)).explainer(picture, class_name)

    @staticmethod
    def overlay(explanation, layer, opacity):
        """The picture under one layer's heatmap, (height, width, 3) uint8."""
        return overlay(explanation.picture, explanation.heatmaps[layer], opacity)

    def similar(self, path, name=OURS.name, *, count=8, progress=None):
        """Paintings of the collection that are like a picture.

        Args:
            path: of the picture's file.
            name: of a model.
            count: how many.
            progress: called with (stage, done, total).

        Returns:
            List of ((h, w, 3) uint8, caption), most similar first.
        """
        loaded = self._ready(name, self._champion(name)).loaded
        found = find_similar(loaded, path, self.collection, k=count, progress=progress).table
        return [
            (
                read_rgb(Path(self.collection) / row.path, at_least=_LIKE),
                f"{row.artist}, {row.similarity:.2f}",
            )
            for row in found.itertuples()
        ]

    def _drawn(self, picture, name):
        """(version, arm) that answer a picture; without a registry (None, None)."""
        if name != OURS.name:
            return None, None
        champion, challenger = version_of(CHAMPION), version_of(CHALLENGER)
        if challenger is None:
            return champion, None if champion is None else "champion"
        key = hashlib.sha256(np.ascontiguousarray(picture)).hexdigest()
        arm = choose_arm(key, self.settings.challenger_share)
        return (challenger if arm == "challenger" else champion), arm

    @staticmethod
    def _champion(name):
        return version_of(CHAMPION) if name == OURS.name else None

    def _ready(self, name, version):
        place = name if version is None else version.folder
        return self.shelf.get(
            ("classifier", str(place), None if version is None else version.digest),
            lambda: _Ready(place),
            lambda ready: weight_bytes(ready.loaded.model),
        )
