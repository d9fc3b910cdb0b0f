"""`python -m atelier.cli`: the command line without the installed script."""

from atelier.cli import main

main()
