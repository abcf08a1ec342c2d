"""The server.properties of a node under check: one file that starts the reference and Apache Kafka alike.

The settings are the same on every target, so that they cause no differences. Voters are fixed
(controller.quorum.voters) unless a check asks for dynamic ones, because Apache Kafka's images have fixed voters and
clients can see the difference.
"""

from __future__ import annotations

import base64
import uuid
from collections.abc import Mapping
from pathlib import Path

BASE: Mapping[str, str] = {
    "process.roles": "broker,controller",
    "controller.listener.names": "CONTROLLER",
    "offsets.topic.replication.factor": "1",
    "offsets.topic.num.partitions": "4",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "transaction.state.log.num.partitions": "4",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "share.coordinator.state.topic.num.partitions": "4",
    # Groups form at once: the wait for late members (default 3 s) is asked for by the checks that are about it.
    "group.initial.rebalance.delay.ms": "0",
    # A killed node may register again only when its former self has timed out (default 9 s, a tenth of a check).
    "broker.session.timeout.ms": "3000",
    "broker.heartbeat.interval.ms": "500",
    # A retention or expiry that a check waits for should not wait for the default five minutes of the cleaner's turn.
    "log.retention.check.interval.ms": "1000",
    "log.initial.task.delay.ms": "500",
}
"""Settings of every node, beside its listeners, its id and its folder."""


def for_one_node(
    *,
    node_id: int,
    port: int,
    controller_port: int,
    log_dir: Path,
    overrides: Mapping[str, str],
    has_fixed_voters: bool = True,
) -> dict[str, str]:
    """All settings of a combined broker and controller on this machine."""
    controller = f"127.0.0.1:{controller_port}"
    quorum = ("controller.quorum.bootstrap.servers", controller)
    if has_fixed_voters:
        quorum = ("controller.quorum.voters", f"{node_id}@{controller}")
    return {
        **BASE,
        "node.id": str(node_id),
        "listeners": f"PLAINTEXT://127.0.0.1:{port},CONTROLLER://{controller}",
        "advertised.listeners": f"PLAINTEXT://127.0.0.1:{port}",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        quorum[0]: quorum[1],
        "log.dirs": str(log_dir),
        **overrides,
    }


def text_of(settings: Mapping[str, str]) -> str:
    """The settings as a properties file, escaped as java.util.Properties reads it."""
    return "".join(f"{key}={_escaped(value)}\n" for key, value in settings.items())


def _escaped(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r")
    return "\\" + escaped if escaped.startswith(" ") else escaped


def new_id() -> str:
    """A random id of a cluster or a folder in Kafka's form: 16 bytes as 22 characters, without a dash in front, which
    would be an option to tools."""
    while True:
        text = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        if not text.startswith("-"):
            return text
