"""Where a result was made: versions, backend, device, commit, date.

Nothing is imported to find out. A notebook that never touches Keras does not
pay for it, and a machine without TensorFlow is described all the same.
"""

import datetime
import functools
import importlib.metadata
import json
import logging
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

from atelier import __version__, paths

log = logging.getLogger(__name__)

CHANGED = "+changes"  # behind a commit whose files were changed since
PACKAGES = ("keras", "tensorflow", "jax", "numpy", "pandas", "scikit-learn", "matplotlib")


def versions():
    """Version by name: atelier, python and the installed ones among `PACKAGES`."""
    found = {"atelier": __version__, "python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def backend_name():
    """The backend that Keras runs on, or would run on if it were imported now."""
    if "keras" in sys.modules:
        return sys.modules["keras"].backend.backend()
    if named := os.environ.get("KERAS_BACKEND"):
        return named
    try:
        return _keras_settings().get("backend", "tensorflow")
    except (OSError, ValueError, AttributeError) as error:
        log.debug("No Keras settings: %s", error)
        return "tensorflow"


def _keras_settings():
    home = Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras")
    return json.loads((home / "keras.json").read_text(encoding="utf-8"))


def cpu_count():
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def device_name():
    """What Keras computes on, such as `NVIDIA T4` or `AMD EPYC, 2 cores`."""
    if _keras_sees_only_cpu():
        return _cpu_name()
    return _gpu_name() or _cpu_name()


def _keras_sees_only_cpu():
    """False as long as Keras is not imported: then the driver is believed."""
    if "keras" not in sys.modules:
        return False
    devices = sys.modules["keras"].distribution.list_devices()
    return all(name.startswith("cpu") for name in devices)


@functools.cache
def _gpu_name():
    """The first GPU's name as NVIDIA's driver tells it, or None."""
    tool = shutil.which("nvidia-smi")
    if tool is None or os.environ.get("CUDA_VISIBLE_DEVICES") in ("", "-1"):
        return None
    command = [tool, "--query-gpu=name", "--format=csv,noheader"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=20, check=True)
    except (OSError, subprocess.SubprocessError) as error:
        log.debug("No answer from nvidia-smi: %s", error)
        return None
    return next(iter(answer.stdout.strip().splitlines()), None)


def _cpu_name():
    cores = cpu_count()
    return f"{_cpu_model()}, {cores} core{'s' if cores > 1 else ''}"


@functools.cache
def _cpu_model():
    info = Path("/proc/cpuinfo")
    if info.is_file():
        for line in info.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip().removesuffix("Processor").strip() or "CPU"
    return platform.processor() or platform.machine() or "CPU"


def on_cpu():
    """Whether Keras computes on a CPU, so that plans are shortened."""
    return device_name() == _cpu_name()


def fast_precision():
    """`mixed_bfloat16` where the device multiplies it faster than float32, else `float32`."""
    if not on_cpu():
        return "mixed_bfloat16"
    info = Path("/proc/cpuinfo")
    known = info.read_text(encoding="utf-8", errors="replace") if info.is_file() else ""
    return "mixed_bfloat16" if "avx512_bf16" in known or "amx_bf16" in known else "float32"


def no_retracing_warnings():
    """Keep TensorFlow's warning of retracing to itself.

    Every network, and every size of picture, is asked through a function of its own, which
    TensorFlow takes for one function that is traced again and again.
    """
    logger = logging.getLogger("tensorflow")
    if _is_no_retracing not in logger.filters:
        logger.addFilter(_is_no_retracing)


def _is_no_retracing(record):
    return "retracing" not in record.getMessage()


def commit():
    """The repository's commit, as it was when this process first asked; None where it is no clone.

    `CHANGED` follows it where tracked files differ from it. Asked when a training begins, it is
    the code that ran, whatever becomes of the files in the hours after.
    """
    return _commit_of(paths.root())


@functools.cache
def _commit_of(root):
    found = _git(root, "rev-parse", "--show-toplevel", "HEAD")
    if found is None or Path(found.splitlines()[0]).resolve() != root:
        return None  # no clone, one without a commit, or a folder within another repository
    changed = _git(root, "status", "--porcelain", "--untracked-files=no")
    return found.splitlines()[1] + (CHANGED if changed else "")


def _git(root, *arguments):
    """What git says, or None where it is absent, slow or refuses."""
    command = ["git", "-C", str(root), *arguments]
    try:
        said = subprocess.run(command, capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.SubprocessError) as error:
        log.debug("No answer from git: %s", error)
        return None
    return said.stdout.strip() if said.returncode == 0 else None


def today():
    """The date as 2026-01-31."""
    return datetime.date.today().isoformat()


def describe_environment():
    """Four lines for the top of a notebook: versions, backend, device, root and date."""
    known = versions()
    packages = " · ".join(f"{name} {version}" for name, version in known.items())
    mode = "fast run (ATELIER_FAST)" if paths.fast() else "full run"
    return "\n".join(
        (
            packages,
            f"backend  {backend_name()}",
            f"device   {device_name()}",
            f"root     {_short_root()} · {mode} · {today()}",
        )
    )


def _short_root():
    """The root from where one stands: where it lies on this machine is nobody's business."""
    root, here = paths.root(), Path.cwd().resolve()
    return os.path.relpath(root, here) if here.is_relative_to(root) else root.name
