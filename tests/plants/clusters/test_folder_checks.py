"""The checks of a full disk and of a lost folder of one replica reject the runs of broken clusters, and hold on a right
one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from checks.durability import test_full_disk_of_one_replica as full
from checks.durability import test_lost_folder_of_one_replica as lost
from harness.judging.outcome import Unproven
from harness.pytest_plugin.names import Names
from tests.plants.clusters.canned_runs import drive_that_sees, three_records
from tests.plants.clusters.cluster_in_memory import MemoryCluster
from tests.plants.clusters.rejecting import acceptances, rejections, right, wrong

Play = Callable[..., None]
Leaders = tuple[int, int]
ALL = {0: "a", 1: "b", 2: "c"}
CHECKS = {
    "a full disk": full.test_acknowledged_records_survive_a_full_disk_of_their_leader,
    "a lost folder": lost.test_acknowledged_records_survive_a_lost_folder_of_their_leader,
}


@pytest.fixture(params=CHECKS)
def play(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Runs a check: what is in the log at the end, what the broker said and did, and who led before and after."""

    def playing(
        at_the_end: Mapping[int, str],
        *,
        is_said: bool = True,
        has_ended: bool = False,
        leaders: Leaders = (1, 2),
    ) -> None:
        def effect(fault: Any) -> None:
            fault.is_said_to_be_offline, fault.has_ended = is_said, has_ended

        cluster: Any = MemoryCluster(tmp_path)
        monkeypatch.setattr(full, "require_equal_replicas", lambda *given: None)
        seen = three_records([("disk", (1,))], at_the_end, leaders)
        drive = drive_that_sees(monkeypatch, cluster, seen, effect)
        CHECKS[request.param](cluster, drive, Names("memory", "folders"))

    return playing


test_a_check_rejects_what_a_failed_folder_brings_out = rejections(
    {
        "loses what the folder held": wrong("acknowledged record", {0: "a", 2: "c"}),
        "keeps a record twice": wrong("was sent once, and stands at", {0: "a", 1: "b", 2: "c", 3: "b"}),
        "says nothing of the folder": wrong("What became of the broker", ALL, is_said=False),
        "ends with the folder": wrong("What became of the broker", ALL, has_ended=True),
    }
)
test_a_run_that_lost_nothing_holds = acceptances({"right": right(ALL)})


def test_a_run_in_which_nobody_else_came_to_lead_proves_nothing(play: Callable[..., None]) -> None:
    with pytest.raises(Unproven, match="got another leader"):
        play(ALL, leaders=(1, 1))
