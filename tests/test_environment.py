"""A description of the machine that costs no import."""

import subprocess
import sys

import pytest

from atelier import environment

pytestmark = pytest.mark.once


def test_describing_imports_no_framework():
    code = (
        "import sys; from atelier.environment import describe_environment as d; d(); "
        "print([m for m in ('keras', 'tensorflow', 'jax', 'torch') if m in sys.modules])"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert answer.stdout.strip() == "[]"


def test_versions_are_those_installed():
    import numpy

    found = environment.versions()
    assert found["numpy"] == numpy.__version__
    assert found["python"].startswith(f"{sys.version_info.major}.{sys.version_info.minor}")


def test_the_description_names_no_place_on_this_machine(atelier_root):
    text = environment.describe_environment()
    assert str(atelier_root.parent) not in text
    assert f"root     {atelier_root.name}" in text
    assert "full run" in text


def test_the_root_is_named_from_where_one_stands(atelier_root, monkeypatch):
    (atelier_root / "notebooks").mkdir()
    monkeypatch.chdir(atelier_root / "notebooks")
    assert "root     .. " in environment.describe_environment()


def test_a_fast_run_says_so(monkeypatch):
    monkeypatch.setenv("ATELIER_FAST", "1")
    assert "fast run" in environment.describe_environment()


def test_the_device_is_a_cpu_where_no_gpu_answers(monkeypatch):
    monkeypatch.setattr(environment, "_gpu_name", lambda: None)
    assert "core" in environment.device_name()


def test_the_backend_is_the_one_that_the_variable_names(monkeypatch):
    monkeypatch.delitem(sys.modules, "keras", raising=False)
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    assert environment.backend_name() == "jax"
