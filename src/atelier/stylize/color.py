"""The content's colors in the style's brushwork.

Sources: the luminance alone from the stylized picture is Gatys et al. 2016
(arXiv:1606.05897); colors moved by the optimal transport between two Gaussians are
Pitie & Kokaram 2007, "The linear Monge-Kantorovitch linear colour mapping".
"""

import cv2
import numpy as np

from atelier.errors import AtelierError

KEEPERS = ("luminance", "transport")
_NOISE = 0.1  # variance added to both, so that a picture of one color has a map


def keep_colors(stylized, content, how):
    """Give a stylized picture the colors of the content.

    Args:
        stylized: (h, w, 3) float32 in [0, 255].
        content: (h, w, 3) in [0, 255], of the same size for "luminance".
        how: "luminance" takes nothing but the brightness of the stylized picture; "transport"
            moves its colors so that their mean and covariance are the content's.

    Returns:
        (h, w, 3) float32 in [0, 255].

    Raises:
        AtelierError: if there is no such way.
    """
    check_keeper(how)
    if how == "luminance":
        ours, theirs = (_lab(picture) for picture in (stylized, content))
        mixed = np.concatenate([ours[..., :1], theirs[..., 1:]], axis=-1)
        return np.clip(255 * cv2.cvtColor(mixed, cv2.COLOR_LAB2RGB), 0, 255)
    return transport_colors(stylized, content)


def check_keeper(how):
    """Refuse a way to keep colors that there is not; None keeps none."""
    if how not in (None, *KEEPERS):
        raise AtelierError(
            f"colors kept by {' or '.join(KEEPERS)}", repr(how), "Choose one of them, or none."
        )


def _lab(picture):
    return cv2.cvtColor(np.float32(picture) / 255, cv2.COLOR_RGB2LAB)


def transport_colors(picture, reference):
    """Move a picture's colors by the linear map that is the optimal transport to a reference.

    Args:
        picture: (h, w, 3) in [0, 255].
        reference: (rows, columns, 3) in [0, 255], of any size.

    Returns:
        (h, w, 3) float32, with the reference's mean and covariance but for clipping to [0, 255].
    """
    ours, theirs = (np.float64(x).reshape(-1, 3) for x in (picture, reference))
    mean, covariance = ours.mean(axis=0), np.cov(ours, rowvar=False) + _NOISE * np.eye(3)
    root, inverse = _roots(covariance)
    target = np.cov(theirs, rowvar=False) + _NOISE * np.eye(3)
    middle, _ = _roots(root @ target @ root)
    moved = (ours - mean) @ (inverse @ middle @ inverse) + theirs.mean(axis=0)
    return np.float32(np.clip(moved, 0, 255)).reshape(picture.shape)


def _roots(matrix):
    """Square root of a positive definite matrix, and the inverse of the root."""
    values, vectors = np.linalg.eigh(matrix)
    values = np.sqrt(np.maximum(values, 1e-9))
    return vectors * values @ vectors.T, vectors / values @ vectors.T
