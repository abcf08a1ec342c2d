"""Checks that drive clients by workloads reject planted bugs on simulated clusters too, and pass where there is none.

Each run is a process of pytest with the bug in it, since the cluster is in it too. A few are looked for by every
`make test`, the others by `make nightly`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from tests.plants._judged_runs import AT_ONCE, Case, Judged, judge, require_accepted, require_rejected
from tests.warm_process import warm_process

SURVIVE = "checks/durability/test_acknowledged_records_survive.py::test_acknowledged_records_survive"
REPLICATED = "checks/durability/test_replicated_records_survive.py"
BY_ALL = f"{REPLICATED}::test_records_acknowledged_by_all_replicas_survive"
POWER = "checks/durability/test_power_loss.py::test_acknowledged_records_survive_a_loss_of_power"
ALL_POWER = "checks/durability/test_power_loss.py::test_flushed_records_survive_a_loss_of_power_of_all_nodes"
SLOW_DISKS = (
    "checks/durability/test_slow_disks.py::test_a_topic_whose_creation_was_acknowledged_survives_a_loss_of_power"
)
ORDER = "checks/ordering/test_order_of_one_producer.py"
FEW = (
    Case("acknowledges_before_writing", f"{SURVIVE}[kill-acks_all]", "D1"),
    Case("skips_a_batch", f"{SURVIVE}[no-fault-acks_all]", "D1 lost-write"),
    Case("reorders_two_batches", f"{ORDER}::test_order_with_one_request_in_flight[raw]", "O4"),
)
MORE = (
    Case("acknowledges_before_writing", f"{POWER}[leader]", "D1 lost-write"),
    Case("acknowledges_what_is_not_flushed", ALL_POWER, "D1 lost-write"),
    Case("counts_metadata_that_is_not_flushed", SLOW_DISKS, "whose creation was acknowledged"),
    Case("serves_a_corrupt_batch", f"{SURVIVE}[no-fault-acks_all]", "O7 corrupt-record"),
    Case("duplicates_a_retried_batch", f"{ORDER}::test_order_holds_through_a_restart", "O5 duplicate"),
    Case("acknowledges_before_replication", f"{BY_ALL}[partition isolate leader]", "D1"),
)


@pytest.fixture(scope="module")
def runs(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Mapping[str | int, Future[Judged]]]:
    """The run of each plant of which a case was selected, and under 0 that of the few checks without a bug."""
    items = [item for item in request.session.items if item.path == request.path]
    chosen = [item.callspec.params["case"] for item in items if hasattr(item, "callspec")]
    folder = tmp_path_factory.mktemp("simulated")
    with warm_process() as warm, ThreadPoolExecutor(AT_ONCE) as pool:
        started: dict[str | int, Future[Judged]] = {}
        if len(chosen) < len(items):
            checks = [case.check for case in FEW]
            started[0] = pool.submit(judge, warm, checks, "simulated", folder / "right")
        for plant in dict.fromkeys(case.plant for case in chosen):
            checks = [case.check for case in chosen if case.plant == plant]
            planted = ("-p", "tests.plants._planted_here", "--planted", plant)
            started[plant] = pool.submit(judge, warm, checks, "simulated", folder / plant, *planted)
        yield started


@pytest.mark.parametrize("case", FEW, ids=str)
def test_a_bug_in_a_simulated_cluster_is_rejected(runs: Mapping[str | int, Future[Judged]], case: Case) -> None:
    require_rejected(runs, case)


@pytest.mark.long
@pytest.mark.parametrize("case", MORE, ids=str)
def test_another_bug_in_a_simulated_cluster_is_rejected(runs: Mapping[str | int, Future[Judged]], case: Case) -> None:
    require_rejected(runs, case)


def test_simulated_clusters_without_a_bug_pass(runs: Mapping[str | int, Future[Judged]]) -> None:
    require_accepted(runs[0].result())
