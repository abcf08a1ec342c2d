"""The plugin's command-line options, read and checked once. Wrong ones end the run with one line."""

from __future__ import annotations

import shlex
import time
from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from harness.clients.client import CLIENTS
from harness.hosts.lack import Lack, Means
from harness.pytest_plugin.sampling import add_option as add_sample
from harness.pytest_plugin.sizing import nodes_of, refuse_fixed_targets
from harness.targets.target import (
    Cluster,
    ClusterSpec,
    Target,
    TargetKind,
    TargetTrouble,
    UnknownTarget,
    numbered,
    resolve,
)

MEANS = (Means.JAVA, Means.DOCKER, Means.ROOT, Means.FUSE)
"""What a run may require of its machine."""
DEFAULT_DURATION_S = 6.0


OWN_CLIENT = "raw"
"""The project's own client, the only one that reaches simulated nodes."""


class ChosenTarget:
    """A target of this run (Target); one that is given twice has a name of its own."""

    def __init__(self, target: Target, name: str) -> None:
        self._target = target
        self.name = name
        self._lacks: list[Lack | None] = []

    @property
    def given(self) -> str:
        """The name given with --target."""
        return self._target.name

    @property
    def kind(self) -> TargetKind:
        """What its clusters are made of."""
        return self._target.kind

    @property
    def release(self) -> str | None:
        """The release that it claims to be; None where only its clusters can tell."""
        return self._target.release

    def lack(self, spec: ClusterSpec | None = None) -> Lack | None:
        """Why it cannot be used here; asked once where no settings are wanted."""
        if spec is not None and spec != ClusterSpec():
            return self._target.lack(spec)
        if not self._lacks:
            self._lacks.append(self._target.lack(spec))
        return self._lacks[0]

    def lack_for_fault(self, kind: str) -> Lack | None:
        """Why faults of this kind cannot be injected on its clusters; None when they can."""
        return self._target.lack_for_fault(kind)

    def open(self, spec: ClusterSpec) -> Cluster:
        """A ready cluster."""
        return self._target.open(spec)


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What was asked for."""

    targets: tuple[ChosenTarget, ...]
    clients: tuple[str, ...]
    seed: int
    duration_s: float
    required: tuple[str, ...]
    nodes: int | None = None
    """Of each cluster; None where it is left to the checks."""
    has_chosen_client: bool = False
    """Whether --client was given."""

    def words(self) -> str:
        """The options that make a run the same again."""
        parts = [word for target in self.targets for word in ("--target", target.given)]
        if self.has_chosen_client:
            parts += [word for client in self.clients for word in ("--client", client)]
        parts += ["--seed", str(self.seed)]
        if self.duration_s != DEFAULT_DURATION_S:
            parts += ["--duration", f"{self.duration_s:g}"]
        if self.nodes is not None:
            parts += ["--nodes", str(self.nodes)]
        return shlex.join(parts)

    def for_target(self, name: str) -> str:
        """The same for one target, or for the two of a difference ("a | b")."""
        names = name.split(" | ")
        chosen = tuple(target for target in self.targets if target.name in names) or self.targets
        return Options(
            targets=chosen,
            clients=self.clients,
            seed=self.seed,
            duration_s=self.duration_s,
            required=self.required,
            nodes=self.nodes,
            has_chosen_client=self.has_chosen_client,
        ).words()

    def client_text(self) -> str:
        """The client libraries that checks use, for people: a simulated target takes none but our own."""
        chosen = ", ".join(self.clients)
        kinds = {target.kind for target in self.targets}
        if self.has_chosen_client or TargetKind.SIMULATED not in kinds:
            return chosen
        return OWN_CLIENT if len(kinds) == 1 else f"{chosen}; {OWN_CLIENT} on simulated targets"


OPTIONS: pytest.StashKey[Options] = pytest.StashKey()
"""Where the configuration keeps them."""


def add_options(parser: pytest.Parser) -> None:
    """--target, --nodes, --client, --seed, --duration, --require, --sample, --recorded, --record."""
    group = parser.getgroup("kafka", "Apache Kafka verification")
    group.addoption(
        "--target",
        action="append",
        metavar="T",
        help="what to check: reference (default), kafka@4.3.1, docker@IMAGE, at:HOST:PORT; repeatable: two or more are "
        "also compared",
    )
    group.addoption(
        "--nodes",
        metavar="N",
        help="brokers of each cluster (default: what the check asks for); a check that needs more is skipped, and one "
        "that is about its number of nodes keeps it",
    )
    group.addoption("--client", action="append", metavar="C", help=f"client library: {', '.join(CLIENTS)}; repeatable")
    group.addoption(
        "--seed", metavar="N", help="seed of all random choices; the same seed repeats a run (default: the date)"
    )
    group.addoption("--duration", metavar="S", help=f"seconds of load in each run (default {DEFAULT_DURATION_S:g})")
    group.addoption(
        "--require",
        action="append",
        metavar="M",
        help="fail instead of skipping where java, docker, root or fuse is missing",
    )
    add_sample(group)
    group.addoption(
        "--recorded",
        nargs="?",
        const="",
        metavar="FOLDER",
        help="compare with the recorded answers in this folder (default: those of the target's release in "
        "tests/recorded/, if there are any; --recorded without a folder requires them)",
    )
    group.addoption(
        "--record", metavar="FOLDER", help="record the target's answers in this folder (see: harness record)"
    )


def read_options(config: pytest.Config) -> Options:
    """The options. pytest.UsageError, one line, for a wrong value."""
    seed = _seed(config.getoption("--seed"))
    config.option.seed = str(seed)  # workers of pytest-xdist get the options, and must not choose another seed
    nodes, targets = nodes_of(config.getoption("--nodes")), _targets(config.getoption("--target") or ["reference"])
    refuse_fixed_targets(nodes, targets)
    return Options(
        targets=targets,
        nodes=nodes,
        has_chosen_client=bool(config.getoption("--client")),
        clients=_clients(config.getoption("--client") or ["confluent"]),
        seed=seed,
        duration_s=_duration(config.getoption("--duration")),
        required=_required(config.getoption("--require") or []),
    )


def _targets(names: Sequence[str]) -> tuple[ChosenTarget, ...]:
    chosen: list[ChosenTarget] = []
    for name in names:
        count = sum(target.given == name for target in chosen) + 1
        try:
            chosen.append(ChosenTarget(resolve(name), numbered(name, count)))
        except (UnknownTarget, TargetTrouble) as trouble:
            raise pytest.UsageError(f"harness: {trouble}") from None
    return tuple(chosen)


def _clients(names: Sequence[str]) -> tuple[str, ...]:
    for name in names:
        if name not in CLIENTS:
            raise pytest.UsageError(f"harness: --client: unknown client {name!r} (known: {', '.join(CLIENTS)})")
    return tuple(dict.fromkeys(names))


def _seed(text: str | None) -> int:
    if text is None:
        return int(time.strftime("%Y%m%d"))
    try:
        return int(text)
    except ValueError:
        raise pytest.UsageError(
            f"harness: --seed: must be a whole number, not {text!r} (for instance --seed 20261122)"
        ) from None


def _duration(text: str | None) -> float:
    try:
        seconds = DEFAULT_DURATION_S if text is None else float(text)
    except ValueError:
        seconds = -1.0
    if not 0.5 <= seconds <= 86_400:
        raise pytest.UsageError(
            f"harness: --duration: must be 0.5 to 86400 (seconds), not {text!r} (for instance --duration "
            f"{DEFAULT_DURATION_S:g})"
        )
    return seconds


def _required(texts: Sequence[str]) -> tuple[str, ...]:
    words = [word.strip() for text in texts for word in text.split(",") if word.strip()]
    for word in words:
        if word not in MEANS:
            raise pytest.UsageError(f"harness: --require: unknown requirement {word!r} (known: {', '.join(MEANS)})")
    return tuple(dict.fromkeys(words))
