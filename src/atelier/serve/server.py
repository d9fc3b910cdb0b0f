"""What all pages share: models, notes, counts, examples and limits of one running application."""

import logging
import threading

from atelier import models
from atelier.data.sources import locate
from atelier.errors import AtelierError
from atelier.serve import examples
from atelier.serve.jobs import Jobs
from atelier.serve.settings import Settings
from atelier.serve.shelf import Shelf
from atelier.serve.store import Store
from atelier.serve.telemetry import Counts
from atelier.serve.uploads import read_upload

log = logging.getLogger(__name__)


class Server:
    """What the pages use. Keras, and any model, is loaded when the first job needs it.

    Args:
        settings: a `Settings`.

    Raises:
        AtelierError: if the settings are refused, or name a collection that is not there.
    """

    def __init__(self, settings=None):
        self.settings = settings or Settings()
        self.settings.check()
        self.collection = _collection(self.settings.data)
        self.examples = examples.example_pictures(self.collection)
        self.examples_of = examples.describe(self.collection)
        self.store, self.counts = Store(), Counts(self._waiting)
        self.store.forget(self.settings.kept_days)
        self.jobs = Jobs(self.store, self.counts)
        self.shelf = Shelf(self.settings.memory, models.forget)
        self.counts.watch(self.shelf)
        self.blocks = None  # Gradio's page, once it is laid out
        self._lock, self._answering, self._stops = threading.Lock(), {}, {}

    def read(self, path):
        """The picture that was sent, (height, width, 3) uint8.

        Raises:
            AtelierError: if there is none, or it cannot be used.
        """
        if not path:
            raise AtelierError("a picture", "none", "Choose one first.")
        return read_upload(path, self.settings)

    @property
    def classifying(self):
        """The classifiers' answers."""
        from atelier.serve.classifying import Classifying

        return self._once(Classifying, self.collection)

    @property
    def painting(self):
        """Style transfer."""
        from atelier.serve.painting import Painting

        return self._once(Painting)

    @property
    def translating(self):
        """Photo to Monet."""
        from atelier.serve.translating import Translating

        return self._once(Translating)

    def stop_event(self, session):
        """The event that stops a visitor's long job; a new one for a new job."""
        self._stops[session] = threading.Event()
        return self._stops[session]

    def stop(self, session):
        """Stop a visitor's long job; it keeps what it has."""
        if session in self._stops:
            self._stops[session].set()

    def forget(self, session):
        """Stop what a visitor who left has started."""
        self.stop(session)
        self._stops.pop(session, None)

    def _once(self, kind, *more):
        with self._lock:
            if kind not in self._answering:
                self._answering[kind] = kind(self.shelf, self.settings, *more)
            return self._answering[kind]

    def _waiting(self):
        queue = getattr(self.blocks, "_queue", None)
        return 0 if queue is None else len(queue)


def _collection(name):
    """Root of the collection in which similar paintings are found: as asked for, or that is there."""
    if name is not None:
        return locate(name)
    try:
        return locate()
    except AtelierError as error:
        log.debug("no collection: %s", error)
        return None
