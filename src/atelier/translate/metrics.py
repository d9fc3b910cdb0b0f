"""How near painted photographs are to paintings, and how much of the photograph is left.

Sources: FID is Heusel et al. 2017 (arXiv:1706.08500); KID is Binkowski et al. 2018
(arXiv:1801.01401); MiFID is Bai et al. 2021 (arXiv:2106.03062), the score of Kaggle's
gan-getting-started; pictures are resized by a filter that does not alias, as Parmar et al. 2022
(arXiv:2104.11222) ask. Differs: features are those of Keras's weights, not of the Inception of
2015, and where these are missing of another body. `Embedder.describe` says of which, so that no
number is that of a paper.
"""

import logging

import cv2
import keras
import numpy as np

from atelier import backbones, paths, runs
from atelier.data.images import fit_picture
from atelier.distances import as_clouds, frechet_distance
from atelier.errors import AtelierError

log = logging.getLogger(__name__)

METRICS = ("fid", "kid", "kid_std", "mifid", "edges")
_BATCH = 16  # pictures embedded at a time
_RANDOM, _RANDOM_SIZE = "mobilenetv2", 64  # the body of a fast run, and its pixels
_EPSILON = 1e-14  # least memorization distance that is divided by


class Embedder:
    """Pictures as vectors: the mean of a body's feature maps over their positions.

    Args:
        backbone: see `atelier.backbones`.
        layer: whose maps; None takes the last.
        size: pictures are squashed to so many pixels each way; None takes the body's own.
        weights: "imagenet", or None for random ones.
        note: what `describe` says besides.

    Raises:
        AtelierError: if there is no such body or layer, or no weights.
    """

    def __init__(
        self, backbone="inceptionv3", layer=None, size=None, weights="imagenet", *, note=""
    ):
        self.backbone, self.layer, self.weights, self.note = backbone, layer, weights, note
        self.size = size or backbones.get_backbone(backbone).size
        with runs.precision("float32"):
            body = backbones.build_backbone(
                backbone, cut=layer, image_size=(self.size, self.size), weights=weights
            )
            mean = keras.layers.GlobalAveragePooling2D()(body.output)
            self.model = keras.Model(body.input, mean, name="embedder")

    def describe(self):
        """One line: which features the numbers are of."""
        weights = "random weights" if self.weights is None else "ImageNet's weights"
        said = (
            f"{self.backbone} with {weights}: mean of {self.layer or 'the last maps'}, "
            f"{self.model.output_shape[-1]} numbers, at {self.size} x {self.size} pixels"
        )
        return f"{said}; {self.note}" if self.note else said

    def __call__(self, pictures, *, progress=None):
        """Vectors of pictures.

        Args:
            pictures: (n, h, w, 3) uint8 in [0, 255], or a list of (h, w, 3) of several sizes.
            progress: called with (done, total) pictures.

        Returns:
            (n, d) float64.

        Raises:
            AtelierError: if there are none, or they are not in uint8.
        """
        if len(pictures) == 0:
            raise AtelierError("pictures to embed", "none", "Give one or more.")
        vectors = []
        for low in range(0, len(pictures), _BATCH):
            fitted = [self._fitted(picture) for picture in pictures[low : low + _BATCH]]
            batch = np.zeros((_BATCH, self.size, self.size, 3), "float32")  # compiled for one shape
            batch[: len(fitted)] = fitted
            vectors.append(np.asarray(self.model.predict_on_batch(batch))[: len(fitted)])
            if progress is not None:
                progress(low + len(fitted), len(pictures))
        return np.concatenate(vectors).astype("float64")

    def _fitted(self, picture):
        picture = np.asarray(picture)
        if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[-1] != 3:
            raise AtelierError(
                "pictures of (h, w, 3) in uint8, RGB",
                f"{picture.shape} in {picture.dtype}",
                "Bring them to [0, 255], round them and cast them.",
            )
        return fit_picture(picture, (self.size, self.size))


