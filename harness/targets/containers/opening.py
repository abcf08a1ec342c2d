"""Opens clusters of containers: a pair for each node, on a network of the run with fixed addresses.

Nodes reach each other by those addresses. So do clients where this machine is on the network itself; elsewhere (Docker
Desktop, a daemon on another machine) they come in by published ports, and Kafka listens on the very port that it tells.
"""

from __future__ import annotations

import ipaddress
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from harness.hosts.addresses import free_network, is_own_address
from harness.hosts.at_once import at_once
from harness.hosts.ssh import SshHost, new_key, public_line
from harness.targets import broker_properties, images
from harness.targets.containers.cluster import ContainerCluster
from harness.targets.containers.labels import LABEL, docker_host_address, labels_of, remove_run
from harness.targets.containers.node import ContainerNode, Pair
from harness.targets.node_plan import CLIENTS, NodePlan, listeners_of, node_roles, settings_of
from harness.targets.ports import free_ports
from harness.targets.target import ClusterSpec, TargetTrouble

FIRST_PORT = 9092
"""Of a node's listeners; the others count on from there."""
DATA = "/var/lib/kafka/data"
_SSH_PORT = 22
_SSH_TIMEOUT_S = 30.0
_LOOPBACK = "127.0.0.1"
_NETWORK_TRIES = 5
_READY_S, _READY_S_PER_NODE = 60.0, 30.0
"""How long nodes may take to their first answers; they start at the same time, on as few cores as there are."""
_GATEWAY = 1
"""Of a network's addresses, the one from which this machine's packets come."""


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


def container_plans(
    spec: ClusterSpec, addresses: ipaddress.IPv4Network, published_at: str | None, free: Callable[[int], list[int]]
) -> tuple[NodePlan, ...]:
    """The nodes of a cluster of containers; pure but for `free`, which gives ports of this machine.

    `published_at` is where the published ports of brokers are reached; None where clients use the nodes' addresses.
    """
    chosen = node_roles(spec.nodes, spec.controllers)
    plans = []
    for number, (node_id, roles) in enumerate(chosen):
        names = listeners_of(roles, is_alone=len(chosen) == 1)
        ports = {name: FIRST_PORT + place for place, name in enumerate(names)}
        is_published = published_at is not None and CLIENTS in ports
        if is_published:
            ports[CLIENTS] = free(1)[0]
        plans.append(
            NodePlan(
                id=node_id,
                roles=roles,
                host=str(addresses[_GATEWAY + 1 + number]),
                ports=ports,
                log_dirs=(DATA,),
                rack=spec.racks[number % len(spec.racks)] if spec.racks else None,
                clients_host=str(published_at) if is_published else "",
            )
        )
    return tuple(plans)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """What a cluster of containers is opened from."""

    client: Any
    """The client of the Docker daemon."""
    name: str
    """The target's name, for messages."""
    image: str
    is_published: bool | None
    """Whether clients come in by published ports; None where they must."""

    def open(self, spec: ClusterSpec) -> ContainerCluster:
        """Starts all nodes and waits until the cluster is well. TargetTrouble, with a log's end, when it fails."""
        run = uuid.uuid4().hex[:8]
        network, addresses = self._create_network(run)
        try:
            gateway, daemon = str(addresses[_GATEWAY]), docker_host_address(self.client.api.base_url)
            is_published = not is_own_address(gateway) if self.is_published is None else self.is_published
            plans = container_plans(spec, addresses, daemon if is_published else None, free_ports)
            cluster_id = broker_properties.new_id()
            environments = {
                plan.id: environment_of(settings_of(plan, plans, spec.config), cluster_id) for plan in plans
            }
            nodes = at_once(lambda plan: self._create_node(run, network.name, plan, environments[plan.id]), plans)
        except BaseException:
            remove_run(self.client, run)
            raise
        version = self.image.rpartition(":")[2] or "latest"
        cluster = ContainerCluster(nodes, network, run, version, gateway)
        try:
            at_once(lambda node: node.start(), nodes)
            for node in nodes:
                node.wait_ready(_READY_S + _READY_S_PER_NODE * len(nodes))
            cluster.wait_healthy()
        except BaseException:
            cluster.close()
            raise
        return cluster

    def _create_network(self, run: str) -> tuple[Any, ipaddress.IPv4Network]:
        """The network, with addresses that neither this machine nor the daemon uses."""
        import docker

        for attempt in range(_NETWORK_TRIES):
            addresses = free_network()
            pool = docker.types.IPAMPool(subnet=str(addresses), gateway=str(addresses[_GATEWAY]))
            try:
                network = self.client.networks.create(
                    f"{LABEL}-{run}", ipam=docker.types.IPAMConfig(pool_configs=[pool]), labels=labels_of(run)
                )
            except docker.errors.APIError as trouble:
                if attempt == _NETWORK_TRIES - 1 or "overlap" not in str(trouble):
                    raise TargetTrouble(f"{self.name}: Docker: {trouble}") from trouble
            else:
                return network, addresses
        raise AssertionError("unreachable: the last attempt returns or raises")

    def _create_node(self, run: str, network: str, plan: NodePlan, environment: Mapping[str, str]) -> ContainerNode:
        """The anchor, running and reached, and the Kafka container, created."""
        import docker

        name, labels, key = f"{LABEL}-{run}-{plan.id}", labels_of(run), new_key()
        way_in, published = (plan.host, _SSH_PORT), {}
        if plan.clients_host:
            way_in = (plan.clients_host, free_ports(1)[0])
            listens = _LOOPBACK if plan.clients_host == _LOOPBACK else "0.0.0.0"
            clients = plan.ports[CLIENTS]
            published = {f"{_SSH_PORT}/tcp": (listens, way_in[1]), f"{clients}/tcp": (listens, clients)}
        try:
            fixed = self.client.api.create_endpoint_config(ipv4_address=plan.host, aliases=[f"node-{plan.id}"])
            anchor = self.client.containers.run(
                images.ANCHOR,
                name=f"{name}-anchor",
                hostname=f"node-{plan.id}",
                labels=labels,
                detach=True,
                init=True,
                cap_add=["NET_ADMIN"],
                network=network,
                networking_config={network: fixed},
                environment={"AUTHORIZED_KEY": public_line(key)},
                ports=published,
            )
            ssh = SshHost(
                f"{name}-anchor",
                address=way_in[0],
                port=way_in[1],
                user="root",
                key=key,
                host_keys=lambda: [_host_key_of(anchor)],
            )
            ssh.connect(_SSH_TIMEOUT_S)
            kafka = self.client.containers.create(
                self.image,
                name=f"{name}-kafka",
                labels=labels,
                network_mode=f"container:{anchor.id}",
                pid_mode=f"container:{anchor.id}",
                environment=dict(environment),
            )
        except docker.errors.DockerException as trouble:
            raise TargetTrouble(f"{self.name}: Docker: {trouble}") from trouble
        return ContainerNode(self.name, plan=plan, pair=Pair(anchor, kafka, ssh))


def _host_key_of(anchor: Any) -> str:
    """The public host key of an anchor's sshd, told by Docker."""
    status, output = anchor.exec_run(["cat", "/etc/ssh/ssh_host_ed25519_key.pub"])
    if status:
        raise TargetTrouble(f"{anchor.name}: its sshd has no host key")
    return " ".join(output.decode().split()[:2])
