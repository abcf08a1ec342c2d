"""The target `at:HOST:PORT[,…]`: a running cluster; the harness starts and stops nothing, and injects no faults."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from harness.hosts.executor import THREADS, Executor
from harness.hosts.lack import Lack, Means
from harness.targets.cluster_view import ClusterView
from harness.targets.health import HEALTHY_WITHIN_S, wait_until_healthy
from harness.targets.looking import look_at
from harness.targets.readiness import answers, ask
from harness.targets.reference import line_that_lists
from harness.targets.target import (
    NOT_DISKS,
    NOT_FAULTY,
    NOT_VOTERS,
    ClusterSpec,
    TargetKind,
    TargetTrouble,
    UnknownTarget,
    not_configurable,
)
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.messages.api_versions_request import ApiVersionsRequest
from reference_broker.wire.primitives import MalformedRequest

_ANSWER_TIMEOUT_S = 5.0
_WITH_ALL_FEATURES = 4
"""The version of ApiVersions from which features are listed whose first level is 0, too."""


def parse_addresses(text: str) -> tuple[tuple[str, int], ...]:
    """host:port,… as pairs; [IPv6]:port too. ValueError when a part is none."""
    pairs = []
    for part in text.split(","):
        host, colon, port = part.strip().rpartition(":")
        if not colon or not host or not port.isdigit() or not 0 < int(port) < 65_536:
            raise ValueError(f"must be HOST:PORT, not {part.strip()!r}")
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
    def executor(self) -> Executor:
        """This machine's time and sockets."""
        return THREADS

    @property
    def links(self) -> None:
        """None: nothing of it is in our hands."""

    @property
    def nodes(self) -> tuple[()]:
        """Empty: the harness does not control its nodes."""
        return ()

    @property
    def client_addresses(self) -> tuple[str, ...]:
        """Empty: not known."""
        return ()

    def version(self) -> str:
        """Empty: the protocol has no field for it."""
        return "unknown"

    def view(self, topics: Sequence[str] | None = None, groups: Sequence[str] = ()) -> ClusterView:
        """The cluster as Metadata and DescribeQuorum describe it now. TargetTrouble when no broker answers."""
        return look_at(self.bootstrap, (), topics, groups)

    def wait_healthy(self, timeout_s: float = HEALTHY_WITHIN_S) -> None:
        """Waits until the cluster is healthy. TargetTrouble, with what is wrong, when it takes too long."""
        wait_until_healthy(self.view, (), timeout_s)

    def lack_for_fault(self, kind: str) -> Lack | None:
        """Why faults of this kind cannot be injected: the target gives no control over its nodes."""
        return _lack_for_fault(self.bootstrap, kind)

    def logs(self) -> Mapping[str, str]:
        """Empty: its logs cannot be read."""
        return {}

    def close(self) -> None:
        """Leaves it as it is."""


class AddressTarget:
    """A running cluster by its address (Target)."""

    def __init__(self, name: str, addresses: str) -> None:
        try:
            self._addresses = parse_addresses(addresses)
        except ValueError as trouble:
            raise UnknownTarget(f"--target {name}: {trouble} (for instance at:localhost:9092)") from None
        self._name = name
        self._bootstrap = addresses
        self._told: list[str | None] = []

    @property
    def name(self) -> str:
        """The name given with `--target`."""
        return self._name

    @property
    def kind(self) -> TargetKind:
        """An address."""
        return TargetKind.ADDRESS

    @property
    def release(self) -> str | None:
        """The line of releases whose APIs and features it lists, "4.3", asked once; None where that is not one alone,
        or where it does not answer."""
        if not self._told:
            self._told.append(_line_of(self._addresses))
        return self._told[0]

    def lack(self, spec: ClusterSpec | None = None) -> Lack | None:
        """Why a check cannot use it: it cannot be configured, and it must answer."""
        found = self._lack(spec)
        return None if found is None else found.of(self.name)

    def _lack(self, spec: ClusterSpec | None) -> Lack | None:
        if spec is not None and spec.config:
            return not_configurable(spec)
        if spec is not None and spec.small_disk_mb:
            return NOT_DISKS
        if spec is not None and spec.has_faulty_disks:
            return NOT_FAULTY
        if spec is not None and spec.has_dynamic_voters:
            return NOT_VOTERS
        if not any(answers(address, _ANSWER_TIMEOUT_S) for address in self._addresses):
            why = "no answer to ApiVersions; is the cluster up, and is the listener PLAINTEXT (without TLS)?"
            return Lack(Means.NETWORK, why)
        return self._lack_of_nodes(spec.nodes) if spec is not None and spec.nodes > 1 else None

    def _lack_of_nodes(self, wanted: int) -> Lack | None:
        """Why a check of several nodes cannot use it: topics cannot have as many replicas as it asks for."""
        try:
            count = len(look_at(self._bootstrap, (), ()).brokers)
        except TargetTrouble as trouble:
            return Lack(Means.NETWORK, str(trouble))
        if count >= wanted:
            return None
        return Lack(Means.NODES, f"{wanted} brokers are needed; the cluster has {count}")

    def lack_for_fault(self, kind: str) -> Lack | None:
        """Why faults of this kind cannot be injected: the target gives no control over its nodes."""
        return _lack_for_fault(self.name, kind)

    def open(self, spec: ClusterSpec) -> AddressCluster:
        """The cluster. TargetTrouble when it does not answer."""
        if (lack := self.lack(spec)) is not None:
            raise TargetTrouble(lack.reason)
        return AddressCluster(self._bootstrap)


def _lack_for_fault(name: str, kind: str) -> Lack:
    return Lack(Means.FAULTS, f"{name}: cannot inject {kind}: this target gives no control over its nodes")


def _line_of(addresses: Sequence[tuple[str, int]]) -> str | None:
    asked = ApiVersionsRequest(client_software_name="address", client_software_version="1")
    for address in addresses:
        try:
            answer = ask(address, ApiKey.API_VERSIONS, _WITH_ALL_FEATURES, asked, _ANSWER_TIMEOUT_S)
        except (OSError, MalformedRequest):
            continue
        apis = {int(one.api_key): (int(one.min_version), int(one.max_version)) for one in answer.api_keys}
        features = {one.name: (int(one.min_version), int(one.max_version)) for one in answer.supported_features}
        return line_that_lists(apis, features)
    return None
