"""A stored run, and a disk that is full; lets the tests beside import `command_process`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import pytest

from harness.history.store import Meta, Run
from harness.hosts import small_disk
from harness.hosts.small_disk import SmallDisk
from harness.judging.guarantees import ClientSettings, TopicSettings
from harness.workloads.synthetic import Script

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="session")
def stored_run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """One check, which held, with its history."""
    script = Script()
    script.send("a", 0)
    script.final_read({0: "a"}, end=1)
    history = script.history()
    client, topic = ClientSettings(), TopicSettings()
    run = Run.create(root=tmp_path_factory.mktemp("store") / "reports" / "out", about={"targets": ["reference"]})
    item = run.item("durability/records", "reference")
    with item.history_writer() as writer:
        for operation in history:
            writer.append(
                operation.process, operation.kind, operation.f, operation.value, error=operation.error, of=operation.of
            )
    item.write_meta(
        Meta(
            check="durability/records",
            target="reference",
            client_settings=asdict(client),
            topic_settings=asdict(topic),
            verdict="valid",
            more={"outcome": "held"},
        )
    )
    return run


@pytest.fixture
def full_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder on a disk of one megabyte, which is full."""
    if (reason := small_disk.lack()) is not None:
        pytest.skip(reason.reason)
    disk = SmallDisk(tmp_path / "disk", 1)
    disk.mount()
    try:
        disk.fill()
        yield disk.path
    finally:
        small_disk.unmount_below(tmp_path)
