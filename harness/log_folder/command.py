"""`python -m harness log`: what stands in a log folder of Kafka's format."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec

from harness.log_folder.folder import NoLogFolder, read_folder
from harness.log_folder.text import folder_lines
from reference_broker.command_line import FAILED, WRONG_INPUT, Parser, as_typed, complain


def main(arguments: list[str], say: Callable[[str], None] = print) -> int:
    """Exit status: 0 if all can be read, 1 if something is damaged, 2 for wrong input."""
    parser = Parser(
        prog=as_typed("harness log"),
        description="Reads a log folder (log.dirs) of Apache Kafka or of the reference broker from the disk, without a "
        "broker: partitions, segments, batches, leader epochs, producers, transactions, and what is damaged. It "
        "changes nothing; the folder may be in use.",
        epilog=f"example: {as_typed('harness log /var/lib/kafka/data --partition orders-0')}",
    )
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="a folder of log.dirs, or one of a partition in it")
    parser.add_argument(
        "--partition", metavar="TOPIC-NUMBER", help="all of one partition, its records looked into, too"
    )
    parser.add_argument("--json", action="store_true", help="the same as a JSON document")
    try:
        options = parser.parse_args(arguments)
    except SystemExit as leaving:
        return WRONG_INPUT if leaving.code else 0
    try:
        found = read_folder(options.folder, options.partition)
    except NoLogFolder as trouble:
        complain("harness: log", str(trouble))
        return WRONG_INPUT
    if options.json:
        say(msgspec.json.format(msgspec.json.encode(found), indent=2).decode())
    else:
        is_detailed = options.partition is not None or len(found.partitions) == 1
        for line in folder_lines(found, is_detailed=is_detailed):
            say(line)
    return FAILED if any(found.all_damages) else 0
