"""The target `at:HOST:PORT[,…]`: a cluster that runs already; nothing of it is started, stopped or harmed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from harness.targets.cluster_view import ClusterView
from harness.targets.health import HEALTHY_WITHIN_S, wait_until_healthy
from harness.targets.looking import look_at
from harness.targets.readiness import answers
from harness.targets.target import ClusterSpec, TargetTrouble, UnknownTarget

_ANSWER_TIMEOUT_S = 5.0


def parse_addresses(text: str) -> tuple[tuple[str, int], ...]:
    """host:port,… as pairs; [IPv6]:port too. ValueError when a part is none."""
    pairs = []
    for part in text.split(","):
        host, colon, port = part.strip().rpartition(":")
        if not colon or not host or not port.isdigit() or not 0 < int(port) < 65_536:
            raise ValueError(f"{part.strip()!r} is not HOST:PORT")
        pairs.append((host.strip("[]"), int(port)))
    return tuple(pairs)


class AddressCluster:
    """A cluster that others run (Cluster)."""

    def __init__(self, bootstrap: str) -> None:
        self._bootstrap = bootstrap

    @property
    def bootstrap(self) -> str:
        """host:port,… for clients."""
        return self._bootstrap

    @property
    def nodes(self) -> tuple[()]:
        """None: we have no hand on its nodes."""
        return ()

    @property
    def client_addresses(self) -> tuple[str, ...]:
        """None are known."""
        return ()

    def version(self) -> str:
        """Not told by the protocol."""
        return "unknown"

    def view(self, topics: Sequence[str] | None = None, groups: Sequence[str] = ()) -> ClusterView:
        """What it looks like now, from outside. TargetTrouble when no broker says."""
        return look_at(self.bootstrap, (), topics, groups)

    def wait_healthy(self, timeout_s: float = HEALTHY_WITHIN_S) -> None:
        """Waits until nothing ails it. TargetTrouble, with what does, when it takes too long."""
        wait_until_healthy(self.view, (), timeout_s)

    def supports(self, fault: str) -> bool:
        """Whether a fault can be brought about here: none."""
        return False

    def logs(self) -> Mapping[str, str]:
        """None: its logs are out of reach."""
        return {}

    def close(self) -> None:
        """Leaves it as it is."""


class AddressTarget:
    """A running cluster by its address (Target)."""

    def __init__(self, name: str, addresses: str) -> None:
        try:
            self._addresses = parse_addresses(addresses)
        except ValueError as trouble:
            raise UnknownTarget(f"--target {name}: {trouble} (e.g. at:localhost:9092)") from None
        self._name = name
        self._bootstrap = addresses

    @property
    def name(self) -> str:
        """As given by `--target`."""
        return self._name

    def missing(self, spec: ClusterSpec | None = None) -> str | None:
        """Why a check cannot use it: it cannot be configured, and it must answer."""
        if spec is not None and spec.config:
            return f"{self.name}: it is not ours to configure ({', '.join(sorted(spec.config))} wanted)"
        if spec is not None and spec.small_disk_mb:
            return f"{self.name}: no hand on its disks"
        if not any(answers(address, _ANSWER_TIMEOUT_S) for address in self._addresses):
            return f"{self.name}: nothing there answers ApiVersions: is the cluster up, and its listener without TLS?"
        if spec is not None and spec.nodes > 1 and (reason := self._too_small(spec.nodes)) is not None:
            return f"{self.name}: {reason}"
        return None

    def _too_small(self, wanted: int) -> str | None:
        """Why a check of several nodes cannot use it: topics cannot have as many replicas as it asks for."""
        try:
            count = len(look_at(self._bootstrap, (), ()).brokers)
        except TargetTrouble as trouble:
            return str(trouble)
        return f"it has {count} broker{'' if count == 1 else 's'}; {wanted} are wanted" if count < wanted else None

    def supports(self, fault: str) -> bool:
        """Whether a fault can be brought about on it: none, it is not ours."""
        return False

    def open(self, spec: ClusterSpec) -> AddressCluster:
        """The cluster. TargetTrouble when it does not answer."""
        if (reason := self.missing(spec)) is not None:
            raise TargetTrouble(reason)
        return AddressCluster(self._bootstrap)
