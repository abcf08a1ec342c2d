"""The target `docker@IMAGE`: an image of Apache Kafka, as published or built by `make image`.

Configured by the image's own contract: KAFKA_* variables and CLUSTER_ID. Clients come in by a published port; Kafka
listens on the very port that it advertises, so the address is right inside the container and out.
"""

from __future__ import annotations

import atexit
import contextlib
import threading
import uuid
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from harness.hosts.identity import is_dead, own_identity, parse
from harness.hosts.ssh import SshHost, new_key, public_line
from harness.targets import broker_properties, images
from harness.targets.cluster_view import ClusterView
from harness.targets.container_node import ContainerNode, Pair
from harness.targets.health import HEALTHY_WITHIN_S, wait_until_healthy
from harness.targets.looking import look_at
from harness.targets.ports import free_ports
from harness.targets.target import PROCESS_FAULTS, REQUEST_FAULTS, ClusterSpec, TargetTrouble

LABEL = "kafka-verification"
"""On every container and network that we make, with the run's id."""
OWNER_LABEL = "kafka-verification.owner"
"""Beside it: the process that made it."""
_DATA = "/var/lib/kafka/data"
_CONTROLLER_PORT = 9093
_SSH_TIMEOUT_S = 30.0
_PORT_TRIES = 3
_PORT_TAKEN = ("port is already allocated", "address already in use")


def variable_of(key: str) -> str:
    """The KAFKA_* variable that an image reads as a setting: '_' doubled, '-' tripled, '.' as '_'."""
    return "KAFKA_" + key.replace("_", "__").replace("-", "___").replace(".", "_").upper()


def environment_of(settings: Mapping[str, str], cluster_id: str) -> dict[str, str]:
    """The environment that gives an image these settings."""
    return {
        "CLUSTER_ID": cluster_id,
        "KAFKA_HEAP_OPTS": "-Xmx512m",
        "KAFKA_JVM_PERFORMANCE_OPTS": "-XX:+UseSerialGC -XX:TieredStopAtLevel=1",
        **{variable_of(key): value for key, value in settings.items()},
    }


def docker_host_address(base_url: str) -> str:
    """Where the daemon's published ports are reached: its own host when that is another machine, else loopback."""
    parts = urlsplit(base_url)
    is_remote = parts.scheme in ("tcp", "http", "https", "ssh") and parts.hostname not in (None, "localhost")
    return str(parts.hostname) if is_remote and "docker" not in str(parts.hostname) else "127.0.0.1"


class ContainerCluster:
    """One pair of containers on a network of its own (Cluster)."""

    def __init__(self, node: ContainerNode, network: Any, run: str, version: str) -> None:
        self.run = run
        """The value of LABEL on what it is made of."""
        self._node = node
        self._network = network
        self._version = version
        self._final_logs: dict[str, str] | None = None
        self._is_removed = False
        self._lock = threading.Lock()
        atexit.register(self.close)

    @property
    def bootstrap(self) -> str:
        """host:port for clients."""
        host, port = self._node.address
        return f"{host}:{port}"

    @property
    def nodes(self) -> tuple[ContainerNode, ...]:
        """The node."""
        return (self._node,)

    @property
    def client_addresses(self) -> tuple[str, ...]:
        """None are known."""
        return ()

    def version(self) -> str:
        """The image's tag, which is the release in published images."""
        return self._version

    def view(self, topics: Sequence[str] | None = None, groups: Sequence[str] = ()) -> ClusterView:
        """What it looks like now, from outside. TargetTrouble when no broker says."""
        return look_at(self.bootstrap, [self._node.id], topics, groups)

    def wait_healthy(self, timeout_s: float = HEALTHY_WITHIN_S) -> None:
        """Waits until nothing ails it. TargetTrouble, with what does, when it takes too long."""
        wait_until_healthy(self.view, [self._node.id], timeout_s)

    def supports(self, fault: str) -> bool:
        """Whether a fault can be brought about here."""
        return fault in (*PROCESS_FAULTS, *REQUEST_FAULTS)

    def logs(self) -> Mapping[str, str]:
        """The node's log by a file name; kept after close."""
        return self._final_logs or {f"node-{self._node.id}.log": self._node.log_text()}

    def close(self) -> None:
        """Removes the containers, their volumes and the network; the log stays readable."""
        with self._lock:
            if self._final_logs is None:
                try:
                    self._final_logs = dict(self.logs())
                except Exception as trouble:
                    self._final_logs = {f"node-{self._node.id}.log": f"(not to be had: {trouble})"}
            if not self._is_removed:  # an interrupted close goes on where it was
                self._node.remove()
                _remove_network(self._network)
                self._is_removed = True
                atexit.unregister(self.close)


