"""The command line, built with Typer; every heavy import waits for its command.

`main` is what the `atelier` script calls. Exit codes: 0 done; 2 wrong usage;
130 interrupted; 1 anything else, with one line on stderr.
"""

from atelier.cli.commands import app


def main():
    """Run the command line."""
    app(prog_name="atelier")


__all__ = ["app", "main"]
