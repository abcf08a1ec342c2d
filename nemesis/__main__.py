"""`python -m nemesis --target T --faults kill,partition`: see `--help` and `--list`."""

from __future__ import annotations

import sys

from reference_broker.command_line import run


def command() -> int:
    """The exit status. Imported when called, so that Ctrl-C is told well while that is done."""
    from nemesis.command import main

    return main(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(run("nemesis", command))
