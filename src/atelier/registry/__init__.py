"""The registry of model versions: what was trained, and which version an alias means.

MLflow keeps it: in `models/registry.db` with its files in `models/artifacts/`, or on the server
that `MLFLOW_TRACKING_URI` names. A version such as `artist/3` is an immutable copy of a model's
folder; `artist@champion` is the version that an alias means now. `ATELIER_TRACKING=off` keeps
trainings out of it; fast runs are logged only where it is `on`.

Imports nothing heavy: MLflow is loaded when a registry is there and is asked.
"""

from atelier.registry.aliases import promote, rollback
from atelier.registry.names import resolve
from atelier.registry.store import exists, is_copy
from atelier.registry.tracking import log_search, log_training
from atelier.registry.versions import Version, register, versions

ALIASES = CHAMPION, CHALLENGER = "champion", "challenger"

__all__ = [
    "ALIASES",
    "CHALLENGER",
    "CHAMPION",
    "Version",
    "exists",
    "is_copy",
    "log_search",
    "log_training",
    "promote",
    "register",
    "resolve",
    "rollback",
    "versions",
]
