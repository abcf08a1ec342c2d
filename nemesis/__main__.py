"""`python -m nemesis --target T --faults kill,partition`: see `--help` and `--list`."""

from __future__ import annotations

import sys

from nemesis.command import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
