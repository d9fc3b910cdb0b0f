"""`python -m atelier.report`: builds both PDFs and says where they are."""

import sys

from atelier.errors import AtelierError
from atelier.report.build import build


def main():
    """Build; 0, or 1 with one line that says what is wrong."""
    try:
        made = build()
    except AtelierError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    for path in made:
        sys.stdout.write(f"{path.name}, {path.stat().st_size / 1e6:.1f} MB\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
