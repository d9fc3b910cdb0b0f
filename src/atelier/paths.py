"""Where things lie: the repository's rooms and what is derived from a collection.

Environment variables: `ATELIER_ROOT` (the repository, if not the working
directory or above it), `ATELIER_DATA` (a collection's root, or a folder of
collections), `ATELIER_WEIGHTS` (backbone weights), `ATELIER_LISTS` (ArtGAN's lists
for WikiArt), `ATELIER_FIGURES` (instead of `figures/`), `ATELIER_FAST=1` (the smallest honest run);
of the registry, `MLFLOW_TRACKING_URI` (a server) and `ATELIER_TRACKING=off` (no run is logged).
"""

import hashlib
import os
from pathlib import Path

from atelier.errors import AtelierError


def root():
    """The repository's root: `ATELIER_ROOT`, or the nearest folder up that looks like it, or the cwd."""
    if named := os.environ.get("ATELIER_ROOT"):
        folder = Path(named).expanduser().resolve()
        if not folder.is_dir():
            raise AtelierError(
                "a folder in ATELIER_ROOT",
                f"no folder at {folder}",
                "Correct or unset ATELIER_ROOT.",
            )
        return folder
    here = Path.cwd().resolve()
    for folder in (here, *here.parents):
        if (folder / "notebooks").is_dir() and (folder / "requirements.txt").is_file():
            return folder
    return here


def data_dir():
    """Collections, one folder each; ignored by git."""
    return root() / "data"


def models_dir():
    """Trained models, one folder each."""
    return root() / "models"


def figures_dir():
    """Figures that notebooks, README and report show: `ATELIER_FIGURES`, else `figures/`.

    A fast run's go to `build/figures`.
    """
    if named := os.environ.get("ATELIER_FIGURES"):
        return Path(named).expanduser().resolve()
    return build_dir() / "figures" if fast() else root() / "figures"


def notebooks_dir():
    """The sequential notebooks."""
    return root() / "notebooks"


def build_dir():
    """What a run leaves that is never committed."""
    return root() / "build"


def weights_dir():
    """`ATELIER_WEIGHTS` as a path, or None where it is not set."""
    named = os.environ.get("ATELIER_WEIGHTS")
    return Path(named).expanduser().resolve() if named else None


def lists_dir():
    """`ATELIER_LISTS` as a path, or None where it is not set."""
    named = os.environ.get("ATELIER_LISTS")
    return Path(named).expanduser().resolve() if named else None


def workspace(collection):
    """Where the manifest, splits and decoded pictures of a collection are kept.

    Collections are immutable and may be read-only, so nothing is written into
    them. The name carries a digest of the full path: two collections of the
    same name do not meet.
    """
    collection = Path(collection).expanduser().resolve()
    digest = hashlib.sha256(str(collection).encode()).hexdigest()[:8]
    return data_dir() / "derived" / f"{collection.name}-{digest}"


def fast():
    """Whether `ATELIER_FAST` asks for the smallest honest run."""
    return os.environ.get("ATELIER_FAST", "") not in ("", "0")
