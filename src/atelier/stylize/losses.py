"""What is compared: content by where features are, style by which of them go together.

Source: Gatys, Ecker & Bethge 2015 (arXiv:1508.06576); guided Gram matrices are Gatys et
al. 2017 (arXiv:1611.07865); total variation is Mahendran & Vedaldi 2015 (arXiv:1412.0035).
Differs: Gram matrices are divided by the number of positions, so that pictures may differ
in size, and a "relative" loss is divided by its target's own energy, so that weights mean
the same for every layer and every body.
"""

from keras import ops

from atelier.errors import AtelierError
from atelier.gradients import computed_whole

SCALINGS = ("published", "relative")
_EPSILON = 1e-8


def gram_matrix(features, mask=None):
    """Mean product of channel pairs over the positions of a picture, in float32.

    The matrix is symmetric, and so are both halves of its gradient: one of them is computed,
    and counted twice.

    Args:
        features: (b, h, w, c).
        mask: (h, w) weights of the positions, of which not all are zero; None takes all alike.

    Returns:
        (b, c, c).
    """
    features = computed_whole(ops.cast(features, "float32"))
    _, height, width, channels = ops.shape(features)
    rows = ops.reshape(features, (-1, height * width, channels))
    if mask is None:
        weighted, total = rows, ops.cast(height * width, "float32")
    else:
        mask = ops.reshape(ops.cast(mask, "float32"), (1, -1, 1))
        weighted, total = rows * mask, ops.maximum(ops.sum(mask), _EPSILON)
    half = _products(rows, ops.stop_gradient(weighted)) / total
    return half + ops.transpose(half, (0, 2, 1)) - ops.stop_gradient(half)


def _products(a, b):
    """(b, n, c) and (b, n, d) to (b, c, d); a single picture is not led through a batched product."""
    if a.shape[0] == 1:
        return ops.matmul(ops.transpose(a[0]), b[0])[None]
    return ops.matmul(ops.transpose(a, (0, 2, 1)), b)


def content_loss(found, target, *, scaling="relative"):
    """Squared distance of maps, the mean over a batch.

    Args:
        found: (b, h, w, c) of stylized pictures.
        target: the same of the content pictures.
        scaling: "relative": over the target's energy; "published": a quarter of the mean,
            as the predecessor has it.

    Returns:
        A scalar, float32.
    """
    gap = ops.mean(ops.square(ops.cast(found, "float32") - target), axis=(1, 2, 3))
    if scaling == "relative":
        return ops.mean(gap / (ops.mean(ops.square(target), axis=(1, 2, 3)) + _EPSILON))
    return ops.mean(gap) / 4


def style_loss(found, target, *, scaling="relative"):
    """Squared distance of Gram matrices, the mean over a batch.

    Args:
        found: (b, c, c), from `gram_matrix`.
        target: the same of the styles.
        scaling: "relative": over the target's energy; "symmetric": over the mean of both
            energies, taken as given, which no dark or plain style makes huge; "published":
            the sum over 4 c^2.

    Returns:
        A scalar, float32.
    """
    gap = ops.sum(ops.square(found - target), axis=(1, 2))
    if scaling != "published":
        energy = ops.sum(ops.square(target), axis=(1, 2))
        if scaling == "symmetric":
            own = ops.sum(ops.square(ops.stop_gradient(found)), axis=(1, 2))
            energy = (energy + own) / 2
        return ops.mean(gap / (energy + _EPSILON))
    return ops.mean(gap) / (4.0 * target.shape[-1] ** 2)


def total_variation(picture):
    """Mean squared step between neighboring pixels.

    Args:
        picture: (b, h, w, 3) in [0, 255].

    Returns:
        A scalar, in units of the range [0, 1].
    """
    picture = picture / 255.0
    down = picture[:, 1:] - picture[:, :-1]
    across = picture[:, :, 1:] - picture[:, :, :-1]
    return ops.mean(ops.square(down)) + ops.mean(ops.square(across))


def check_scaling(scaling):
    """Refuse a scaling that there is not."""
    if scaling not in SCALINGS:
        raise AtelierError(
            f"losses scaled as {' or '.join(SCALINGS)}", repr(scaling), "Correct the preset."
        )


def as_numbers(losses):
    """A dict of scalars of the backend as floats."""
    return {name: float(ops.convert_to_numpy(value)) for name, value in losses.items()}


def mask_at(mask, size):
    """A mask at the size of a feature map.

    Args:
        mask: (height, width) in [0, 1].
        size: (rows, columns).

    Returns:
        (rows, columns) float32, means over what each position covers.
    """
    small = ops.image.resize(mask[None, ..., None], size, antialias=True)
    return ops.clip(small[0, ..., 0], 0.0, 1.0)
