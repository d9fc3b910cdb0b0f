"""One drawing process of the sample collection; started by `pool`."""

import sys

from atelier.data.sample.pool import run_child

if __name__ == "__main__":
    run_child(sys.argv[1])
