"""Painter by Numbers: `all_data_info.csv` and pictures by number, in `train/`, `test/` or elsewhere.

The competition's organiser replaced some damaged files; those in a folder
named `replacements…` win over their namesakes.
"""

import logging
from pathlib import Path, PurePosixPath

import pandas as pd

from atelier.data.layouts.names import find_images
from atelier.data.layouts.rows import rows_to_table
from atelier.errors import AtelierError

log = logging.getLogger(__name__)

INFO_FILE = "all_data_info.csv"
_COLUMNS = ("new_filename", "artist", "style", "genre")


def is_painters(directory):
    """Whether this is Painter by Numbers."""
    return _info_path(directory) is not None


def read_painters_layout(directory):
    """Table of pictures; see `atelier.data.layouts.read_layout`."""
    info = _read_info(_info_path(directory))
    places = _places(find_images(directory))
    here = info[info["new_filename"].isin(places.keys())]
    if missing := len(info) - len(here):
        log.warning("%d of %d pictures in %s are not here", missing, len(info), INFO_FILE)
    if strange := len(places) - len(here):
        log.warning("%d pictures are not in %s and are passed over", strange, INFO_FILE)
    table = here.assign(path=here["new_filename"].map(places))
    return rows_to_table(
        table[["path", "artist", "style", "genre"]].to_numpy(dtype=object).tolist(),
        ("path", "artist", "style", "genre"),
    )


def _info_path(directory):
    """The CSV, or the folder of the same name that its own archive unpacks to."""
    for place in (INFO_FILE, f"{INFO_FILE}/{INFO_FILE}", f"all_data_info/{INFO_FILE}"):
        if (path := Path(directory) / place).is_file():
            return path
    return None


def _read_info(path):
    try:
        info = pd.read_csv(path, usecols=list(_COLUMNS), dtype="string", encoding_errors="replace")
    except (ValueError, pd.errors.ParserError) as error:
        raise AtelierError(
            f"columns {', '.join(_COLUMNS)} in {path}", f"{error}", "Fetch the collection again."
        ) from error
    info = info.apply(lambda column: column.str.strip().replace("", pd.NA))
    return info.dropna(subset="new_filename").drop_duplicates("new_filename")


def _places(images):
    """File name -> path; a replacement wins."""
    ordered = sorted(images, key=lambda path: ("replacement" in path.lower(), path))
    return {PurePosixPath(path).name: path for path in ordered}