class KafkaContainerTarget:
    """Apache Kafka in containers (Target)."""

    def __init__(self, name: str, image: str) -> None:
        self._name = name
        self._image = image

    @property
    def name(self) -> str:
        """As given by `--target`."""
        return self._name

    def missing(self, spec: ClusterSpec | None = None) -> str | None:
        """Why it cannot be used here, and what would help; pulls the image when it is not on this machine."""
        if spec is not None and spec.nodes != 1:
            return f"{self.name}: clusters of {spec.nodes} nodes are not offered yet"
        if spec is not None and spec.small_disk_mb:
            return f"{self.name}: no hand on the disks inside a container"
        try:
            client = images.connect()
        except TargetTrouble as trouble:
            return f"{self.name}: {trouble}"
        if not images.has(client, images.ANCHOR):
            return f"{self.name}: the anchor's image {images.ANCHOR} is not built: make image"
        if not images.has(client, self._image) and (reason := _pull(client, self._image)) is not None:
            return f"{self.name}: {reason}"
        return None

    def supports(self, fault: str) -> bool:
        """Whether a fault can be brought about on its clusters."""
        return fault in (*PROCESS_FAULTS, *REQUEST_FAULTS)

    def open(self, spec: ClusterSpec) -> ContainerCluster:
        """A ready cluster. TargetTrouble when it does not come up, with what its log said."""
        if (reason := self.missing(spec)) is not None:
            raise TargetTrouble(reason)
        client = images.connect()
        sweep(client)
        for attempt in range(_PORT_TRIES):
            try:
                return self._open_once(client, spec)
            except TargetTrouble as trouble:
                # Between our look and Docker's bind another process may have taken the port.
                if attempt == _PORT_TRIES - 1 or not any(sign in str(trouble) for sign in _PORT_TAKEN):
                    raise
        raise AssertionError("unreachable: the last attempt returns or raises")

    def _open_once(self, client: Any, spec: ClusterSpec) -> ContainerCluster:
        run = uuid.uuid4().hex[:8]
        network = client.networks.create(f"{LABEL}-{run}", labels=_labels(run))
        try:
            node = self._create_node(client, run, network, spec)
        except BaseException:
            _remove_labelled(client, run)
            _remove_network(network)
            raise
        cluster = ContainerCluster(node, network, run, self._image.rpartition(":")[2] or "latest")
        try:
            node.start()
            node.wait_ready()
        except BaseException:
            cluster.close()
            raise
        return cluster

    def _create_node(self, client: Any, run: str, network: Any, spec: ClusterSpec) -> ContainerNode:
        """The anchor, running and reached, and the Kafka container, created."""
        import docker

        name, labels = f"{LABEL}-{run}-1", _labels(run)
        key, address = new_key(), docker_host_address(client.api.base_url)
        port, ssh_port = free_ports(2)
        published = "127.0.0.1" if address == "127.0.0.1" else "0.0.0.0"
        try:
            anchor = client.containers.run(
                images.ANCHOR,
                name=f"{name}-anchor",
                hostname="node-1",
                labels=labels,
                detach=True,
                init=True,
                cap_add=["NET_ADMIN"],
                network=network.name,
                environment={"AUTHORIZED_KEY": public_line(key)},
                ports={"22/tcp": (published, ssh_port), f"{port}/tcp": (published, port)},
            )
            ssh = SshHost(
                f"{name}-anchor",
                address=address,
                port=ssh_port,
                user="root",
                key=key,
                host_key=lambda: _host_key_of(anchor),
            )
            ssh.connect(_SSH_TIMEOUT_S)
            kafka = client.containers.create(
                self._image,
                name=f"{name}-kafka",
                labels=labels,
                network_mode=f"container:{anchor.id}",
                pid_mode=f"container:{anchor.id}",
                environment=environment_of(_settings(address, port, spec.config), broker_properties.new_cluster_id()),
            )
        except docker.errors.DockerException as trouble:
            raise TargetTrouble(f"{self.name}: Docker: {trouble}") from trouble
        return ContainerNode(self.name, node_id=1, address=(address, port), pair=Pair(anchor, kafka, ssh))


def _settings(address: str, port: int, overrides: Mapping[str, str]) -> dict[str, str]:
    return {
        **broker_properties.BASE,
        "node.id": "1",
        "listeners": f"PLAINTEXT://0.0.0.0:{port},CONTROLLER://127.0.0.1:{_CONTROLLER_PORT}",
        "advertised.listeners": f"PLAINTEXT://{address}:{port}",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "controller.quorum.voters": f"1@127.0.0.1:{_CONTROLLER_PORT}",
        "log.dirs": _DATA,
        **overrides,
    }


def _host_key_of(anchor: Any) -> str:
    """The public host key of an anchor's sshd, told by Docker."""
    status, output = anchor.exec_run(["cat", "/etc/ssh/ssh_host_ed25519_key.pub"])
    if status:
        raise TargetTrouble(f"{anchor.name}: its sshd has no host key")
    return str(output.decode())


def _pull(client: Any, image: str) -> str | None:
    """Pulls an image; why it could not be, or None."""
    import docker
    import requests

    repository, colon, tag = image.rpartition(":")
    if not colon or "/" in tag:
        repository, tag = image, "latest"
    try:
        client.images.pull(repository, tag=tag)
    except (docker.errors.DockerException, requests.RequestException) as trouble:
        return f"the image {image} is not on this machine and cannot be pulled ({trouble}); `make image` builds one"
    return None


def sweep(client: Any) -> tuple[str, ...]:
    """Removes the containers and networks that crashed runs have left; the runs' ids."""
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
        _remove_labelled(client, run)
        for network in client.networks.list(filters={"label": f"{LABEL}={run}"}):
            _remove_network(network)
    return tuple(sorted(dead))


def _labels(run: str) -> dict[str, str]:
    return {LABEL: run, OWNER_LABEL: own_identity().text()}


def _remove_labelled(client: Any, run: str) -> None:
    for container in client.containers.list(all=True, filters={"label": f"{LABEL}={run}"}):
        with contextlib.suppress(Exception):  # the trouble that brought us here is the one to tell
            container.remove(force=True, v=True)


def _remove_network(network: Any) -> None:
    import docker

    with contextlib.suppress(docker.errors.DockerException):
        network.remove()
