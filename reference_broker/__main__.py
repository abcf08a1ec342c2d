"""The broker's command line: `start`, `container`, `storage`, `dev`."""

from __future__ import annotations

import argparse
import os
import random
import sys

from reference_broker import command_line

EXAMPLES = """examples:
  {broker} dev --port 0 --profile 4.1
  {broker} storage format -t $({broker} storage random-uuid) -c server.properties
  {broker} start server.properties --override log.retention.ms=60000"""
MOST_NODES = 9
MAX_PORT = 65_535
LEVELS = ("TRACE", "DEBUG", "INFO", "WARN", "ERROR")


def complain(text: str) -> None:
    """One line to stderr."""
    command_line.complain("reference_broker", text)


def parser() -> argparse.ArgumentParser:
    """The command line."""
    name = command_line.as_typed("reference_broker")
    top = command_line.Parser(
        prog=name,
        description="A Kafka broker in Python.",
        epilog=EXAMPLES.format(broker=name),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = top.add_subparsers(
        dest="command", required=True, metavar="start|container|storage|dev", parser_class=command_line.Parser
    )
    start = commands.add_parser("start", help="run a node on formatted folders, until SIGTERM")
    start.add_argument("file", metavar="FILE", help="Kafka's server.properties")
    start.add_argument(
        "--link-filter", metavar="FILE", help="cut off the nodes that it lists; read at the start and on SIGUSR1"
    )
    container = commands.add_parser(
        "container", help="run a node as Kafka's images do: settings from KAFKA_* variables, formatted for CLUSTER_ID"
    )
    dev = commands.add_parser("dev", help="run nodes on a temporary folder, which goes with them")
    dev.add_argument("--port", type=_port, default=9092, help="for clients; 0 picks a free one (default 9092)")
    dev.add_argument("--nodes", type=_nodes, default=1, help="how many nodes, 1 to 9 (default 1)")
    for command in (start, dev, container):
        command.add_argument("--override", action="append", default=[], metavar="KEY=VALUE", help="repeatable")
        command.add_argument("--profile", default="4.3", help="answer as this release does: 4.0 to 4.4 (default 4.3)")
        command.add_argument("--log-level", choices=LEVELS, default="WARN" if command is dev else "INFO")
        command.add_argument("--log-requests", action="store_true", help="print each request and response, decoded")
    commands.add_parser("storage", help="random-uuid, format or info; see storage --help", add_help=False)
    return top


def _port(text: str) -> int:
    if not text.isdigit() or int(text) > MAX_PORT:
        raise argparse.ArgumentTypeError(f"{text} is no port: give 0 to {MAX_PORT}")
    return int(text)


def _nodes(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= MOST_NODES:
        raise argparse.ArgumentTypeError(f"{text} is no number of nodes: give 1 to {MOST_NODES}")
    return int(text)


def main(arguments: list[str]) -> int:
    """The exit status."""
    # Imported when called for: `storage` needs no server, and a wrong command line needs nothing.
    if arguments[:1] == ["storage"]:
        from reference_broker.server.clock import now
        from reference_broker.server.disk import OsDisk
        from reference_broker.storage import run

        chance = random.Random(os.urandom(16))
        return run(arguments[1:], disk=OsDisk(), random=chance, now_ms=now().wall_ms, say=print, complain=complain)
    given = parser().parse_args(arguments)
    from reference_broker.releases import RELEASES, find_release
    from reference_broker.server.dev import dev
    from reference_broker.server.main import Options, start

    release = find_release(given.profile)
    if release is None:
        complain(f"--profile {given.profile}: no such profile (known: {', '.join(RELEASES)})")
        return command_line.WRONG_INPUT
    options = Options(
        overrides=given.override,
        log_level=given.log_level,
        log_requests=given.log_requests,
        link_filter=getattr(given, "link_filter", None),
        release=release,
    )
    if given.command == "dev":
        if given.port and given.port + given.nodes - 1 > MAX_PORT:
            complain(f"--port {given.port}: node n is at port {given.port} + n - 1, and no port is above {MAX_PORT}")
            return command_line.WRONG_INPUT
        return dev(given.nodes, given.port, options, lambda text: print(text, flush=True), complain)
    if given.command == "container":
        from reference_broker.server.container import run as run_container

        return run_container(os.environ, options, lambda text: print(text, flush=True), complain)
    return start(given.file, options, complain)


if __name__ == "__main__":
    sys.exit(command_line.run("reference_broker", lambda: main(sys.argv[1:])))
