"""Photo to Monet, and back."""

import dataclasses

import numpy as np

from atelier import models
from atelier.errors import AtelierError
from atelier.serve.shelf import weight_bytes
from atelier.translate.config import KIND
from atelier.translate.paint import SHIPPED, Translator


@dataclasses.dataclass(frozen=True)
class Translated:
    """A picture that was translated, with the critic's scores."""

    pixels: np.ndarray  # (height, width, 3) float32 in [0, 255]
    score: float  # about 1: the critic takes it for a Monet; about 0: for one that was made
    before: float  # its score of what went in

    def sentence(self):
        """What the score means."""
        if self.score > 0.6:
            said = "takes it for a painting of Monet's"
        elif self.score > 0.4:
            said = "cannot tell it from one"
        else:
            said = "sees that it was made by a machine"
        return (
            f"The discriminator gives it {self.score:.2f} (the picture that went in: "
            f"{self.before:.2f}): it {said}. It was trained to give Monet's paintings 1 and the "
            "generator's 0, and is no connoisseur."
        )


class Translating:
    """The generators, loaded when they are asked for.

    Args:
        shelf: a `shelf.Shelf`.
        settings: a `settings.Settings`.
    """

    def __init__(self, shelf, settings):
        self.shelf, self.settings = shelf, settings

    def __call__(self, photos, name=SHIPPED, *, reverse=False, strength=1.0):
        """Translate pictures.

        Args:
            photos: list of (height, width, 3) uint8.
            name: of a translator in `models/`.
            reverse: from painting to photo.
            strength: from 0, the picture as it is, to 1.

        Returns:
            List of `Translated`.

        Raises:
            AtelierError: if there is no such model, it knows no way back, or a picture is too small.
        """
        if len(photos) > self.settings.max_photos:
            raise AtelierError(
                f"at most {self.settings.max_photos} photographs at once",
                len(photos),
                "Send fewer.",
            )
        translator = self._translator(name, reverse)
        return [self._one(translator, photo, strength) for photo in photos]

    @staticmethod
    def _one(translator, photo, strength):
        pixels = translator(photo, strength=strength)
        return Translated(pixels, translator.score(pixels), translator.score(photo))

    def _translator(self, name, reverse):
        folder = models.find(name, kind=KIND)
        return self.shelf.get(
            ("translator", str(folder), reverse),
            lambda: Translator(folder, reverse=reverse),
            lambda found: weight_bytes(found.generator, found.critic),
        )
