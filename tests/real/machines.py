"""Machines with Apache Kafka on them, as somebody else would have set them up: containers with sshd and the jars."""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.hosts.addresses import free_network
from harness.hosts.at_once import at_once
from harness.hosts.lack import Lack, Means
from harness.hosts.ssh import new_key, public_line
from harness.targets import broker_properties, images
from harness.targets.containers.labels import LABEL, labels_of, remove_run, sweep
from harness.targets.containers.opening import DATA, container_plans
from harness.targets.node_plan import NodePlan, settings_of
from harness.targets.ports import free_ports
from harness.targets.target import ClusterSpec, TargetTrouble

IMAGE = os.environ.get("KAFKA_IMAGE", "local/kafka:4.3.1")
PROPERTIES = "/etc/kafka/server.properties"
LOG = "/var/log/kafka.log"
JAVA = "java -Xmx512m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Dlog4j2.configurationFile=/opt/kafka/config/log4j2.yaml"
START = f"setsid {JAVA} -cp '/opt/kafka/libs/*' kafka.Kafka {PROPERTIES} >> {LOG} 2>&1 < /dev/null &"
STOP = "pkill -f 'kafka[.]Kafka '"
_RUN_SSHD = Path(images.__file__).parent / "image_files" / "anchor_run.sh"


def lack() -> Lack | None:
    """Why there can be no such machines here; None when there can."""
    try:
        client = images.connect()
    except TargetTrouble as trouble:
        return Lack(Means.DOCKER, str(trouble))
    return (
        None
        if images.has(client, IMAGE)
        else Lack(Means.DOCKER, f"the image {IMAGE} is missing; build it with: make image")
    )


@dataclass(frozen=True)
class Machines:
    """Running machines, whose brokers are stopped."""

    file: Path
    """Names them, for `ssh:`."""
    containers: list[Any]
    """Docker's own objects, in the order of the nodes."""

    def pids(self) -> list[int]:
        """How many brokers run on each."""
        return [len(one.exec_run(["pgrep", "-x", "java"]).output.split()) for one in self.containers]


@contextmanager
def machines(count: int, folder: Path) -> Iterator[Machines]:
    """As many machines, formatted for one cluster; they are gone afterwards."""
    import docker

    client, run, key = images.connect(), uuid.uuid4().hex[:8], new_key()
    sweep(client)
    addresses = free_network()
    pool = docker.types.IPAMPool(subnet=str(addresses), gateway=str(addresses[1]))
    try:
        network = client.networks.create(
            f"{LABEL}-{run}", ipam=docker.types.IPAMConfig(pool_configs=[pool]), labels=labels_of(run)
        )
        plans = container_plans(ClusterSpec(nodes=count), addresses, None, free_ports)
        cluster_id = broker_properties.new_id()

        def started(plan: NodePlan) -> Any:
            container = client.containers.run(
                IMAGE,
                ["/bin/sh", "-c", _RUN_SSHD.read_text(encoding="utf-8")],
                name=f"{LABEL}-{run}-machine-{plan.id}",
                user="root",
                labels=labels_of(run),
                detach=True,
                init=True,
                cap_add=["NET_ADMIN"],
                network=network.name,
                networking_config={network.name: client.api.create_endpoint_config(ipv4_address=plan.host)},
                environment={"AUTHORIZED_KEY": public_line(key)},
            )
            text = broker_properties.text_of(settings_of(plan, plans, {}))
            written = f"cat > {PROPERTIES} <<'END'\n{text}END\n"
            tool = f"{JAVA} -cp '/opt/kafka/libs/*' kafka.tools.StorageTool"
            formatted = f"{tool} format -t {cluster_id} -c {PROPERTIES}"
            status, said = container.exec_run(["sh", "-c", written + formatted])
            assert status == 0, said
            return container

        containers = at_once(started, plans)
        yield Machines(write_file(folder, key, plans, containers), containers)
    finally:
        remove_run(client, run)


def write_file(folder: Path, key: Any, plans: tuple[NodePlan, ...], containers: list[Any]) -> Path:
    """The file of machines, with a key and known hosts beside it."""
    key.write_private_key_file(str(folder / "id_ecdsa"))
    known = []
    for plan, container in zip(plans, containers, strict=True):
        words = container.exec_run(["cat", "/etc/ssh/ssh_host_ed25519_key.pub"]).output.decode().split()
        known.append(f"{plan.host} {words[0]} {words[1]}\n")
    (folder / "known_hosts").write_text("".join(known), encoding="ascii")
    lines = ['version = "4.3.1"', 'user = "root"', 'key = "id_ecdsa"', 'known_hosts = "known_hosts"']
    lines += [
        f"start = {json.dumps(START)}",
        f"stop = {json.dumps(STOP)}",
        f"log = {json.dumps(LOG)}",
        f'log_dirs = ["{DATA}"]',
    ]
    for plan in plans:
        ports = ", ".join(f"{name} = {port}" for name, port in plan.ports.items())
        lines += ["", "[[nodes]]", f"id = {plan.id}", f'host = "{plan.host}"', f"ports = {{ {ports} }}"]
    file = folder / "cluster.toml"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file
