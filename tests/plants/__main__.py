"""Runs the reference broker with one bug planted: `python -m tests.plants NAME start FILE …`; or tells of the plants.

A plant is a file of this folder, of `brokers`, `quorum` or `power` with a header (**Bug**, **Rejected by**), or of
`differences` (**Differs**, **Found by**). Its function `plant` changes the broker's classes in this process only, and
the broker's own files know nothing of it.
"""

from __future__ import annotations

import sys

from reference_broker.__main__ import main
from reference_broker.command_line import FAILED, WRONG_INPUT, as_typed
from reference_broker.command_line import run as run_command
from tests.plants._catalogue import README, finding, places, plant, title, with_table

USAGE = """usage: {plants} NAME start|storage|dev …   the broker, with the bug NAME in it
       {plants} --list                           what there is, and the command that finds each
       {plants} measure [NAME …]                 after how many seeds and seconds they are found
       {plants} table                            writes the table of tests/plants/README.md anew
example: {plants} wrong_offset_in_answer dev --port 0"""


def run(arguments: list[str]) -> int:
    """The exit status: the broker's; 1 where a plant was not found; 2 for wrong input."""
    if not arguments or arguments[0] in ("-h", "--help"):
        print(USAGE.format(plants=as_typed("tests.plants")))
        return 0 if arguments else WRONG_INPUT
    name, *rest = arguments
    if arguments == ["--list"]:
        for one in places():
            print(f"{one}\n    {title(one)}\n    found by: {finding(one)}")
        return 0
    if arguments == ["table"]:
        README.write_text(with_table(README.read_text(encoding="utf-8")), encoding="utf-8")
        return 0
    if unknown := [one for one in (rest if name == "measure" else [name]) if one not in places()]:
        print(f"tests.plants: unknown plant {unknown[0]!r} (known: {', '.join(places())})", file=sys.stderr)
        return WRONG_INPUT
    if name == "measure":
        from tests.plants._measuring import measure  # the engine of checks is not for a broker to load

        return 0 if measure(rest) else FAILED
    plant(name)
    return main(rest)


if __name__ == "__main__":
    sys.exit(run_command("tests.plants", lambda: run(sys.argv[1:])))
