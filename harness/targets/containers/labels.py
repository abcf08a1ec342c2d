"""What marks the containers and networks of a run, and the removal of those that a killed run has left."""

from __future__ import annotations

import contextlib
from typing import Any
from urllib.parse import urlsplit

from harness.hosts.identity import is_dead, own_identity, parse

LABEL = "kafka-verification"
"""On every container and network that we make, with the run's id."""
OWNER_LABEL = "kafka-verification.owner"
"""Beside it: the process that made it."""


def labels_of(run: str) -> dict[str, str]:
    """The labels of what belongs to a run, made by this process."""
    return {LABEL: run, OWNER_LABEL: own_identity().text()}


def docker_host_address(base_url: str) -> str:
    """Where the daemon's published ports are reached: its own host when that is another machine, else loopback."""
    parts = urlsplit(base_url)
    is_remote = parts.scheme in ("tcp", "http", "https", "ssh") and parts.hostname not in (None, "localhost")
    return str(parts.hostname) if is_remote and "docker" not in str(parts.hostname) else "127.0.0.1"


def sweep(client: Any) -> tuple[str, ...]:
    """Removes the containers and networks that killed runs have left; the runs' ids."""
    is_local = docker_host_address(client.api.base_url) == "127.0.0.1"
    found: list[Any] = client.containers.list(all=True, filters={"label": OWNER_LABEL}, ignore_removed=True)
    labels = [container.labels for container in found]
    networks: list[Any] = client.networks.list(filters={"label": OWNER_LABEL})
    labels += [network.attrs.get("Labels") or {} for network in networks]
    dead = set()
    for label in labels:
        owner = parse(label.get(OWNER_LABEL, ""))
        if owner is not None and is_dead(owner, is_of_this_machine=is_local):
            dead.add(label.get(LABEL, ""))
    for run in dead:
        remove_run(client, run)
    return tuple(sorted(dead))


def remove_run(client: Any, run: str) -> None:
    """Removes all of a run, as much as there is: its containers with their volumes, then its network."""
    for container in client.containers.list(all=True, filters={"label": f"{LABEL}={run}"}, ignore_removed=True):
        with contextlib.suppress(Exception):  # another run's sweep was faster, or a trouble before this is to be told
            container.remove(force=True, v=True)
    for network in client.networks.list(filters={"label": f"{LABEL}={run}"}):
        remove_network(network)


def remove_network(network: Any) -> None:
    """Removes a network that no container uses any more; nothing happens when it is gone."""
    import docker

    with contextlib.suppress(docker.errors.DockerException):
        network.remove()
