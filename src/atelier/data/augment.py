"""Augmentation in one pass: all geometry is one affine matrix, all color another.

Rotation, shear, zoom, flip, shift and the change of size compose into one 2 x 3
matrix, so each picture is resampled once, on the host, and what leaves it never
depends on which batch a picture is in: the draw is made from (seed, epoch, index).

Sources: `PUBLISHED` holds the predecessor's ranges for Keras's `ImageDataGenerator`
(rotation 45 degrees, shifts 20 %, zoom 20 % by axis, flip, fill nearest); its shear
is not stated in degrees, so 5 is used. Differs: shifts go along the picture's sides,
not the turned view's, and OpenCV resamples. `PAINTING` is ours: random resized crops
(Szegedy et al. 2014, arXiv:1409.4842) and a little color, milder since strong warps
destroy the strokes that a painter is known by.
"""

import dataclasses

import cv2
import numpy as np

from atelier.errors import AtelierError

FILLS = {
    "nearest": cv2.BORDER_REPLICATE,
    "reflect": cv2.BORDER_REFLECT,
    "constant": cv2.BORDER_CONSTANT,
}
PICTURE_STREAM = 1  # keeps the draws here apart from other uses of the same seed
LUMA = np.array([0.299, 0.587, 0.114])  # BT.601
DRAWS = 16  # numbers drawn for a picture, used or not, so that options do not shift each other


@dataclasses.dataclass(frozen=True)
class AugmentConfig:
    """Ranges of a random augmentation; every one at its neutral value leaves pictures alone.

    The defaults are the predecessor's.
    """

    rotation: float = 45.0  # degrees, either way
    shift: float = 0.2  # of the height and of the width, either way
    shear: float = 5.0  # degrees, either way
    zoom: tuple[float, float] = (0.8, 1.2)  # part of the picture in view; below 1 enlarges
    aspect: float | None = None  # ratio of the axes' zooms, 1 / (1 + aspect) to 1 + aspect;
    # None draws a zoom for each axis
    crop: bool = False  # where less than the picture is in view, look anywhere in it
    flip: bool = True  # left and right, every second picture
    fill: str = "nearest"  # or "reflect", or "constant": black
    brightness: float = 0.0  # factor, 1 - x to 1 + x
    contrast: float = 0.0  # factor about the mean grey, 1 - x to 1 + x
    saturation: float = 0.0  # factor, 1 - x to 1 + x
    mixup: float = 0.0  # alpha of the Beta distribution; 0 is off
    cutmix: float = 0.0  # alpha of the Beta distribution; 0 is off
    mix_probability: float = 1.0  # part of the batches that are mixed, where either is on
    output_size: tuple[int, int] | None = None  # height and width in pixels; None keeps the input's
    crop_probability: float = 1.0  # part of the pictures that are zoomed; others are seen whole

    def __post_init__(self):
        """Refuse ranges that no picture can have."""
        low, high = self.zoom
        amounts = ("rotation", "shift", "brightness", "contrast", "saturation", "mixup", "cutmix")
        checks = {
            "a fill among " + ", ".join(FILLS): (self.fill in FILLS, repr(self.fill)),
            "0 < zoom[0] <= zoom[1]": (0 < low <= high, f"zoom {self.zoom}"),
            "a shear from 0 to under 90 degrees": (0 <= self.shear < 90, f"shear {self.shear}"),
            "amounts of 0 or more": (
                all(getattr(self, name) >= 0 for name in amounts) and (self.aspect or 0) >= 0,
                f"{self}",
            ),
            "a mix_probability and a crop_probability from 0 to 1": (
                0 <= self.mix_probability <= 1 and 0 <= self.crop_probability <= 1,
                f"{self.mix_probability} and {self.crop_probability}",
            ),
            "an output_size of two sides, each 1 or more": (
                self.output_size is None
                or (len(self.output_size) == 2 and min(self.output_size) >= 1),
                f"{self.output_size}",
            ),
        }
        for expected, (good, found) in checks.items():
            if not good:
                raise AtelierError(expected, found, "Correct the augmentation.")

    @property
    def mixes(self):
        """Whether pictures and labels of a batch are mixed."""
        return (self.mixup > 0 or self.cutmix > 0) and self.mix_probability > 0


PUBLISHED = AugmentConfig()
PAINTING = AugmentConfig(
    rotation=10.0,
    shift=0.0,
    shear=0.0,
    zoom=(0.67, 1.1),
    aspect=0.15,
    crop=True,
    fill="reflect",
    brightness=0.15,
    contrast=0.15,
    saturation=0.15,
)
IDENTITY = AugmentConfig(rotation=0.0, shift=0.0, shear=0.0, zoom=(1.0, 1.0), flip=False)


@dataclasses.dataclass(frozen=True)
class Draw:
    """What one picture gets, free of its size."""

    angle: float = 0.0  # degrees; the view turns counter-clockwise, so the picture clockwise
    shear: float = 0.0  # degrees
    zoom: tuple[float, float] = (1.0, 1.0)  # part of the height and width in view
    shift: tuple[float, float] = (0.0, 0.0)  # of the view, as parts of height and width
    flip: bool = False
    brightness: float = 1.0
    contrast: float = 1.0
    saturation: float = 1.0


