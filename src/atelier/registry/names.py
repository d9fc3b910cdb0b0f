"""What a version's name means now: `artist/3`, `artist@champion`, or `champion` alone.

Asked at every request of the web application, so an answer is kept until the registry changes.
"""

import logging
import re
import threading

from atelier.errors import AtelierError
from atelier.registry import store
from atelier.registry.versions import TASK, check, version_of

log = logging.getLogger(__name__)

_NUMBERED = re.compile(r"([\w-]+)/(\d{1,9})")
_ALIASED = re.compile(r"(?:([\w-]+)@)?([\w-]+)")
_MOST = 256  # names that are kept

_known, _asking = {}, threading.Lock()


def resolve(name):
    """The version that a name means now, or None.

    An answer is kept until the registry's file changes, a server's for five seconds; and it
    stands, with a warning, while the registry does not answer. Safe from several threads.

    Args:
        name: such as `artist/3` or `artist@champion`; `champion` is `artist@champion`.

    Returns:
        The `Version`, or None if there is none of that name.

    Raises:
        AtelierError: if the version's files were changed, or the registry cannot be read.
    """
    wanted = _parsed(str(name))
    if wanted is None or not store.exists():
        return None
    version = _current(wanted)
    if version is not None:
        check(version)
    return version


def _parsed(name):
    """(task, number, alias), one of the latter None; None if it is no version's name."""
    if numbered := _NUMBERED.fullmatch(name):
        return numbered[1], numbered[2], None
    aliased = _ALIASED.fullmatch(name)
    return aliased and (aliased[1] or TASK, None, aliased[2])


def _current(wanted):
    key, stamp = (store.address(), *wanted), store.stamp()
    known = _known.get(key)
    if known is None or known[0] != stamp:
        with _asking:
            known = _known.get(key)
            if known is None or known[0] != stamp:  # nobody asked while this one waited
                _keep(key, *_asked(wanted, stamp, known))
                known = _known[key]
    return known[1]


def _asked(wanted, stamp, known):
    """(stamp, version); the stamp is None where the answer may be used once only."""
    try:
        return stamp if store.settled(stamp) else None, _look_up(*wanted)
    except AtelierError as error:
        if known is None:
            raise
        log.warning("The registry does not answer, so what it last said stands. %s", error)
        return stamp if store.database() is None else None, known[1]


def _keep(key, stamp, version):
    if len(_known) >= _MOST:
        _known.clear()
    _known[key] = stamp, version


@store.plainly()
def _look_up(task, number, alias):
    client = store.client()
    from mlflow.exceptions import MlflowException

    try:
        if number is not None:
            return version_of(client.get_model_version(task, number))
        return version_of(client.get_model_version_by_alias(task, alias))
    except MlflowException as error:
        if not store.missing(error):
            raise
        return None
