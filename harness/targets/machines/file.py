"""The file of `ssh:FILE.toml`: on which machines a cluster's nodes run, and how each is reached, started and stopped.

A setting stands at the top, for all nodes, or in a node's table, for that one; the harness's README has an
example. Paths are relative to the file. Reading is pure; `read` adds the file system.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.targets.node_plan import CLIENTS, CONTROLLER, NodePlan, Role

PROCESS = "kafka[.]Kafka( |$)"
"""The command line of a broker, for pgrep; the brackets keep it from matching the search itself."""
_SHARED = {
    "user": str,
    "key": str,
    "known_hosts": str,
    "ssh_port": int,
    "sudo": bool,
    "start": str,
    "stop": str,
    "process": str,
    "log": str,
    "log_dirs": list,
    "ports": dict,
    "roles": list,
}
_OF_NODES = {**_SHARED, "id": int, "host": str, "host_key": str, "address": str, "internal_address": str, "rack": str}
_AT_TOP = {**_SHARED, "version": str, "nodes": list}
_NEEDED = ("id", "host", "user", "key", "start", "stop", "ports")
_HIGHEST_PORT = 65_535
_WORDS = {str: "a text", int: "a whole number", bool: "true or false", list: "a list", dict: "a table"}


class BadFile(ValueError):
    """What is wrong with the file, and where, as one line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """One node, and how to get at it."""

    id: int
    """Its node.id."""
    host: str
    """Where its sshd is reached."""
    ssh_port: int
    user: str
    key: Path
    """The private key that lets us in."""
    known_hosts: Path | None
    host_key: str | None
    """ "type base64": instead of known_hosts."""
    is_sudo: bool
    """Whether commands need `sudo -n`; packet rules and signals need root."""
    start: str
    """A shell command that starts the broker and returns; it must take its output elsewhere."""
    stop: str
    process: str
    """What its command line is found by (pgrep -f)."""
    log: str | None
    """Its log file."""
    log_dirs: tuple[str, ...]
    """The entries of its log.dirs; with none, replicas are not compared."""
    address: str
    """Where clients reach it."""
    internal_address: str
    """Where its peers reach it, and from which its packets come."""
    ports: Mapping[str, int]
    """Listener → port."""
    roles: tuple[Role, ...]
    rack: str | None

    def plan(self) -> NodePlan:
        """Who it is and where it listens."""
        return NodePlan(
            id=self.id,
            roles=self.roles,
            host=self.internal_address,
            ports=self.ports,
            log_dirs=self.log_dirs,
            rack=self.rack,
            clients_host=self.address,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class MachinesFile:
    """What the file says."""

    version: str
    machines: tuple[Machine, ...]


def read(path: Path) -> MachinesFile:
    """What a file says. BadFile when it does not exist, is no TOML, or lacks something; also when a key is not
    there."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as trouble:
        raise BadFile(f"{path}: cannot be read: {getattr(trouble, 'strerror', None) or trouble}") from None
    found = parse(text, path)
    for machine in found.machines:
        for what, file in (("key", machine.key), ("known_hosts", machine.known_hosts)):
            if file is not None and not file.is_file():
                raise BadFile(f"{path}: node {machine.id}: {what}: no such file: {file}")
    return found


def parse(text: str, path: Path) -> MachinesFile:
    """The same from the text of the file; pure."""
    try:
        found = tomllib.loads(text)
    except tomllib.TOMLDecodeError as trouble:
        raise BadFile(f"{path}: no TOML: {trouble}") from None
    _require_types(found, _AT_TOP, str(path))
    tables = found.get("nodes", [])
    if not tables or not all(isinstance(table, dict) for table in tables):
        raise BadFile(f"{path}: no nodes; write a table [[nodes]] with id and host for each")
    shared = {name: value for name, value in found.items() if name in _SHARED}
    machines: list[Machine] = []
    for number, table in enumerate(tables, 1):
        where = f"{path}: node {table.get('id', f'number {number}')}"
        _require_types(table, _OF_NODES, where)
        machines.append(_machine({**shared, **table}, path.parent, where))
    ids = [machine.id for machine in machines]
    if twice := sorted({one for one in ids if ids.count(one) > 1}):
        raise BadFile(f"{path}: node {twice[0]} is listed twice")
    if not any(Role.BROKER in machine.roles for machine in machines):
        raise BadFile(f"{path}: no node has the role of a broker")
    return MachinesFile(version=found.get("version", "unknown"), machines=tuple(machines))


def _require_types(table: Mapping[str, Any], known: Mapping[str, type], where: str) -> None:
    for name, value in table.items():
        if name not in known:
            raise BadFile(f"{where}: unknown setting {name!r} (known: {', '.join(sorted(known))})")
        if type(value) is not known[name]:
            raise BadFile(f"{where}: {name} must be {_WORDS[known[name]]}")


def _machine(table: Mapping[str, Any], folder: Path, where: str) -> Machine:
    if absent := [name for name in _NEEDED if name not in table]:
        raise BadFile(f"{where}: {absent[0]} is missing")
    if "known_hosts" not in table and "host_key" not in table:
        raise BadFile(f"{where}: known_hosts or host_key is missing (the key of an unknown host is never accepted)")
    roles = _roles(table.get("roles", ["broker", "controller"]), where)
    ports = _ports(table["ports"], roles, where)
    known = table.get("known_hosts")
    return Machine(
        id=table["id"],
        host=table["host"],
        ssh_port=table.get("ssh_port", 22),
        user=table["user"],
        key=_path(table["key"], folder),
        known_hosts=None if known is None or "host_key" in table else _path(known, folder),
        host_key=table.get("host_key"),
        is_sudo=table.get("sudo", False),
        start=table["start"],
        stop=table["stop"],
        process=table.get("process", PROCESS),
        log=table.get("log"),
        log_dirs=tuple(map(str, table.get("log_dirs", ()))),
        address=table.get("address", table["host"]),
        internal_address=table.get("internal_address", table["host"]),
        ports=ports,
        roles=roles,
        rack=table.get("rack"),
    )


def _roles(names: list[Any], where: str) -> tuple[Role, ...]:
    known = [str(role) for role in Role]
    if not names or any(name not in known for name in names):
        raise BadFile(f"{where}: roles must be a list of {' and '.join(known)}")
    return tuple(Role(name) for name in names)


def _ports(ports: Mapping[str, Any], roles: tuple[Role, ...], where: str) -> dict[str, int]:
    for name, port in ports.items():
        if type(port) is not int or not 0 < port <= _HIGHEST_PORT:
            raise BadFile(f"{where}: the port of {name} must be from 1 to {_HIGHEST_PORT}")
    wanted = CLIENTS if Role.BROKER in roles else CONTROLLER
    if wanted not in ports:
        raise BadFile(f"{where}: ports must name a port for {wanted} (for instance ports = {{ {wanted} = 9092 }})")
    return dict(ports)


def _path(text: str, folder: Path) -> Path:
    return folder / Path(text).expanduser()
