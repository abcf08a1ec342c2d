"""Commands of the harness: list what there is, judge a stored run, build reports, fetch Kafka, build images."""

from __future__ import annotations

import sys
from importlib import import_module

from reference_broker.command_line import WRONG_INPUT, as_typed, run

COMMANDS = {
    "list": (
        "harness.catalogue",
        "checks|claims|faults|targets|plants|bugs   what there is",
    ),
    "judge": ("harness.judging.judge", "RUN [--check ID]   judge a stored history again"),
    "lockstep": (
        "harness.search.lockstep.command",
        "--target A --target B   search for differences between two targets",
    ),
    "neighbours": (
        "harness.search.neighbours.command",
        "--target A --target B   search for changes between two releases of Kafka",
    ),
    "model": (
        "harness.search.lockstep.model_command",
        "--target T   random sequences of requests, each answer judged by the model",
    ),
    "simulate": (
        "harness.simulate.command",
        "--seeds A..B [--jobs N]   whole clusters on virtual time, with faults from seeds",
    ),
    "log": (
        "harness.log_folder.command",
        "FOLDER [--partition T-0] [--json]   what stands in a log folder of Kafka's format",
    ),
    "record": (
        "harness.comparing.recorded.writing",
        "--target T [CHECKS]   record a target's answers in tests/recorded/",
    ),
    "account": ("harness.comparing.account.table", "RUN [--strict]   what was compared: APIs, versions, error codes"),
    "report": ("reports.build", "RUN   build the report of a stored run"),
    "kafka": ("harness.targets.kafka_command", "[--jars-only] VERSION…   fetch Kafka's jars, with progress"),
    "image": (
        "harness.targets.image_command",
        "[--kafka VERSION] [--reference] [--anchor]   build local container images",
    ),
}
"""Command → (module whose `main(arguments)` does it, how it is called). Imported when called: each needs others."""


def usage() -> str:
    """The commands, and an example."""
    rows = [f"  {name:<10} {text}" for name, (_, text) in COMMANDS.items()]
    return "\n".join(
        [f"usage: {as_typed('harness COMMAND')} …", *rows, f"example: {as_typed('harness judge reports/out/latest')}"]
    )


def main(arguments: list[str]) -> int:
    """The command's exit status; 2 when there is no such command."""
    if not arguments or arguments[0] in ("-h", "--help"):
        print(usage())
        return 0 if arguments else WRONG_INPUT
    name, *rest = arguments
    if name not in COMMANDS:
        print(f"harness: unknown command {name!r} (known: {', '.join(COMMANDS)})", file=sys.stderr)
        return WRONG_INPUT
    module = COMMANDS[name][0]
    try:
        command = import_module(module)
    except ModuleNotFoundError as missing:
        print(f"harness: {name}: the package {missing.name} is not installed", file=sys.stderr)
        return WRONG_INPUT
    return int(command.main(rest))


if __name__ == "__main__":
    sys.exit(run("harness", lambda: main(sys.argv[1:])))
