"""The file of `ssh:FILE.toml`: what it says, and one clear line for what it lacks."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.targets.machines.file import BadFile, MachinesFile, parse, read
from harness.targets.node_plan import Role
from harness.targets.target import UnknownTarget, resolve

TOP = """\
version = "4.3.1"
user = "kafka"
key = "id_ed25519"
known_hosts = "/etc/ssh/known_hosts"
start = "systemctl start kafka"
stop = "systemctl stop kafka"
ports = { PLAINTEXT = 9092, INTERNAL = 9093, CONTROLLER = 9094 }
"""
NODES = """
[[nodes]]
id = 1
host = "10.0.0.1"

[[nodes]]
id = 2
host = "10.0.0.2"
user = "root"
"""


def parsed(text: str = TOP + NODES) -> MachinesFile:
    return parse(text, Path("folder/c.toml"))


def test_a_setting_of_all_nodes_stands_at_the_top() -> None:
    assert [machine.start for machine in parsed().machines] == ["systemctl start kafka"] * 2


def test_a_node_has_the_last_word() -> None:
    assert [machine.user for machine in parsed().machines] == ["kafka", "root"]


def test_a_key_is_looked_for_beside_the_file() -> None:
    assert parsed().machines[0].key == Path("folder/id_ed25519")


def test_a_node_is_reached_by_clients_and_peers_where_its_sshd_is() -> None:
    machine = parsed().machines[0]

    assert (machine.address, machine.internal_address) == ("10.0.0.1", "10.0.0.1")


def test_a_node_is_broker_and_controller() -> None:
    assert parsed().machines[0].roles == (Role.BROKER, Role.CONTROLLER)


@pytest.mark.parametrize(
    ("replaced", "by", "complaint"),
    [
        ('user = "kafka"', "", "node 1: user is missing"),
        ('key = "id_ed25519"', "", "node 1: key is missing"),
        ('start = "systemctl start kafka"', "", "node 1: start is missing"),
        ('known_hosts = "/etc/ssh/known_hosts"', "", "node 1: known_hosts or host_key is missing"),
        ("id = 2", "id = 1", "node 1 is listed twice"),
        ("id = 2", 'id = "2"', "node 2: id must be a whole number"),
        ('host = "10.0.0.2"', "", "node 2: host is missing"),
        ('version = "4.3.1"', 'verson = "4.3.1"', "unknown setting 'verson'"),
        ('user = "root"', "users = 1", "node 2: unknown setting 'users'"),
        ("PLAINTEXT = 9092", "PLAINTEXT = 0", "node 1: the port of PLAINTEXT must be from 1 to 65535"),
        ("PLAINTEXT = 9092, ", "", "node 1: ports must name a port for PLAINTEXT"),
        ('user = "root"', 'roles = ["voter"]', "node 2: roles must be a list of broker and controller"),
        (NODES, "", "no nodes; write a table"),
        ("[[nodes]]", "[[nodes", "no TOML"),
        ('user = "kafka"', 'user = "kafka"\nroles = ["controller"]', "no node has the role of a broker"),
    ],
)
def test_a_bad_file_gets_one_line(replaced: str, by: str, complaint: str) -> None:
    with pytest.raises(BadFile) as found:
        parsed((TOP + NODES).replace(replaced, by))

    assert complaint in str(found.value)
    assert "\n" not in str(found.value)


def test_a_key_that_is_not_there_is_named(tmp_path: Path) -> None:
    file = tmp_path / "c.toml"
    file.write_text(TOP + NODES, encoding="utf-8")

    with pytest.raises(BadFile, match=r"node 1: key: no such file: .*id_ed25519"):
        read(file)


def test_a_target_of_no_file_is_unknown() -> None:
    with pytest.raises(UnknownTarget, match=r"--target ssh:nowhere.toml: nowhere.toml: cannot be read: No such file"):
        resolve("ssh:nowhere.toml")


def test_a_key_that_is_no_key_is_named(tmp_path: Path) -> None:
    (tmp_path / "id_ed25519").write_text("no key", encoding="ascii")
    (tmp_path / "known").write_text("", encoding="ascii")
    file = tmp_path / "c.toml"
    file.write_text((TOP + NODES).replace("/etc/ssh/known_hosts", "known"), encoding="utf-8")

    with pytest.raises(UnknownTarget, match=r"node 1: the key .*id_ed25519 cannot be used"):
        resolve(f"ssh:{file}")
