"""`python -m nemesis --target T --faults kill,partition`: see `--help` and `--list`."""

from __future__ import annotations

import sys

from reference_broker.command_line import run


def command() -> int:
    """Runs the command and returns its exit status. The import is inside, so that Ctrl-C during it is handled too."""
    from nemesis.command import main

    return main(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(run("nemesis", command))
