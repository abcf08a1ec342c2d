"""Acknowledged changes of topics survive.

**Claim** Changes that the broker acknowledged (a topic created, settings changed or unset, partitions added, a topic
deleted) are still in force after it is killed, or stopped cleanly and restarted, immediately after the last
acknowledgement.

**Why it matters** A retention that jumps back to its default deletes data, or fills a disk.

**Kafka says** KIP-500: an operation is answered when its metadata records are committed.

**Cannot see** a quorum of several controllers; whether a change was visible to every client when it was acknowledged.

**Rejects** tests/plants/loses_the_last_changes_on_kill.py, tests/plants/loses_topic_config_on_restart.py
"""

from __future__ import annotations

import pytest

from harness.clients.operators.operator import Operator
from harness.judging.outcome import require
from harness.pytest_plugin.names import Names
from harness.pytest_plugin.strike import Strike
from harness.targets.target import Cluster

pytestmark = [pytest.mark.feature("CreateTopics"), pytest.mark.severity("critical"), pytest.mark.kip(500)]


@pytest.mark.claim("M7")
@pytest.mark.parametrize("fault", ["kill", "restart"])
def test_acknowledged_changes_survive(
    cluster: Cluster, operator: Operator, names: Names, strike: Strike, fault: str
) -> None:
    made, grown, altered, gone = (names.topic(label) for label in ("made", "grown", "altered", "gone"))
    operator.create_topic(grown, partitions=1)
    operator.create_topic(altered, config={"retention.ms": "1000000", "segment.bytes": "2000000"})
    operator.create_topic(gone)
    hasty = operator.hasty()
    hasty.delete_topic(gone)
    hasty.add_partitions(grown, 5)
    hasty.alter_topic(altered, {"retention.ms": "7200000"}, unset=["segment.bytes"])
    hasty.create_topic(made, partitions=3, config={"cleanup.policy": "compact"})

    strike(f"{fault} controller")

    operator.wait_for_partitions(made, 3)
    operator.wait_for_partitions(grown, 5)
    assert gone not in operator.topics(), f"{gone} was deleted, and is back"
    require(operator.topic_config(made)["cleanup.policy"], "compact", f"cleanup.policy of {made}, which was just made,")
    settings = operator.topic_config(altered)
    require(settings["retention.ms"], "7200000", f"retention.ms of {altered}, which was set,")
    require(settings["segment.bytes"], "1073741824", f"segment.bytes of {altered}, which was given back,")
