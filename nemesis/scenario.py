"""What `python -m nemesis` was asked to do: a workload under faults on a target, from its arguments."""

from __future__ import annotations

import argparse
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from random import Random

from harness.clients.client import CLIENTS
from harness.judging.guarantees import ClientSettings
from harness.targets.target import FAULTY_DISK_FAULTS, ClusterSpec, Target, TargetKind
from harness.workloads.queue import Queue
from nemesis.disk import DiskFault
from nemesis.fault import Fault
from nemesis.fault_names import fault_named
from nemesis.node_specs import node_spec_named
from nemesis.schedules import QUIET_SHARE, Spell, schedule
from nemesis.sequences import FaultSequence, sequence_named
from nemesis.voters import Voters
from reference_broker.command_line import Parser, as_typed, seconds

WORKLOADS = ("queue",)
_MOST_REPLICAS = 3
_CLIENT, _OWN_CLIENT = "confluent", "raw"
_SMALL_DISK_MB = 64
"""Of each node's second log folder, where disks are to be filled."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A whole run: what, where, how long, under what."""

    target: str
    faults: tuple[Fault, ...]
    """Drawn by chance; none where there is a sequence."""
    sequence: FaultSequence | None
    workload: str
    client: str
    """The client library; "" for what suits the target."""
    duration_s: float
    rate: int
    """Records a second, of all producers together."""
    nodes: int
    controllers: int
    seed: int
    quiet_share: float
    period_s: float
    acks: str
    words: tuple[str, ...]
    """The arguments that make it again, without the seed."""

    @property
    def cluster_spec(self) -> ClusterSpec:
        """The cluster that it wants."""
        config: Mapping[str, str] = {} if self.sequence is None else self.sequence.config
        has_dynamic_voters = any(isinstance(fault, Voters) for fault in self.faults)
        return ClusterSpec(
            nodes=self.nodes,
            controllers=self.controllers,
            config=config,
            small_disk_mb=_SMALL_DISK_MB if any(isinstance(fault, DiskFault) for fault in self.faults) else 0,
            has_faulty_disks=any(fault.kind in FAULTY_DISK_FAULTS for fault in self.faults),
            has_dynamic_voters=has_dynamic_voters,
        )

    @property
    def replicas(self) -> int:
        """The topic's settings."""
        return min(self.nodes, _MOST_REPLICAS)

    @property
    def topic_config(self) -> dict[str, str]:
        """The topic's settings. min.insync.replicas is 2 of 3 replicas, or 1 for a sequence in which the leader is
        alone in sync."""
        alone = self.sequence is not None and bool(self.sequence.config)
        return {"min.insync.replicas": "2" if self.replicas >= _MOST_REPLICAS and not alone else "1"}

    @property
    def run_s(self) -> float:
        """How long the run lasts: as asked for, and at least until a sequence has come to its end."""
        return max(self.duration_s, self.sequence.lasts_s() if self.sequence else 0.0)

    def queue(self) -> Queue:
        """The workload."""
        return Queue(
            topic=f"nemesis-{self.seed}",
            partitions=2,
            producers=2,
            consumers=2,
            rate=max(1, self.rate // 2),
            client=ClientSettings(acks=self.acks, is_idempotent=self.acks == "all"),
        )

    def spells(self) -> tuple[Spell, ...]:
        """When each fault begins and ends."""
        if self.sequence is not None:
            return self.sequence.spells()
        chance = Random(f"{self.seed}/schedule")
        return schedule(
            self.faults, chance, duration_s=self.duration_s, period_s=self.period_s, quiet_share=self.quiet_share
        )

    def suited_to(self, target: Target) -> Scenario:
        """The same, with the client library that suits the target if none was asked for."""
        is_simulated = target.kind is TargetKind.SIMULATED
        return self if self.client else replace(self, client=_OWN_CLIENT if is_simulated else _CLIENT)

    @property
    def sentence(self) -> str:
        """What will be done, on one line."""
        nodes = f"{self.nodes} node{'s' if self.nodes > 1 else ''}"
        if self.controllers:
            nodes += f" and {self.controllers} controllers"
        trouble = f"sequence {self.sequence}" if self.sequence else ", ".join(map(str, self.faults)) or "no faults"
        return (
            f"{self.target}, {nodes} · {self.workload}, {self.rate:,} records/s for {self.run_s:g} s, "
            f"acks={self.acks} · {trouble} · seed {self.seed}"
        )

    @property
    def rerun(self) -> str:
        """The command that does it again."""
        return as_typed("nemesis", *self.words, "--seed", str(self.seed))


def parser() -> argparse.ArgumentParser:
    """The options of the command."""
    made = Parser(
        prog=as_typed("nemesis"),
        description="Runs a workload under faults on a cluster, judges what clients saw, and writes a report.",
        epilog="example: "
        + as_typed("nemesis --target kafka@4.3.1 --nodes 3 --faults partition,kill --on leader --duration 60"),
    )
    made.add_argument("--list", action="store_true", help="show faults, nodes, grudges and sequences, and end")
    made.add_argument(
        "--target",
        default="reference",
        help="the cluster: reference (default), kafka@4.3.1, docker@IMAGE, … "
        f"(all: {as_typed('harness list targets')})",
    )
    made.add_argument("--nodes", type=_positive, default=3, help="number of brokers (default 3)")
    made.add_argument(
        "--controllers",
        type=_count,
        default=0,
        help="number of controller-only nodes (default 0: every broker is a controller too)",
    )
    made.add_argument(
        "--faults",
        default="",
        help="faults, separated by commas: kill, partition:bridge, packet:loss:20, … (--list shows all)",
    )
    made.add_argument("--sequence", help="a directed sequence instead of faults at random times (--list shows all)")
    made.add_argument(
        "--on",
        default="one",
        help="the nodes that faults act on: one, minority, leader, … (default one; --list shows all)",
    )
    made.add_argument("--workload", default="queue", choices=WORKLOADS)
    made.add_argument(
        "--client",
        choices=CLIENTS,
        help=f"the client library (default {_CLIENT}; raw, our own, on simulated clusters)",
    )
    made.add_argument("--acks", default="all", choices=("all", "1"))
    made.add_argument("--duration", type=seconds, default=60.0, help="seconds of the run (default 60)")
    made.add_argument("--rate", type=_positive, default=500, help="records a second (default 500)")
    made.add_argument("--period", type=seconds, default=20.0, help="seconds from one fault to the next (default 20)")
    made.add_argument(
        "--quiet-share", type=_share, default=QUIET_SHARE, help="share of periods without a fault (default 0.25)"
    )
    made.add_argument("--seed", type=int, help="seed of all random choices (default: a new one, printed)")
    return made


def scenario_of(options: argparse.Namespace, arguments: list[str]) -> Scenario:
    """The scenario that the options describe. ValueError, a line for users, when they contradict each other."""
    if options.sequence and options.faults:
        raise ValueError("--faults and --sequence exclude each other: a sequence has its own faults")
    on = node_spec_named(options.on)
    written = [word.strip() for word in options.faults.split(",") if word.strip()]
    sequence = sequence_named(options.sequence) if options.sequence else None
    faults = tuple(fault_named(word, on) for word in written)
    if sequence is not None and options.nodes < sequence.least_nodes:
        raise ValueError(f"--sequence {sequence}: needs {sequence.least_nodes} nodes, and --nodes is {options.nodes}")
    return Scenario(
        target=options.target,
        faults=faults,
        sequence=sequence,
        workload=options.workload,
        client=options.client or "",
        duration_s=options.duration,
        rate=options.rate,
        nodes=options.nodes,
        controllers=options.controllers,
        seed=secrets.randbelow(1_000_000) if options.seed is None else options.seed,
        quiet_share=options.quiet_share,
        period_s=options.period,
        acks=options.acks,
        words=_without_seed(arguments),
    )


def _without_seed(arguments: list[str]) -> tuple[str, ...]:
    kept: list[str] = []
    is_seed = False
    for word in arguments:
        if not is_seed and word != "--seed" and not word.startswith("--seed="):
            kept.append(word)
        is_seed = word == "--seed"
    return tuple(kept)


def _positive(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number of 1 or more, not {text!r}")
    return int(text)


def _count(text: str) -> int:
    if not text.isdigit():
        raise argparse.ArgumentTypeError(f"must be a whole number of 0 or more, not {text!r}")
    return int(text)


def _share(text: str) -> float:
    if not _is_number(text) or not 0 <= float(text) < 1:
        raise argparse.ArgumentTypeError(f"must be a number from 0 to below 1, not {text!r}")
    return float(text)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
