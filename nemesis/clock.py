"""Move the clocks of brokers.

**Does** one of four things to the wall clock of the chosen brokers, by libfaketime around their processes: *jump* by
an offset, *drift* away to it step by step, *strobe* between the right time and the offset, *stop* at a full second.
Their monotonic clocks go on as they were. A node that does not run under libfaketime yet is restarted cleanly first.
The proof is the time that the broker itself gives to a record (LogAppendTime), beside ours.

**Needs** control of the nodes' processes and their environment, and libfaketime where they run (Debian's package
libfaketime): `kafka@VERSION`, `reference`; or machines whose clocks a call can set: `simulated`. Images of Kafka have
no libfaketime.

**Heals** by setting the offset to nothing, measured in the same way. The node stays under libfaketime, which then
changes nothing.
"""

from __future__ import annotations

import itertools
import shlex
from collections.abc import Callable
from enum import StrEnum
from random import Random

from harness.history.operations import FaultAct
from harness.hosts import cluster_time as time
from harness.hosts.executor import Task, current
from harness.hosts.host import Host, HostTrouble, wait_until
from harness.hosts.lack import Lack, Means
from harness.hosts.plain import PlainHost
from harness.targets.cluster_view import ClusterView
from harness.targets.target import Cluster, Node
from nemesis.clock_probe import ClockProbe
from nemesis.fault import Family, Troubles
from nemesis.node_fault import NodeFault
from nemesis.node_specs import NodeSpec, nodes_text, one_broker

FIND_LIBRARY = "ls /usr/lib/*/faketime/libfaketime.so.1 /usr/lib*/faketime/libfaketime.so.1 2>/dev/null | head -n 1"
"""Where distributions install it. Of its two builds, the one with locks for threads makes a JVM far too slow."""
LARGEST_S = 3600.0
_REREAD_S = 1
"""How often libfaketime reads the offset. Reading it at each call would cost a JVM too much."""
_STEP_S = 1.0
_DRIFT_STEPS = 20
_STROBE_S = 3.0
"""Half of a strobe's cycle, longer than it takes until an offset is read."""
_NEAR_MS = 500.0
"""Largest difference allowed between the offset set and the offset measured; a measurement is a request to a busy
broker."""
_STOPPED_S = 1.0
"""How far a clock that stands still must have fallen behind, as the proof that it does."""
_LEAST_MS = 200.0
_WITHIN_S = 30.0
_COMMAND_S = 20.0


class Motion(StrEnum):
    """How a clock goes wrong."""

    JUMP = "jump"
    DRIFT = "drift"
    STROBE = "strobe"
    STOP = "stop"

    @property
    def does(self) -> str:
        """What it is, for lists."""
        return _DOES[self]


_DOES = {
    Motion.JUMP: "moved at once, by the seconds given or by chance",
    Motion.DRIFT: f"moved away in {_DRIFT_STEPS} steps of a second",
    Motion.STROBE: f"moved away and back again, every {_STROBE_S:g} s",
    Motion.STOP: "stopped at a full second, while time goes on",
}


