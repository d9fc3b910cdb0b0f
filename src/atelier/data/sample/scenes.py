"""Which subject in which mood: the programme that every painter works through."""

import cv2
import numpy as np

from atelier.data.sample.fields import noise
from atelier.data.sample.landscapes import landscape
from atelier.data.sample.palettes import MOODS, palette
from atelier.data.sample.portraits import portrait
from atelier.data.sample.still_lifes import still_life

SUBJECTS = {"landscape": landscape, "portrait": portrait, "still life": still_life}
_ROUND = ("landscape", "portrait", "landscape", "still life")


def programme(number):
    """Subject and mood of the picture with this number, the same for every painter."""
    return _ROUND[number % len(_ROUND)], MOODS[(number * 5 + number // len(MOODS)) % len(MOODS)]


def scene(size, number, rng):
    """The field (size x size) that picture `number` shows; composition varies with `rng`."""
    subject, mood = programme(number)
    return SUBJECTS[subject](size, palette(mood, rng), rng)


def photograph(size, number, rng):
    """The scene as a plain smooth photograph, (size, size, 3) uint8."""
    field = scene(size, number, rng)
    far = field.depth[..., None] * 0.5
    soft = cv2.GaussianBlur(field.color, (0, 0), max(size / 160, 0.4))
    picture = field.color * (1 - far) + soft * far
    picture *= 1 + 0.02 * noise(size, rng, 24, 2)[..., None]
    corner = (field.x - 0.5) ** 2 + (field.y - 0.5) ** 2
    picture *= (1 - 0.3 * corner)[..., None]
    picture += rng.normal(0, 1.6, (size, size, 1)).astype(np.float32)
    return np.clip(picture, 0, 255).astype(np.uint8)
