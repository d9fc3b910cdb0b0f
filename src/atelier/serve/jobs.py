"""Every job of a page: named, timed, counted, noted, and ended with a sentence if it fails."""

import contextlib
import dataclasses
import functools
import logging
import time

import gradio as gr

from atelier.errors import AtelierError
from atelier.serve import telemetry
from atelier.serve.store import KINDS, Request
from atelier.serve.uploads import RefusedError

log = logging.getLogger(__name__)

DONE, REFUSED, STOPPED, FAILED = "done", "refused", "stopped", "failed"


@dataclasses.dataclass
class Job:
    """What is known of a job while it runs; `facts` are fields of `store.Request`."""

    id: str
    kind: str
    facts: dict = dataclasses.field(default_factory=dict)
    outcome: str = DONE


class Jobs:
    """Runs jobs.

    Args:
        store: a `store.Store`.
        counts: a `telemetry.Counts`.
    """

    def __init__(self, store, counts):
        self.store, self.counts = store, counts

    @contextlib.contextmanager
    def job(self, kind):
        """A `Job`; what goes wrong inside becomes a sentence on the page.

        Args:
            kind: classify, stylize or translate, which are noted; or another, which is counted.

        Raises:
            gradio.Error: what the page shows.
        """
        job, began, problem = Job(telemetry.new_id(), kind), time.time(), None
        with telemetry.known_as(job.id):
            try:
                yield job
            except RefusedError as error:
                job.outcome, problem = REFUSED, error.problem
                raise gr.Error(error.sentence, print_exception=False) from error
            except AtelierError as error:
                job.outcome, problem = REFUSED, str(error)
                raise gr.Error(str(error), print_exception=False) from error
            except GeneratorExit:
                job.outcome, problem = STOPPED, "whoever asked has left"
                raise
            except gr.Error as error:
                job.outcome, problem = REFUSED, str(error)
                raise
            except Exception as error:
                job.outcome, problem = FAILED, type(error).__name__
                log.exception("a job failed")
                said = f"Something went wrong here. It is noted as {job.id[:8]}. Please try again."
                raise gr.Error(said, print_exception=False) from error
            finally:
                self._note(job, began, problem)

    def _note(self, job, began, problem):
        seconds = time.time() - began
        model, version = job.facts.get("model"), job.facts.get("version")
        self.counts.count(job.kind, model, version, job.outcome, seconds)
        log.info(
            "job",
            extra={
                "kind": job.kind,
                "model": model,
                "version": version,
                "outcome": job.outcome,
                "problem": problem,
                "seconds": round(seconds, 3),
            },
        )
        if job.kind in KINDS:
            self._keep(job, began, seconds, problem)

    def _keep(self, job, began, seconds, problem):
        facts = {"model": "none", **job.facts}
        try:
            self.store.add(
                Request(
                    id=job.id, time=began, kind=job.kind, seconds=seconds, problem=problem, **facts
                )
            )
        except Exception:  # an answer is worth more than its note
            log.exception("a request could not be noted")


def friendly(function):
    """A function for a page whose errors become sentences there."""

    @functools.wraps(function)
    def call(*args):
        try:
            return function(*args)
        except AtelierError as error:
            raise gr.Error(str(error), print_exception=False) from error

    return call