class Clock(NodeFault):
    """Moves the wall clock of nodes (Fault)."""

    kind = "clock"
    family = Family.CLOCK

    def __init__(self, motion: Motion = Motion.JUMP, offset_s: float | None = None, on: NodeSpec = one_broker) -> None:
        """Without an offset, one is drawn: up to an hour either way, small ones as likely as large ones."""
        super().__init__(on)
        if offset_s is not None and not 1 <= abs(offset_s) <= LARGEST_S:
            raise ValueError(
                f"the offset must be 1 to {LARGEST_S:g} s, forward or (with a minus sign) back, not {offset_s:g} s"
            )
        if offset_s is not None and motion is Motion.STOP:
            raise ValueError("a clock that stops has no offset")
        self.motion = motion
        self.offset_s = offset_s
        self._movers: list[_Mover] = []

    @property
    def name(self) -> str:
        """ "clock jump", "clock strobe leader"."""
        return f"{self.kind} {self.motion}" + ("" if self.on is one_broker else f" {self.on}")

    def lack(self, cluster: Cluster) -> Lack | None:
        """What is missing on this cluster for this fault; looks for libfaketime where the nodes run."""
        if (found := super().lack(cluster)) is not None:
            return found
        for node in cluster.nodes:
            if node.machine is not None:
                continue
            if node.environment is None:
                return Lack(Means.FAULTS, f"{self.name}: the environment of node {node.id} cannot be changed")
            if _library(node) is None:
                reason = (
                    f"{self.name} needs libfaketime where node {node.id} runs (Debian: apt-get install libfaketime)"
                )
                return Lack(Means.TOOL, reason)
        return None

    def plan(self, view: ClusterView, random: Random) -> FaultAct:
        """The nodes, how their clocks move, and how far."""
        act = super().plan(view, random)
        offset_s = -_STOPPED_S if self.motion is Motion.STOP else self.offset_s
        if offset_s is None:
            offset_s = random.choice((-1, 1)) * LARGEST_S ** random.uniform(0.2, 1)
        parameters = {**act.parameters, "motion": str(self.motion), "offset": f"{offset_s:+.1f} s"}
        return FaultAct(kind=self.kind, nodes=act.nodes, parameters=parameters)

    def inject(self, cluster: Cluster, act: FaultAct) -> str:
        """Moves the clocks and measures them."""
        offset_s = float(act.parameters["offset"].removesuffix(" s"))
        self._movers = []
        told = []
        for node in self.remember(cluster, act):
            is_new = _prepare(cluster, node)
            mover = _Mover(node, ClockProbe(cluster.bootstrap, node.id, node.address))
            self._movers.append(mover)
            mover.probe.open()
            mover.begin(Motion(act.parameters["motion"]), offset_s)
            told.append(f"node {node.id} is off by {mover.require_moved(offset_s):+.1f} s{RESTARTED * is_new}")
        return "; ".join(told)

    def heal(self, cluster: Cluster) -> str:
        """Sets every clock right; each is tried."""
        set_right: list[int] = []
        troubles = Troubles()
        for mover in self._movers:
            with troubles.collected():
                mover.end()
                set_right.append(mover.node.id)
        troubles.raise_any()
        return f"reset the clock of {nodes_text(set_right)}"

    def verify_healed(self, cluster: Cluster) -> None:
        """HostTrouble unless every node answers and has our time; then what measured it is removed."""
        super().verify_healed(cluster)
        for mover in self._movers:
            mover.require_right()
            mover.probe.close()
        self._movers = []


RESTARTED = " (restarted under libfaketime)"


