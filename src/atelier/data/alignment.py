"""Do two thumbnails show the same painting? Lay one over the other, then compare detail.

Alignment is ECC (Evangelidis and Psarakis 2008) as OpenCV has it, an affine map
found coarse to fine. What decides is correlation *inside small windows*: two
landscapes by one painter, or two portraits on a dark ground, agree in their large
masses (0.9 and more), but only the same painting agrees in every window. Windows
weigh by their contrast up to a cap, so that frames and borders do not decide.
A horizon or a frame still fills windows with the same gradient, hence two more
measures: the same correlation of fine detail alone, and how much there is to see.
"""

import dataclasses

import cv2
import numpy as np

from atelier.data.thumbnails import CHROMA_SIDE, SIDE

COARSE = SIDE // 2  # pixels, where alignment starts
WINDOW = 3.0  # pixels of the grey thumbnail, standard deviation of the Gaussian window
CONTRAST_CAP = 12.0  # grey levels beyond which a window weighs no more; half of it for detail
FINE = 2.0  # pixels, standard deviation of the blur that detail is the rest of
PLENTY = 4.0  # grey levels a pixel: a slope that counts in full as something to see
PROMISING = 0.35  # correlation inside windows after coarse alignment; below it they are not alike
NOISE = 4.0  # grey levels squared: what scanning and JPEG add
COLORFUL = 15.0  # CIE Lab units: below this spread of a and b, a picture's color says little
_COARSE_STEPS = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 15, 1e-3)
_FINE_STEPS = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 8, 1e-4)
_SAMPLING = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP


@dataclasses.dataclass(frozen=True)
class Match:
    """How well one thumbnail, laid over another, agrees with it.

    `correlation`: mean over windows, -1 to 1. `detail`: the same without what is
    blurred. `evidence`: how much there is to see, 0 (blank) to 1. `overlap`: share of the first that
    the second covers. `area`: how much of the second one pixel of the first
    takes up. `chroma`: correlation of color where both have any, else 1.
    """

    correlation: float
    detail: float
    evidence: float
    overlap: float
    area: float
    chroma: float


NO_MATCH = Match(0.0, 0.0, 0.0, 0.0, 1.0, 0.0)


def compare(first, second, start):
    """Align the second record to the first and compare them.

    Args:
        first: a record of `thumbnails.RECORD`.
        second: another.
        start: (2, 3) float32, where to begin: maps pixels of the first's grey
            thumbnail to the second's.

    Returns:
        A `Match`; `NO_MATCH` where they do not align.
    """
    grey, other = np.float32(first["grey"]), np.float32(second["grey"])
    try:
        warp = _align(_halve(grey), _halve(other), rescale(start, COARSE / SIDE), _COARSE_STEPS)
        laid, covered = _lay(_halve(other), warp)
        if window_correlation(_halve(grey), laid, covered, WINDOW / 2) < PROMISING:
            return NO_MATCH
        warp = _align(grey, other, rescale(warp, SIDE / COARSE), _FINE_STEPS)
    except cv2.error:  # did not converge: nothing in common
        return NO_MATCH
    laid, covered = _lay(other, warp)
    overlap = float(covered.mean())
    return Match(
        window_correlation(grey, laid, covered),
        _detail_correlation(grey, laid, covered),
        float(np.maximum(_interest(grey), _interest(laid))[covered].mean()) if overlap else 0.0,
        overlap,
        float(abs(np.linalg.det(warp[:, :2]))),
        _chroma_correlation(first["chroma"], second["chroma"], rescale(warp, CHROMA_SIDE / SIDE)),
    )


def _align(first, second, warp, steps):
    return cv2.findTransformECC(first, second, warp, cv2.MOTION_AFFINE, steps, None, 3)[1]


def _lay(picture, warp):
    """The picture under a map from the other's pixels to its own, and where it has pixels."""
    size = picture.shape[1::-1]
    laid = cv2.warpAffine(picture, warp, size, flags=_SAMPLING)
    ones = np.ones(picture.shape[:2], "float32")
    return laid, cv2.warpAffine(ones, warp, size, flags=_SAMPLING) > 0.99


def _halve(grey):
    return cv2.resize(grey, (COARSE, COARSE), interpolation=cv2.INTER_AREA)


def rescale(warp, factor):
    """The same map for thumbnails `factor` times as large; pixel centres lie at halves."""
    linear, shift = warp[:, :2], warp[:, 2]
    centre = np.float32([0.5, 0.5])
    moved = factor * (shift + centre - linear @ centre) - centre + linear @ centre
    return np.float32(np.column_stack([linear, moved]))


def window_correlation(first, second, covered, window=WINDOW, cap=CONTRAST_CAP, noise=NOISE):
    """Mean correlation of two grey pictures inside small windows.

    Args:
        first: (height, width) float32, grey levels.
        second: the same.
        covered: (height, width) bool, where both have pixels.
        window: pixels, standard deviation of the Gaussian window.
        cap: grey levels of contrast beyond which a window weighs no more.
        noise: variance in grey levels squared that means nothing.
    """
    mean_1, mean_2 = _blur(first, window), _blur(second, window)
    variance_1 = np.maximum(_blur(first * first, window) - mean_1 * mean_1, 0)
    variance_2 = np.maximum(_blur(second * second, window) - mean_2 * mean_2, 0)
    covariance = _blur(first * second, window) - mean_1 * mean_2
    agreement = covariance / np.sqrt((variance_1 + noise) * (variance_2 + noise))
    contrast = np.sqrt(np.maximum(variance_1, variance_2))
    weight = np.minimum(contrast, cap) * covered
    return float((weight * agreement).sum() / (weight.sum() + 1e-3))


def _detail_correlation(first, second, covered):
    fine_1, fine_2 = first - _blur(first, FINE), second - _blur(second, FINE)
    return window_correlation(fine_1, fine_2, covered, cap=CONTRAST_CAP / 2, noise=NOISE / 4)


def _interest(grey):
    """Where there is more to see than an even ground or one straight edge, 0 to 1, per pixel.

    The smaller eigenvalue of the structure tensor (Shi and Tomasi 1994): along an
    edge, pictures can slide without a difference.
    """
    across = cv2.Sobel(grey, cv2.CV_32F, 1, 0, scale=1 / 8)
    down = cv2.Sobel(grey, cv2.CV_32F, 0, 1, scale=1 / 8)
    xx, xy, yy = (_blur(p, WINDOW) for p in (across * across, across * down, down * down))
    smaller = (xx + yy) / 2 - np.hypot((xx - yy) / 2, xy)
    return np.minimum(np.sqrt(np.maximum(smaller, 0)) / PLENTY, 1)


def _blur(values, window):
    return cv2.GaussianBlur(values, (0, 0), window)


def _chroma_correlation(first, second, warp):
    laid, covered = _lay(np.float32(second), warp)
    one, two = np.float32(first)[covered], laid[covered]
    if not len(one):
        return 1.0  # nothing to see, nothing against it
    one, two = one - one.mean(0), two - two.mean(0)
    spread_1, spread_2 = (one * one).sum(1).mean(), (two * two).sum(1).mean()
    if min(spread_1, spread_2) < COLORFUL**2:
        return 1.0
    return float((one * two).sum(1).mean() / np.sqrt(spread_1 * spread_2))
