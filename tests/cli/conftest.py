"""The command line inside the test process, and what it changes put back afterwards."""

import pytest
from typer.testing import CliRunner


@pytest.fixture
def run(logging_as_before):
    """Run `atelier` with arguments; the result has exit_code, stdout and stderr."""
    from atelier.cli import app

    def invoke(*arguments):
        return CliRunner().invoke(app, [str(argument) for argument in arguments])

    return invoke
