"""Models that are kept loaded: each is read once, on first use, and the least recently used goes."""

import collections
import gc
import logging
import threading

log = logging.getLogger(__name__)


class Shelf:
    """What was loaded, within a bound of memory. Safe to use from several threads.

    Args:
        most: bytes that all together may take; what is asked for stays, whatever it takes.
        dropped: called without arguments once something has gone.
    """

    def __init__(self, most, dropped=lambda: None):
        self.most, self._dropped = most, dropped
        self._held, self._loading = collections.OrderedDict(), {}
        self._lock = threading.Lock()

    def get(self, key, load, size):
        """What is kept under a key, loaded where it is not there.

        Args:
            key: hashable; another version of a model has another.
            load: called without arguments, by one thread alone, while others wait.
            size: function of what was loaded, bytes that it takes.
        """
        with self._lock:
            if key in self._held:
                self._held.move_to_end(key)
                return self._held[key][0]
            loading = self._loading.setdefault(key, threading.Lock())
        with loading:
            with self._lock:
                if key in self._held:  # another thread has loaded it meanwhile
                    return self._held[key][0]
            item = load()
            with self._lock:
                self._held[key] = item, size(item)
                self._loading.pop(key, None)
                self._make_room(key)
        return item

    def _make_room(self, key):
        gone = []
        while self.taken() > self.most and next(iter(self._held)) != key:
            gone.append(self._held.popitem(last=False)[0])
        if gone:
            self._dropped()
            gc.collect()
            log.info("no longer loaded: %s", ", ".join(map(str, gone)))

    def taken(self):
        """Bytes that all together take."""
        return sum(size for _, size in self._held.values())

    def __contains__(self, key):
        return key in self._held

    def __len__(self):
        return len(self._held)


def weight_bytes(*models):
    """Bytes of some Keras models' weights."""
    return sum(4 * model.count_params() for model in models)
