"""The keys that a known_hosts file has for a machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.hosts.ssh import known_keys

KEY = "AAAAC3NzaC1lZDI1NTE5AAAAIDdNPKzvKnBWgIgzOHgTJpFoS7Bs6ZoK5mmdnu3ewGVl"


@pytest.mark.parametrize(("name", "port"), [("10.0.0.1", 22), ("[10.0.0.1]:2222", 2222)])
def test_a_machine_is_found_by_its_address_and_port(tmp_path: Path, name: str, port: int) -> None:
    file = tmp_path / "known_hosts"
    file.write_text(f"{name} ssh-ed25519 {KEY}\n", encoding="ascii")

    assert known_keys(file, "10.0.0.1", port) == (f"ssh-ed25519 {KEY}",)


def test_another_machine_is_not_known(tmp_path: Path) -> None:
    file = tmp_path / "known_hosts"
    file.write_text(f"10.0.0.1 ssh-ed25519 {KEY}\n", encoding="ascii")

    assert known_keys(file, "10.0.0.2", 22) == ()
