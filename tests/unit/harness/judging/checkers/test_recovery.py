"""How long a consumer may be without a record once the faults are healed: as long as its own timeouts allow."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.history.operations import FaultAct, OpType
from harness.judging.checkers.no_recovery import no_recovery, stalled_producers
from harness.judging.guarantees import ClientSettings, Guarantees
from harness.runs.waits import Waits
from harness.workloads.synthetic import Script

ALONE, GROUP = ClientSettings(), ClientSettings(consumers="subscribe", commit="sync")
KILL = FaultAct(kind="kill", nodes=(1,))


def without_the_last_record(waiting_s: float) -> Script:
    """A consumer that reads by itself, and polls for so long after the heal without the second of two records."""
    script = Script()
    script.send("a", 0)
    script.send("b", 1)
    script.assign()
    script.poll({0: "a"})
    script.fault(KILL)
    script.heal(KILL)
    script.wait(waiting_s)
    return script


@pytest.mark.parametrize(("excess_s", "stalled"), [(-1.0, 0), (1.0, 1)])
def test_the_bound_is_that_of_the_client_s_settings(excess_s: float, stalled: int) -> None:
    settings = replace(ALONE, fetch_timeout_ms=2_000)
    script = without_the_last_record(settings.recovery_s + excess_s)
    script.poll({})
    script.final_read({0: "a", 1: "b"})

    assert no_recovery(script.history(), Guarantees.of(settings)).count == stalled


def test_polls_that_fail_are_polls_in_vain() -> None:
    script = without_the_last_record(ALONE.recovery_s + 1)
    script.add("consumer 1", OpType.INFO, "poll", error="ConnectionError: no leader")
    script.final_read({0: "a", 1: "b"})

    assert no_recovery(script.history(), Guarantees.of(ALONE)).count == 1


@pytest.mark.parametrize(("is_acknowledged", "stalled"), [(True, []), (False, ["producer 2"])])
def test_a_producer_goes_on_when_something_is_acknowledged_after_the_heal(
    is_acknowledged: bool, stalled: list[str]
) -> None:
    script = Script()
    script.send("a", 0, process="producer 2")
    script.fault(KILL)
    script.heal(KILL)
    script.send("b", 1)
    sent = script.invoke("c", process="producer 2")
    if is_acknowledged:
        script.ok(sent, 2)
    else:
        script.info(sent)

    assert stalled_producers(script.history()) == stalled


def test_a_producer_goes_on_with_another_client() -> None:
    script = Script()
    script.fault(KILL)
    script.heal(KILL)
    script.info(script.invoke("a"))
    script.send("b", 0, process="producer 1 client 2")

    assert stalled_producers(script.history()) == []


def test_a_producer_that_sent_nothing_after_the_heal_is_not_stalled() -> None:
    script = Script()
    script.info(script.invoke("a"))
    script.fault(KILL)
    script.heal(KILL)

    assert stalled_producers(script.history()) == []


def test_a_member_of_a_group_waits_for_a_lost_session_too() -> None:
    assert GROUP.recovery_s - ALONE.recovery_s == GROUP.session_timeout_ms / 1000


@pytest.mark.parametrize("settings", [ALONE, GROUP])
def test_a_run_waits_longer_than_consumers_may_need(settings: ClientSettings) -> None:
    assert Waits(settings).catch_up_s > settings.recovery_s