def choose_embedder(preferred="inceptionv3", otherwise="densenet169", *, at_random=False):
    """The `Embedder` of the first body whose weights are at hand; nothing is downloaded.

    Args:
        preferred: name of a body.
        otherwise: of the one that takes its place; this is logged, and said by `describe`.
        at_random: take a small body with random weights where neither's are here; a fast run
            does so too. For invented pictures, where nothing is to be learned but the way.

    Raises:
        AtelierError: if there are no weights.
    """
    if backbones.weights_at_hand(preferred):
        return Embedder(preferred)
    if backbones.weights_at_hand(otherwise):
        note = f"instead of {preferred}, whose weights are not here"
        log.warning("Distances are of %s, %s.", otherwise, note)
        return Embedder(otherwise, note=note)
    if at_random or paths.fast():
        note = f"since weights of neither {preferred} nor {otherwise} are here"
        log.warning("Distances are of %s with random weights, %s.", _RANDOM, note)
        return Embedder(_RANDOM, size=_RANDOM_SIZE, weights=None, note=note)
    raise AtelierError(
        f"weights of {preferred} or {otherwise} in ATELIER_WEIGHTS or in Keras's cache",
        "neither",
        f"Put them there, or run `Embedder({preferred!r})` once with a network.",
    )


def kernel_distance(ours, theirs, *, subsets=100, subset_size=100, seed=0):
    """KID: squared mean discrepancy of two clouds under the kernel (x.y / d + 1)^3.

    Args:
        ours: (n, d) vectors, n at least 2.
        theirs: (m, d) vectors, m at least 2.
        subsets: how many are drawn of each side, without returning vectors to the same subset.
        subset_size: vectors in one; no more than either side has are taken. The deviation tells
            something while they are much fewer, hence not the 1000 that are usual.
        seed: of the subsets.

    Returns:
        (mean, standard deviation) over subsets. It is unbiased, so a mean may be below zero.

    Raises:
        AtelierError: if one of them has fewer than two, or there is no subset of two.
    """
    ours, theirs = as_clouds(ours, theirs)
    if subsets < 1 or subset_size < 2:
        raise AtelierError(
            "one subset or more of two vectors or more",
            f"{subsets} of {subset_size}",
            "Raise subsets or subset_size.",
        )
    size, rng = min(subset_size, len(ours), len(theirs)), np.random.default_rng(seed)
    found = [
        _discrepancy(*(x[rng.choice(len(x), size, replace=False)] for x in (ours, theirs)))
        for _ in range(subsets)
    ]
    return float(np.mean(found)), float(np.std(found))


def _discrepancy(x, y):
    """Unbiased squared mean discrepancy of as many vectors on each side."""
    count, size = x.shape
    own = sum(np.power(z @ z.T / size + 1, 3) for z in (x, y))
    others = np.power(x @ y.T / size + 1, 3)
    return (own.sum() - np.trace(own)) / (count * (count - 1)) - 2 * others.mean()


def memorization_distance(ours, theirs):
    """Mean over ours of the least cosine distance to theirs, in [0, 1]; copies are at 0.

    As in the competition's code, the cosine is taken without its sign. A vector of zeros is at 1.

    Args:
        ours: (n, d) vectors of what a generator made.
        theirs: (m, d) vectors of what it was trained on.
    """
    nearest = np.abs(_unit(ours) @ _unit(theirs).T).max(axis=1)
    return float(np.maximum(1 - nearest, 0).mean())


def _unit(x):
    x = np.asarray(x, "float64")
    return x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), _EPSILON)


def memorization_fid(fid, distance, threshold=0.1):
    """MiFID: the FID over the memorization distance where that is below the threshold.

    Args:
        fid: the FID.
        distance: from `memorization_distance`.
        threshold: from which on nothing counts as memorized; 0.1 is the competition's, for
            Inception's features. Those of other bodies lie nearer together or farther apart.
    """
    return fid / max(distance, _EPSILON) if distance < threshold else fid


def edge_preservation(photos, painted):
    """Mean over pictures of the correlation of their edges, in [-1, 1].

    Edges are the magnitudes of Sobel's gradient of luminance. A picture without any counts 0.

    Args:
        photos: (n, h, w, 3) in [0, 255], or a list of (h, w, 3) of several sizes.
        painted: the same, painted in the same order.

    Raises:
        AtelierError: if they do not come in pairs of one size.
    """
    return float(np.mean([_correlation(*map(_edges, pair)) for pair in _pairs(photos, painted)]))


