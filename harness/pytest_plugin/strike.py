"""The fixture `strike`: a fault between two steps of a check, healed before the check goes on."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Iterator, Sequence
from random import Random

from harness.judging.outcome import Unproven
from harness.pytest_plugin.lacking import skip_for
from harness.pytest_plugin.record import CheckRecord
from harness.runs.fault import Fault
from harness.targets.target import Cluster
from nemesis.fault_names import fault_named
from nemesis.node_specs import NodeSpec, coordinator_of, leader_of, one


class Strike:
    """Injects faults for one check."""

    def __init__(
        self,
        *,
        cluster: Cluster,
        record: CheckRecord,
        chance: Random,
        require_fault: Callable[[str], None],
        required: Collection[str] = (),
    ) -> None:
        self._cluster = cluster
        self._record = record
        self._chance = chance
        self._require_fault = require_fault
        self._required = required

    def __call__(self, name: str, *, topic: str = "", group: str = "") -> None:
        """strike("kill", topic="orders"): does it to a node, heals it, and waits until all is well again.

        It acts on the leader of the topic's partition 0, or on the coordinator of the group; else on the nodes that
        `name` says, or on any. Skips where the target does not offer the fault. HostTrouble if it has no effect or
        cannot be healed.
        """
        with self.held(name, topic=topic, group=group) as heal:
            heal()

    def by(self, fault: Fault) -> None:
        """The same by a fault that the check has made itself."""
        with self.under(fault, fault.name) as heal:
            heal()

    def held(
        self, name: str, *, topic: str = "", group: str = ""
    ) -> contextlib.AbstractContextManager[Callable[[], None]]:
        """The same, where the check goes on under the fault: it heals at the end of the block, or when the block calls
        what it is given."""
        topics, groups = (topic,) if topic else (), (group,) if group else ()
        return self.under(fault_named(name, self._on(topic, group)), name, topics=topics, groups=groups)

    @contextlib.contextmanager
    def under(
        self, fault: Fault, step: str, *, topics: Sequence[str] = (), groups: Sequence[str] = ()
    ) -> Iterator[Callable[[], None]]:
        """`held` by a fault that the check has made itself, which is recorded as a step of this name; it sees the
        leaders of the topics and the coordinators of the groups."""
        self._require_fault(fault.kind)
        if (lack := fault.lack(self._cluster)) is not None:
            skip_for(lack, self._required)
        self._record.faults += 1
        is_healed = False

        def heal() -> None:
            nonlocal is_healed
            if is_healed:
                return
            is_healed = True
            fault.heal(self._cluster)
            fault.verify_healed(self._cluster)
            if len(self._cluster.nodes) > 1:  # a node that answers may still be fenced, and its partitions be elsewhere
                self._cluster.wait_healthy()

        with self._record.step(step):
            view = self._cluster.view(topics=topics, groups=groups)
            try:
                fault.inject(self._cluster, fault.plan(view, self._chance))
                yield heal
            finally:
                heal()

    @staticmethod
    def _on(topic: str, group: str) -> NodeSpec:
        if topic and group:
            raise Unproven("strike: it acts on the leader of a topic or on the coordinator of a group, not on both")
        if topic:
            return leader_of(topic)
        return coordinator_of(group) if group else one
