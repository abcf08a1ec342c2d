"""Topics that a measurement makes and removes."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator

from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from bench.subjects import Subject

_TIMEOUT_S = 30
_LEADER_TIMEOUT_S = 10.0


@contextlib.contextmanager
def topic(subject: Subject, name: str, partitions: int) -> Iterator[str]:
    """A topic whose partitions have leaders; removed at the end. The client's exception when it cannot be made."""
    admin = AdminClient({"bootstrap.servers": subject.bootstrap, "log_level": 3})
    admin.create_topics([NewTopic(name, partitions, 1)])[name].result(_TIMEOUT_S)
    try:
        _await_leaders(admin, name, partitions)
        yield name
    finally:
        admin.delete_topics([name])[name].result(_TIMEOUT_S)


def _await_leaders(admin: AdminClient, name: str, partitions: int) -> None:
    deadline = time.monotonic() + _LEADER_TIMEOUT_S
    while time.monotonic() < deadline:
        rows = admin.list_topics(name, timeout=_TIMEOUT_S).topics[name].partitions
        if len(rows) == partitions and all(row.leader >= 0 for row in rows.values()):
            return
        time.sleep(0.05)
    raise TimeoutError(f"topic {name} has no leaders after {_LEADER_TIMEOUT_S:g} s")