def absolute_error(a, b):
    """Mean absolute difference of pictures, in [0, 255].

    It is the cycle's error of photographs and what returned of them, and the identity's of
    paintings and what became of them when they were painted once more.

    Args:
        a: (n, h, w, 3) in [0, 255], or a list of (h, w, 3) of several sizes.
        b: the same, in the same order.

    Raises:
        AtelierError: if they do not come in pairs of one size.
    """
    return float(np.mean([np.abs(np.subtract(*pair)).mean() for pair in _pairs(a, b)]))


def _pairs(a, b):
    """Each pair of pictures in float32, once both sides agree."""
    shapes = [[np.shape(picture) for picture in side] for side in (a, b)]
    if not shapes[0] or shapes[0] != shapes[1]:
        raise AtelierError(
            "pairs of pictures of one size",
            " and ".join(f"{len(x)} of {', '.join(map(str, dict.fromkeys(x)))}" for x in shapes),
            "Pass both in the same order and size.",
        )
    for pair in zip(a, b, strict=True):
        yield tuple(np.asarray(picture, "float32") for picture in pair)


def _edges(picture):
    luminance = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    return np.hypot(*(cv2.Sobel(luminance, cv2.CV_32F, *axis) for axis in ((1, 0), (0, 1))))


def _correlation(a, b):
    a, b = (x - x.mean(dtype="float64") for x in (a, b))
    scale = np.sqrt(np.square(a).sum() * np.square(b).sum())
    return (a * b).sum() / scale if scale else 0.0


def judge(painted, paintings, photos, *, embedder, seen=None, subsets=100, subset_size=100, seed=0):
    """One row of what painted photographs are worth.

    The FID is too large by an amount that grows as pictures become fewer: compare it only
    between equal numbers of them, and beside `floor_and_ceiling`.

    Args:
        painted: (n, h, w, 3) uint8, or a list of (h, w, 3).
        paintings: real ones to be near to: pictures, or (m, d) vectors that `embedder` made.
        photos: what was painted, in the same order and sizes.
        embedder: an `Embedder`.
        seen: paintings that the generator was trained on, as `paintings`, which are taken if None.
        subsets: of `kernel_distance`.
        subset_size: the same.
        seed: the same.

    Returns:
        Dict of METRICS: fid, kid, kid_std and mifid, where less is nearer; edges, where 1 is
        the photograph's own.
    """
    edges = edge_preservation(photos, painted)  # the quickest to refuse what does not match
    ours, theirs = embedder(painted), _vectors(paintings, embedder)
    known = theirs if seen is None else _vectors(seen, embedder)
    fid = frechet_distance(ours, theirs)
    kid = kernel_distance(ours, theirs, subsets=subsets, subset_size=subset_size, seed=seed)
    mifid = memorization_fid(fid, memorization_distance(ours, known))
    return dict(zip(METRICS, (fid, *kid, mifid, edges), strict=True))


def floor_and_ceiling(paintings, photos, embedder, *, seed=0):
    """FID of real paintings to real paintings, and of untouched photographs to paintings.

    The floor is of as many paintings as there are photographs, drawn at random, but at most half
    of them, to all others. These are fewer than all, which makes it higher; copies of a painting
    on both sides make it lower.

    Args:
        paintings: pictures as `Embedder` takes them, or (n, d) vectors that it made; 4 or more.
        photos: the same; 2 or more.
        embedder: an `Embedder`.
        seed: of the draw.

    Returns:
        (floor, ceiling).

    Raises:
        AtelierError: if there are too few.
    """
    theirs, untouched = _vectors(paintings, embedder), _vectors(photos, embedder)
    order = np.random.default_rng(seed).permutation(len(theirs))
    some = order[: min(len(untouched), len(theirs) // 2)]
    floor = frechet_distance(theirs[some], np.delete(theirs, some, axis=0))
    return floor, frechet_distance(untouched, theirs)


def share_of_the_way(fid, floor, ceiling):
    """Where an FID lies from real paintings (0) to untouched photographs (1).

    It may lie outside, and is not a number where the ceiling is not above the floor.
    """
    return (fid - floor) / (ceiling - floor) if ceiling > floor else float("nan")


def _vectors(pictures, embedder):
    """Vectors as they are, or of pictures."""
    return pictures if np.ndim(pictures[0]) == 1 else embedder(pictures)
