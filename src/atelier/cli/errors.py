"""How the command line ends when something goes wrong: one line, and an exit code.

Usage errors (exit code 2) stay Typer's own.
"""

import contextlib
import logging
import sys
import traceback

import typer
from typer.core import TyperGroup

from atelier.errors import AtelierError

INTERRUPTED = "Stopped. What is done is kept; run the same command again to go on."


class OneLineErrors(TyperGroup):
    """The group of all commands: turns what they raise into one line on stderr."""

    def invoke(self, ctx):
        """Run the chosen command."""
        debug = bool(ctx.params.get("debug"))
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            _end(INTERRUPTED, debug, code=130)
        except AtelierError as error:
            _end(str(error), debug)
        except Exception as error:
            if _belongs_to_typer(error):
                raise
            _end(_unexpected(error), debug)


def _belongs_to_typer(error):
    """Whether Typer ends this well itself: usage errors, exits, aborts, a closed pipe."""
    return isinstance(error, (typer.Exit, typer.Abort, BrokenPipeError)) or hasattr(
        error, "exit_code"
    )


def _unexpected(error):
    said = " ".join(str(error).split())[:300]
    what = f"{type(error).__name__}: {said}" if said else type(error).__name__
    return f"Unexpected {what.rstrip('.')}. Run `atelier --debug …` for the traceback."


def _end(line, debug, code=1):
    if debug:
        traceback.print_exc()
    typer.echo(f"atelier: {line}", err=True)
    raise typer.Exit(code)


class _ToStderr(logging.Handler):
    """The library's warnings, one plain line each, above a progress bar if there is one."""

    def emit(self, record):
        from atelier.cli.output import console

        with contextlib.suppress(BrokenPipeError):
            console().print(self.format(record), markup=False, highlight=False, soft_wrap=True)


def quieten(debug):
    """Say only what a user can act on; with `debug`, say everything.

    Warnings of the library reach stderr through `logging`; those of the
    packages below it, and TensorFlow's start-up messages, are for `--debug`.
    """
    import os
    import warnings

    logger = logging.getLogger("atelier")
    logger.handlers = [_ToStderr()]
    logger.setLevel(logging.DEBUG if debug else logging.WARNING)
    if not debug:
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        if not sys.warnoptions:
            warnings.simplefilter("ignore")
