"""Folders of images, one a label; and gan-getting-started's two domains.

A folder of folders always works: the first folder below the root is the
artist, however deep the picture lies. Pictures directly in the root have no
labels. In gan-getting-started (`monet_jpg/`, `photo_jpg/`; its `*_tfrec/` repeat
them and are not read) the paintings are Monet's, and the photographs have no
artist and the genre `photograph`.
"""

from pathlib import Path

from atelier.data.layouts.artists import without_repeats
from atelier.data.layouts.names import find_images, spoken
from atelier.data.layouts.rows import rows_to_table
from atelier.errors import AtelierError

DOMAINS = {"monet": "monet_jpg", "photo": "photo_jpg"}


def read_folders(directory):
    """Table of pictures; see `atelier.data.layouts.read_layout`."""
    images = find_images(directory)
    flat = [(path, None) for path in images if "/" not in path]
    inside = [(path, path.split("/")[0]) for path in images if "/" in path]
    labeled = [(path, spoken(folder)) for path, folder in without_repeats(directory, inside)]
    return rows_to_table(flat + labeled, ("path", "artist"))


def is_domains(directory):
    """Whether this is gan-getting-started."""
    return all((Path(directory) / folder).is_dir() for folder in DOMAINS.values())


def read_domains(directory):
    """Paths of an unpaired collection's pictures: `{"monet": [...], "photo": [...]}`.

    Raises:
        AtelierError: if a domain's folder is missing or holds no pictures.
    """
    domains = {}
    for domain, folder in DOMAINS.items():
        place = Path(directory) / folder
        images = find_images(place) if place.is_dir() else []
        if not images:
            raise AtelierError(
                f"pictures in {place}",
                "none",
                "Name the root of gan-getting-started, or run `atelier data fetch gan-getting-started`.",
            )
        domains[domain] = [f"{folder}/{image}" for image in images]
    return domains


def read_domains_layout(directory):
    """Table of pictures; see `atelier.data.layouts.read_layout`."""
    domains = read_domains(directory)
    monet = [(path, "Claude Monet", "Impressionism", None) for path in domains["monet"]]
    photo = [(path, None, None, "photograph") for path in domains["photo"]]
    return rows_to_table(monet + photo, ("path", "artist", "style", "genre"))
