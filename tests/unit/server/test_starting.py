"""What cannot start says why in one line and leaves with a status that is not 0; what starts, stops in order."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from broker_process import CLUSTER, Broker, command

OTHER_CLUSTER = "MkU3OEVBNTcwNTJENDM2Qg"

NODE_OF_DEV = re.compile(r"node (?P<id>\d)   listener (?P<listener>\S+)   pid (?P<pid>\d+)   data (?P<data>\S+)")


def one_line(found: subprocess.CompletedProcess[str]) -> str:
    """The only line of a refusal, after its warnings."""
    lines = [line for line in found.stderr.splitlines() if "WARN" not in line]
    assert len(lines) == 1, found.stderr
    assert found.returncode != 0
    return lines[0]


def test_a_file_that_is_not_there_is_named(broker: Broker) -> None:
    assert one_line(command("start", f"{broker.folder}/none.properties")).endswith("No such file or directory")


def test_a_value_that_is_not_valid_is_named_with_its_key(broker: Broker) -> None:
    broker.write_file(**{"num.partitions": "many"})
    assert "Invalid value many for configuration num.partitions" in one_line(command("start", str(broker.file)))


def test_an_override_without_a_value_is_refused(broker: Broker) -> None:
    assert "write key=value" in one_line(command("start", str(broker.file), "--override", "num.partitions"))
    assert "write key=value" in one_line(command("start", str(broker.file), "--override", "=5"))


@pytest.mark.parametrize("words", [("start",), ("storage", "format", "-t", CLUSTER, "-c"), ("storage", "info", "-c")])
def test_a_file_that_is_no_text_is_named(broker: Broker, words: tuple[str, ...]) -> None:
    broker.file.write_bytes(b"\xff\xfenode.id=1")
    assert one_line(command(*words, str(broker.file))).endswith("it is no text in UTF-8: byte 0 is 0xff")


def test_a_wrong_command_line_of_storage_is_one_line() -> None:
    assert "storage: format: the following arguments are required" in one_line(command("storage", "format"))


def test_a_folder_that_is_not_formatted_is_named(broker: Broker) -> None:
    broker.write_file(**{"log.dirs": f"{broker.folder}/fresh"})
    assert f"{broker.folder}/fresh" in one_line(command("start", str(broker.file)))


def test_a_folder_of_another_node_is_refused(broker: Broker) -> None:
    broker.write_file(**{"node.id": "2", "controller.quorum.voters": f"2@127.0.0.1:{broker.controller_port}"})
    assert "Invalid node.id" in one_line(command("start", str(broker.file)))


def test_formatting_for_another_cluster_is_refused(broker: Broker) -> None:
    found = command("storage", "format", "-g", "-t", OTHER_CLUSTER, "-c", str(broker.file))
    assert f"Expected {OTHER_CLUSTER}, but read {CLUSTER}" in one_line(found)


def test_a_port_in_use_is_named(broker: Broker) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", broker.port))
        other.listen()
        assert f"127.0.0.1:{broker.port}" in one_line(command("start", str(broker.file)))


def test_a_folder_in_use_is_refused(broker: Broker) -> None:
    broker.start()
    second = Broker(broker.folder)
    second.write_file()
    assert ".lock" in one_line(command("start", str(second.file)))


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["begin"],
        ["start"],
        ["dev", "--port", "many"],
        ["dev", "--nodes", "0"],
        ["dev", "--nodes", "3", "--port", "65534"],
    ],
)
def test_a_wrong_command_line_is_one_line_and_status_2(words: list[str]) -> None:
    found = command(*words)
    assert (one_line(found)[:17], found.returncode) == ("reference_broker:", 2)


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_it_in_order(broker: Broker, how: signal.Signals) -> None:
    broker.start()
    status = broker.end(how)
    assert (status, (broker.data / ".kafka_cleanshutdown").exists()) == (0, True)


def test_a_kill_leaves_no_mark_of_a_clean_stop(broker: Broker) -> None:
    broker.start()
    broker.end(signal.SIGKILL)
    assert not (broker.data / ".kafka_cleanshutdown").exists()


def test_an_unknown_setting_is_a_warning(broker: Broker) -> None:
    broker.write_file(**{"my.own.setting": "1"})
    broker.start()
    assert "my.own.setting" in broker.log()


def test_dev_tells_which_process_is_which_node_and_how_a_killed_one_is_started_again() -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "reference_broker", "dev", "--nodes", "3", "--port", "0", "--log-level", "INFO"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    addresses = process.stdout.readline().strip().partition("=")[2].split(",")
    nodes = [NODE_OF_DEV.fullmatch(process.stdout.readline().strip()) for _ in addresses]
    assert [node and (node["id"], node["listener"]) for node in nodes] == list(zip("123", addresses, strict=True))
    second = nodes[1]
    assert second is not None
    assert Path(second["data"], "meta.properties").is_file()
    os.kill(int(second["pid"]), signal.SIGKILL)
    lines = iter(process.stderr.readline, "")
    said = next(line for line in lines if "was ended by SIGKILL" in line)
    process.terminate()
    _, log = process.communicate(timeout=20)
    assert {found for line in log.splitlines() for found in re.findall(r"INFO (node \d): ", line)} == {
        "node 1",
        "node 3",
    }
    assert "node 2 was ended by SIGKILL; start it again with: " in said
    assert f"-m reference_broker start {Path(second['data']).parent}/server-2.properties" in said


def test_dev_prints_its_address_and_removes_its_folder() -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "reference_broker", "dev", "--port", "0", "--log-level", "INFO"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    address = process.stdout.readline().strip().partition("=")[2]
    host, _, port = address.rpartition(":")
    socket.create_connection((host, int(port)), 5).close()
    process.terminate()
    _, log = process.communicate(timeout=20)
    assert (process.returncode, "stopped" in log) == (0, True)
