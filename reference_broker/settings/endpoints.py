"""Listeners and controllers as settings write them: NAME://HOST:PORT, ID@HOST:PORT, HOST:PORT.

ConfigInvalid, in Kafka's words, for what cannot be read. Source: Kafka documentation, "Broker Configs": listeners,
listener.security.protocol.map, controller.quorum.voters and controller.quorum.bootstrap.servers.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from reference_broker.settings.validators import ConfigInvalid

PROTOCOLS: Final = ("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL")
PROTOCOL_NUMBERS: Final = {name: number for number, name in enumerate(PROTOCOLS)}
_ENDPOINT: Final = re.compile(
    r"(?P<name>[^:/]+)://(?:\[(?P<v6>[0-9a-fA-F:.%]+)\]|(?P<host>[^:/\[\]]*)):(?P<port>-?\d+)"
)
_ADDRESS: Final = re.compile(r"(?P<host>\[[^\]]+\]|[^:]+):(?P<port>\d+)")
_VOTER: Final = re.compile(rf"(?P<id>\d+)@{_ADDRESS.pattern}")
MAX_PORT: Final = 65_535
BOOTSTRAP_CONTROLLERS: Final = "controller.quorum.bootstrap.servers"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A listener and where it is: `protocol` is a security protocol's name; an empty host is every address."""

    listener: str
    host: str
    port: int
    protocol: str = "PLAINTEXT"


@dataclass(frozen=True, slots=True)
class Voter:
    """A controller of a static quorum (controller.quorum.voters)."""

    id: int
    host: str
    port: int


def read_protocols(text: str) -> dict[str, str]:
    """listener.security.protocol.map: listener → security protocol, both in capitals."""
    pairs = {}
    for pair in text.split(","):
        name, separator, protocol = pair.strip().rpartition(":")
        if not separator or protocol.upper() not in PROTOCOLS:
            raise ConfigInvalid.value(
                "listener.security.protocol.map", pair, f"No security protocol {protocol}; one of {PROTOCOLS}"
            )
        pairs[name.upper()] = protocol.upper()
    return pairs


def read_endpoints(name: str, texts: Sequence[str], protocols: dict[str, str]) -> tuple[Endpoint, ...]:
    """The listeners of a setting. No two have one name; of `listeners`, no two one port."""
    endpoints = []
    for text in texts:
        match = _ENDPOINT.fullmatch(text)
        if match is None:
            raise ConfigInvalid.value(name, text, f"Unable to parse {text} to a broker endpoint")
        listener = match["name"].upper()
        if listener not in protocols:
            raise ConfigInvalid(
                f"Error creating broker listeners from '{','.join(texts)}': "
                f"No security protocol defined for listener {listener}"
            )
        port = _port(name, text, match["port"])
        endpoints.append(Endpoint(listener, match["v6"] or match["host"] or "", port, protocols[listener]))
    for what, seen in (
        ("Each listener must have a different name", [one.listener for one in endpoints]),
        ("Each listener must have a different port", [(one.host, one.port) for one in endpoints if one.port > 0]),
    ):
        is_listening = name == "listeners" or what.endswith("name")
        if is_listening and len(dict.fromkeys(seen)) != len(seen):
            raise ConfigInvalid(f"{what}, {name}: {','.join(texts)}")
    return tuple(endpoints)


def read_voters(texts: Sequence[str]) -> tuple[Voter, ...]:
    """controller.quorum.voters."""
    voters = []
    for text in texts:
        match = _VOTER.fullmatch(text)
        if match is None:
            raise ConfigInvalid.value(
                "controller.quorum.voters", text, "Each voter should be specified in the format {id}@{host}:{port}"
            )
        port = _port("controller.quorum.voters", text, match["port"])
        voters.append(Voter(int(match["id"]), match["host"].strip("[]"), port))
    return tuple(voters)


def read_bootstrap_controllers(texts: Sequence[str]) -> tuple[tuple[str, int], ...]:
    """controller.quorum.bootstrap.servers, as (host, port)."""
    servers = []
    for text in texts:
        match = _ADDRESS.fullmatch(text)
        if match is None:
            raise ConfigInvalid.value(BOOTSTRAP_CONTROLLERS, text, "Each server should be given as {host}:{port}")
        servers.append((match["host"].strip("[]"), _port(BOOTSTRAP_CONTROLLERS, text, match["port"])))
    return tuple(servers)


def _port(name: str, address: str, port: str) -> int:
    """A port; ConfigInvalid where there is none such. Java cannot make an address of it, and Kafka does not start."""
    if int(port) > MAX_PORT:
        raise ConfigInvalid.value(name, address, f"port out of range: {port}")
    return int(port)
