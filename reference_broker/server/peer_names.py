"""The client ids by which nodes know each other's connections: those of Kafka, so that mixed clusters are no exception.

Source: the client ids that Kafka 4.3 gives its raft client, its replica fetchers and its channels to the controller.
"""

from __future__ import annotations

import re
from typing import Final

RAFT: Final = "raft"
"""The channels of the metadata quorum begin with this word: raft, raft-fetch."""
CONTROLLER: Final = "controller"
"""Those to the active controller begin with this one: controller-heartbeat, controller-forwarding, …"""
BROKERS: Final = r"(?:fetcher-\d+|txn-marker-sender|add-partitions-txn)"
"""Those between brokers."""
_PEER: Final = re.compile(rf"raft-client-(\d+)|broker-(\d+)-{BROKERS}")
_CONTROLLER_PEER: Final = re.compile(r"\d+")
_CLIENT_ID_AT: Final = 12
"""Where the client id begins in a request: after its size, key, version and correlation id."""


def client_id(node_id: int, channel: str) -> str:
    """The client id of a node's own connections for a channel."""
    if channel.startswith(RAFT):
        return f"raft-client-{node_id}"
    if channel.startswith(CONTROLLER):
        return str(node_id)
    return f"broker-{node_id}-{channel}"


def node_id(client_id: str, *, is_controller_listener: bool) -> int | None:
    """The node whose connection has this client id; None for a client's.

    A bare number names a node only on a controller's listener, where no producer or consumer comes.
    """
    if is_controller_listener and _CONTROLLER_PEER.fullmatch(client_id):
        return int(client_id)
    found = _PEER.fullmatch(client_id)
    return int(found[1] or found[2]) if found else None


def first_client_id(data: bytes) -> str | None:
    """The client id in the first bytes of a connection; None where they hold none."""
    start = _CLIENT_ID_AT + 2
    size = int.from_bytes(data[_CLIENT_ID_AT:start], "big", signed=True) if len(data) >= start else -1
    if size < 0 or len(data) < start + size:
        return None
    return data[start : start + size].decode("utf-8", "replace")
