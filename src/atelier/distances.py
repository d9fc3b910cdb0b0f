"""How far two clouds of vectors are apart, as if both were Gaussian.

Source: Dowson & Landau 1982 (doi:10.1016/0047-259X(82)90077-X); between features of pictures it is
the FID of Heusel et al. 2017 (arXiv:1706.08500). Differs: no root of a matrix is taken. Where the
covariances are F'F and G'G, the trace of the root of their product is the sum of the singular
values of FG' (their squares are the eigenvalues of sqrt(S1) S2 sqrt(S1)). That stays exact where
there are fewer vectors than dimensions, and costs less.
"""

import numpy as np

from atelier.errors import AtelierError


def frechet_distance(ours, theirs):
    """Frechet distance of two clouds as if they were Gaussian, of unbiased covariances.

    Args:
        ours: (n, d) vectors, n at least 2.
        theirs: (m, d) vectors, m at least 2.

    Returns:
        A float of 0 or more, in squared units of the vectors; of few vectors it is too large.

    Raises:
        AtelierError: if one of them has fewer than two, or they differ in dimensions.
    """
    ours, theirs = as_clouds(ours, theirs)
    gap = ours.mean(axis=0) - theirs.mean(axis=0)
    return _frechet(gap, _factor_of_cloud(ours), _factor_of_cloud(theirs))


def frechet_of_moments(mean1, cov1, mean2, cov2):
    """Frechet distance of two Gaussians.

    Args:
        mean1: (d,).
        cov1: (d, d), symmetric; it may be singular.
        mean2: (d,).
        cov2: (d, d), the same.
    """
    gap = np.atleast_1d(np.subtract(mean1, mean2, dtype="float64"))
    return _frechet(gap, _factor_of_covariance(cov1), _factor_of_covariance(cov2))


def as_clouds(ours, theirs):
    """Both in float64, once they can be compared.

    Raises:
        AtelierError: as of `frechet_distance`.
    """
    ours, theirs = (np.asarray(x, "float64") for x in (ours, theirs))
    if min(len(ours), len(theirs)) < 2:
        raise AtelierError(
            "two pictures or more on each side", f"{len(ours)} and {len(theirs)}", "Add some."
        )
    if ours.ndim != 2 or ours.shape[1:] != theirs.shape[1:]:
        raise AtelierError(
            "vectors of as many dimensions on each side",
            f"shapes {ours.shape} and {theirs.shape}",
            "Take both from the same features.",
        )
    return ours, theirs


def _frechet(gap, first, second):
    overlap = np.linalg.svd(first @ second.T, compute_uv=False).sum()
    spread = np.square(first).sum() + np.square(second).sum()
    return max(0.0, float(gap @ gap + spread - 2 * overlap))


def _factor_of_cloud(x):
    """F, (r, d), of the covariance F'F of (n, d) points; r is the lesser of n and d."""
    rows = (x - x.mean(axis=0)) / np.sqrt(len(x) - 1)
    return np.linalg.qr(rows, mode="r") if len(rows) > rows.shape[1] else rows


def _factor_of_covariance(covariance):
    """F, (r, d), of a covariance F'F of rank r."""
    values, vectors = np.linalg.eigh(np.atleast_2d(np.asarray(covariance, "float64")))
    kept = values > len(values) * np.finfo("float64").eps * values[-1]
    return (vectors[:, kept] * np.sqrt(values[kept])).T