def draw(config, *, seed, epoch, index):
    """Draw what the picture `index` gets in this epoch; the same for the same numbers."""
    signed = np.random.default_rng((seed, PICTURE_STREAM, epoch, index)).uniform(-1, 1, DRAWS)
    angle, shear, tall, wide, down, right, crop_down, crop_right, flip, *color, zoomed = (
        signed.tolist()
    )
    zoom = _zoom(config, tall, wide) if (zoomed + 1) / 2 < config.crop_probability else (1.0, 1.0)
    room = [max(0.0, 1 - part) / 2 if config.crop else 0.0 for part in zoom]
    amounts = (config.brightness, config.contrast, config.saturation)
    gains = [max(0.0, 1 + amount * x) for amount, x in zip(amounts, color, strict=False)]
    return Draw(
        angle=config.rotation * angle,
        shear=config.shear * shear,
        zoom=zoom,
        shift=(
            config.shift * down + room[0] * crop_down,
            config.shift * right + room[1] * crop_right,
        ),
        flip=config.flip and flip < 0,
        brightness=gains[0],
        contrast=gains[1],
        saturation=gains[2],
    )


def _zoom(config, tall, wide):
    """Parts of the height and width in view, from two numbers in [-1, 1)."""
    low, high = config.zoom
    parts = [(low + high) / 2 + (high - low) / 2 * x for x in (tall, wide)]
    if config.aspect is None:
        return tuple(parts)
    stretch = (1 + config.aspect) ** (wide / 2)
    return parts[0] * stretch, parts[0] / stretch


def affine_matrix(drawn, source_size, output_size):
    """The map from output pixels to source pixels, as one product.

    Seen from the output: to its middle, to source pixels, flip, zoom, shear, turn,
    shift, from the source's middle. Angles are true in source pixels.

    Args:
        drawn: a `Draw`.
        source_size: (height, width) of the picture, pixels.
        output_size: (height, width) of the result, pixels.

    Returns:
        (2, 3) float64: (x, y, 1) of an output pixel's center to (x, y) in the source.
    """
    (height, width), (rows, columns) = source_size, output_size
    angle, slant = np.deg2rad(drawn.angle), np.deg2rad(drawn.shear)
    cos, sin = np.cos(angle), np.sin(angle)
    turn = np.array([[cos, -sin], [sin, cos]]) @ [[1.0, -np.sin(slant)], [0.0, np.cos(slant)]]
    mirror = -1.0 if drawn.flip else 1.0
    linear = turn * [drawn.zoom[1] * width / columns * mirror, drawn.zoom[0] * height / rows]
    middle = np.array([(width - 1) / 2, (height - 1) / 2])
    shift = np.array([drawn.shift[1] * width, drawn.shift[0] * height])
    offset = middle + shift - linear @ [(columns - 1) / 2, (rows - 1) / 2]
    return np.column_stack([linear, offset])


def color_matrix(drawn, mean_grey):
    """Brightness, contrast about the mean grey, then saturation, as one (3, 4) matrix."""
    gain = drawn.brightness * drawn.contrast
    lift = (1 - drawn.contrast) * mean_grey * drawn.brightness
    saturate = drawn.saturation * np.eye(3) + (1 - drawn.saturation) * LUMA
    return saturate @ np.column_stack([gain * np.eye(3), np.full(3, lift)])


def augment_picture(image, config, drawn, out=None):
    """Apply a draw to one picture.

    Args:
        image: (height, width, 3) uint8.
        config: for the fill and the output size.
        drawn: a `Draw`.
        out: array to write to, of the output's shape; None makes one.

    Returns:
        (height, width, 3) uint8. Where the result is less than half the size of what
        it shows, the source is first reduced by its area, so that nothing aliases.
    """
    size = config.output_size or image.shape[:2]
    image = _reduced(image, drawn.zoom, size)
    result = cv2.warpAffine(
        cv2.cvtColor(image, cv2.COLOR_RGB2RGBA),  # OpenCV warps four channels faster than three
        affine_matrix(drawn, image.shape[:2], size),
        (size[1], size[0]),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=FILLS[config.fill],
    )
    result = cv2.cvtColor(result, cv2.COLOR_RGBA2RGB, dst=out)
    if (drawn.brightness, drawn.contrast, drawn.saturation) != (1.0, 1.0, 1.0):
        grey = float(np.dot(cv2.mean(result)[:3], LUMA))
        cv2.transform(result, color_matrix(drawn, grey), dst=result)
    return result


def _reduced(image, zoom, size):
    """The picture shrunk by whole factors, so that the warp shrinks it less than twice."""
    height, width = image.shape[:2]
    down, across = (
        max(1, int(part * side / target))
        for part, side, target in zip(zoom, (height, width), size, strict=True)
    )
    if down == across == 1:
        return image
    return cv2.resize(image, (width // across, height // down), interpolation=cv2.INTER_AREA)


def augment_batch(images, config, *, seed, epoch, indices):
    """Augment each picture by its own draw.

    Args:
        images: (batch, height, width, 3) uint8; a memory map will do.
        config: an `AugmentConfig`; its mixup and cutmix are applied by `mix`.
        seed: of the run.
        epoch: number of the epoch.
        indices: (batch,) ints that name the pictures, whatever the batch.

    Returns:
        (batch, height, width, 3) uint8, of `config.output_size` if given.
    """
    size = config.output_size or images.shape[1:3]
    results = np.empty((len(images), *size, 3), np.uint8)
    for image, index, out in zip(images, indices, results, strict=True):
        drawn = draw(config, seed=seed, epoch=epoch, index=int(index))
        augment_picture(np.ascontiguousarray(image), config, drawn, out)
    return results