class _Mover:
    """The clock of one node: what sets it, and a task that keeps it moving."""

    def __init__(self, node: Node, probe: ClockProbe) -> None:
        self.node = node
        self.probe = probe
        self._ends = current().signal()
        self._task: Task | None = None
        self._motion = Motion.JUMP
        self._trouble: HostTrouble | None = None

    def begin(self, motion: Motion, offset_s: float) -> None:
        """Sets the clock, or begins to move it."""
        self._motion = motion
        if motion is Motion.JUMP:
            _set_clock(self.node, offset_s)
            return
        if motion is Motion.STOP and self.node.machine is None:
            _write_clock(self.node, time.local_second())
            return
        move = {Motion.DRIFT: self._drift, Motion.STROBE: self._strobe, Motion.STOP: self._stand_still}[motion]
        self._task = current().start(f"clock of node {self.node.id}", lambda: move(offset_s))

    def end(self) -> None:
        """Stops moving it and sets it right. HostTrouble, too, when it did not move as it should."""
        self._ends.set()
        if self._task is not None:
            self._task.join(_COMMAND_S)
        _set_clock(self.node, 0.0)
        trouble, self._trouble = self._trouble, None
        if trouble is not None:
            raise trouble

    def require_moved(self, offset_s: float) -> float:
        """The offset measured (s), once it is what was set, or on its way there. HostTrouble when it is not."""
        is_jump = self._motion in (Motion.JUMP, Motion.STOP)
        wanted_ms = max(abs(offset_s) * 1000 * (1 if is_jump else 1 / _DRIFT_STEPS) - _NEAR_MS, _LEAST_MS)
        return self._measured(lambda off_ms: off_ms * offset_s > 0 and abs(off_ms) >= wanted_ms, "was not moved")

    def require_right(self) -> None:
        """HostTrouble unless the node has our time again."""
        self._measured(lambda off_ms: abs(off_ms) <= _NEAR_MS, "was not reset")

    def _measured(self, is_so: Callable[[float], bool], complaint: str) -> float:
        last = [0.0]

        def look() -> bool:
            last[0] = self.probe.offset_ms()
            return is_so(last[0])

        try:
            wait_until(look, _WITHIN_S, "", every_s=0.2)
        except HostTrouble:
            what = f"the clock of node {self.node.id} {complaint}: it is off by {last[0] / 1000:+.1f} s"
            raise HostTrouble(what) from None
        return last[0] / 1000

    async def _drift(self, offset_s: float) -> None:
        for step in range(1, _DRIFT_STEPS + 1):
            _set_clock(self.node, offset_s * step / _DRIFT_STEPS)
            if await self._ends.wait(_STEP_S):
                return

    async def _strobe(self, offset_s: float) -> None:
        for now_s in itertools.cycle((offset_s, 0.0)):
            _set_clock(self.node, now_s)
            if await self._ends.wait(_STROBE_S):
                return

    async def _stand_still(self, offset_s: float) -> None:
        """Sets the clock of a machine back by a millisecond, whenever one is about to begin."""
        executor = current()
        stopped_ms = executor.wall_ms() // 1000 * 1000
        while not self._ends.is_set():
            _set_clock(self.node, (stopped_ms - executor.wall_ms() - 1) / 1000)
            into_ms = executor.now_ns() % 1_000_000 / 1_000_000
            await executor.pause((1.999 - into_ms) % 1 / 1000 or 0.001)


def _prepare(cluster: Cluster, node: Node) -> bool:
    """Makes sure that a node runs under libfaketime. Returns whether it had to be restarted for that."""
    if node.machine is not None:
        return False
    library = _library(node)
    if node.environment is None or library is None:
        raise HostTrouble(f"node {node.id} cannot run under libfaketime")
    if node.environment.get("LD_PRELOAD") == library:
        return False
    _set_clock(node, 0.0)
    node.environment.update(
        LD_PRELOAD=library,
        FAKETIME_TIMESTAMP_FILE=_file(node),
        FAKETIME_CACHE_DURATION=str(_REREAD_S),
        DONT_FAKE_MONOTONIC="1",
        # Without it, waits on the monotonic clock come back at once, and a JVM spins (libfaketime 0.9.10).
        FAKETIME_FORCE_MONOTONIC_FIX="0",
    )
    node.stop()
    node.start()
    node.wait_ready()
    cluster.wait_healthy()
    return True


def _host(node: Node) -> Host:
    return PlainHost() if node.host is None else node.host


def _library(node: Node) -> str | None:
    found = _host(node).run(["sh", "-c", FIND_LIBRARY]).output.strip()
    return found or None


def _file(node: Node) -> str:
    """Beside the node's data, so that it goes with them."""
    if node.data_dir is None:
        raise HostTrouble(f"node {node.id} has no local folder for the file that sets its clock")
    return str(node.data_dir.parent / f"clock-{node.id}")


def _set_clock(node: Node, offset_s: float) -> None:
    """By a call where its machine takes one; else writes the offset, whole: libfaketime may read at any moment."""
    if node.machine is not None:
        node.machine.set_clock(offset_s)
        return
    _write_clock(node, f"{offset_s:+.3f}")


def _write_clock(node: Node, text: str) -> None:
    path = shlex.quote(_file(node))
    result = _host(node).run(["sh", "-c", f"echo '{text}' > {path}.new && mv {path}.new {path}"], _COMMAND_S)
    if result.status:
        raise HostTrouble(f"node {node.id}: its clock cannot be set: {result.errors.strip()}")
