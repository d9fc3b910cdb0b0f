"""Photographs beside paintings: those of gan-getting-started, and of the sample collection."""

from pathlib import Path

from atelier.data.catalog import GAN_GETTING_STARTED
from atelier.data.choose import collection_at
from atelier.data.sources import locate
from atelier.errors import AtelierError

FOLDERS = ("photo_jpg", "photos")  # of gan-getting-started, and of the sample


def photographs_in(directory):
    """Paths of a collection's photographs, relative to its root, in order.

    Raises:
        AtelierError: if there are fewer than two.
    """
    directory = Path(directory)
    found = [path for name in FOLDERS for path in sorted((directory / name).glob("*.jpg"))]
    if len(found) < 2:
        raise AtelierError(
            f"photographs in {' or '.join(FOLDERS)}",
            f"{len(found)} in {directory.name}",
            "Fetch them with `atelier data fetch gan-getting-started`.",
        )
    return [path.relative_to(directory).as_posix() for path in found]


def photographs_for(collection):
    """The `Collection` whose photographs go with a collection's paintings.

    Returns:
        The sample itself, or gan-getting-started where it is: invented pictures and real ones
        are never mixed.

    Raises:
        AtelierError: if it is not there; it says how to get it.
    """
    return collection if collection.is_sample else collection_at(locate(GAN_GETTING_STARTED.name))
