"""The command `python -m harness image`: builds local Docker images."""

from __future__ import annotations

import sys

from harness.targets.images import build_anchor, build_kafka, connect
from harness.targets.reference_image import build_reference
from harness.targets.target import TargetTrouble, UnknownTarget
from reference_broker.command_line import Parser, as_typed

_DEFAULT_VERSION = "4.3.1"


def main(arguments: list[str]) -> int:
    """`python -m harness image`: builds images; the exit status."""
    parser = Parser(
        prog=as_typed("harness image"),
        description="Builds local Docker images: by default the anchor, Kafka "
        + _DEFAULT_VERSION
        + " and the reference.",
        epilog=f"example: {as_typed('harness image --kafka 4.2.1')}, "
        f"then {as_typed('pytest checks/ --target docker@local/kafka:4.2.1')}",
    )
    parser.add_argument("--kafka", action="append", metavar="VERSION", help="the image of a release (repeatable)")
    parser.add_argument("--reference", action="store_true", help="the image of the reference broker")
    parser.add_argument("--anchor", action="store_true", help="the anchor's image, which every docker@ target needs")
    chosen = parser.parse_args(arguments)
    is_default = not (chosen.kafka or chosen.reference or chosen.anchor)
    versions: list[str] = [_DEFAULT_VERSION] if is_default else chosen.kafka or []
    try:
        client = connect()
        build_anchor(client)
        for version in versions:
            print(f"ready   --target docker@{build_kafka(client, version)}")
        if is_default or chosen.reference:
            print(f"ready   --target docker@{build_reference(client)}")
    except (TargetTrouble, UnknownTarget) as trouble:
        print(f"harness: {trouble}", file=sys.stderr)
        return 2
    return 0
