"""The command line inside the test process, and what it changes put back afterwards."""

import logging

import pytest
from typer.testing import CliRunner


@pytest.fixture
def run():
    """Run `atelier` with arguments; the result has exit_code, stdout and stderr."""
    from atelier.cli import app

    logger = logging.getLogger("atelier")
    handlers, level = logger.handlers[:], logger.level

    def invoke(*arguments):
        return CliRunner().invoke(app, [str(argument) for argument in arguments])

    yield invoke
    logger.handlers = handlers
    logger.setLevel(level)
