"""Downloading through kagglehub, and saying plainly why it was refused.

Files go through kagglehub's own cache, because only there does an interrupted
download resume (with `output_dir` it starts again), and are linked from there.
"""

import errno
import shutil
import urllib.error
import urllib.request
from pathlib import Path

from atelier.errors import AtelierError

_TIMEOUT = 60  # seconds without an answer
_CREDENTIALS = (
    "Make a token at https://www.kaggle.com/settings and save it as ~/.kaggle/kaggle.json, or set "
    "KAGGLE_USERNAME and KAGGLE_KEY"
)


class _RefusedError(AtelierError):
    """A refusal that another handle of the same collection may not meet."""


def download(source, scratch):
    """Download a collection.

    Args:
        source: a `Source`.
        scratch: a folder for what comes as a single file.

    Returns:
        Path of the folder or zip that came.

    Raises:
        AtelierError: saying whether kagglehub, the network, credentials, the acceptance of
            rules or something else was missing, and what to do.
    """
    if source.url:
        return _download_url(source, Path(scratch) / f"{source.name}.zip")
    refused = None
    for kind, handle in source.handles:
        try:
            return Path(_ask_kagglehub(source, kind, handle))
        except _RefusedError as error:
            refused = refused or error
    raise refused


def _ask_kagglehub(source, kind, handle):
    try:
        import kagglehub
        import requests
    except ImportError as error:
        raise _missing(
            source, "kagglehub to download with", error, "`pip install kagglehub`"
        ) from error
    fetch = {"dataset": "dataset_download", "competition": "competition_download"}[kind]
    try:
        return getattr(kagglehub, fetch)(handle)
    except requests.exceptions.HTTPError as error:  # kagglehub's own are among them
        raise _explain_status(source, kind, handle, error) from error
    except (requests.exceptions.RequestException, ConnectionError, TimeoutError) as error:
        raise _missing(source, *_no_network("Kaggle", error)) from error
    except OSError as error:
        raise _missing(source, *_disk(error)) from error
    except Exception as error:  # kagglehub raises bare subclasses of Exception
        raise _explain_other(source, handle, error) from error


def _explain_status(source, kind, handle, error):
    status = getattr(error.response, "status_code", None)
    if status == 403 and kind == "competition":
        step = f"Sign in, accept the rules at https://www.kaggle.com/competitions/{handle}/rules"
        return _missing(source, "accepted competition rules", error, step, _RefusedError)
    if status in (401, 403):
        return _missing(source, "Kaggle credentials", error, _CREDENTIALS, _RefusedError)
    if status == 404:
        step = f"Look for it at {source.page}"
        return _missing(source, f"{handle} on Kaggle", error, step, _RefusedError)
    if status == 429:
        return _missing(source, "an answer from Kaggle", error, "Wait some minutes")
    return _missing(source, "an answer from Kaggle", error, "Try again later")


def _explain_other(source, handle, error):
    name = type(error).__name__
    if name in ("UnauthenticatedError", "CredentialError"):
        return _missing(source, "Kaggle credentials", error, _CREDENTIALS, _RefusedError)
    if name == "NotFoundError":
        step = f"Look for it at {source.page}"
        return _missing(source, f"{handle} on Kaggle", error, step, _RefusedError)
    if name == "DataCorruptionError":
        return _missing(source, "an undamaged download", error, "Try again")
    if name in ("BackendError", "KaggleEnvironmentError", "ColabEnvironmentError"):
        return _missing(source, "an answer from Kaggle", error, "Try again later")
    return _missing(source, f"a download of {handle}", f"{name}: {error}", "Try again")


def _no_network(place, error):
    return f"a network connection to {place}", f"none ({error})", "Connect and try again"


def _disk(error):
    if error.errno == errno.ENOSPC:
        step = "Make room, or set KAGGLEHUB_CACHE to a larger disk"
        return "room on the disk", error, step
    return "a place to download to", error, "Set KAGGLEHUB_CACHE to a folder you may write"


def _missing(source, expected, found, step, kind=AtelierError):
    """The error, with the way around every refusal: the files by hand."""
    detail = " ".join(str(found).split())[:300] or type(found).__name__
    return kind(
        f"{expected} for {source.name}",
        detail.rstrip("."),
        f"{step}; or without it: {source.by_hand} ({source.page}), then run `atelier data fetch "
        f"{source.name} --from PATH` with the zip or folder.",
    )


def _download_url(source, target):
    request = urllib.request.Request(source.url, headers={"User-Agent": "atelier"})
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT) as answer, target.open("wb") as sink:
            shutil.copyfileobj(answer, sink)
    except urllib.error.HTTPError as error:
        raise _missing(source, f"a zip at {source.url}", error, "Try again later") from error
    except OSError as error:
        raise _missing(source, *_no_network(source.url, error)) from error
    return target
