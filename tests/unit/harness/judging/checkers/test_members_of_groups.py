"""Consumers that a group gives partitions to: within an assignment nothing is skipped, and it starts as committed."""

from __future__ import annotations

import pytest

from harness.history.operations import OpType, PartitionRecords, Polled
from harness.judging.checkers.no_recovery import no_recovery
from harness.judging.checkers.poll_order import nonmonotonic_poll, poll_skip, wrong_start
from harness.judging.checkers.undelivered import undelivered
from harness.judging.guarantees import ClientSettings, Guarantees
from harness.judging.verdicts import Validity
from harness.workloads.synthetic import Script

GROUP = Guarantees.of(ClientSettings(consumers="subscribe", commit="sync"))
LOG = {0: "a", 1: "b", 2: "c"}


def a_member() -> Script:
    """Three records; consumer 1 of group g was given partition 0."""
    script = Script()
    for offset, value in LOG.items():
        script.send(value, offset)
    script.subscribe()
    script.assigned(0)
    return script


def test_a_member_may_not_skip_within_an_assignment() -> None:
    script = a_member()
    script.poll({0: "a"})
    script.poll({2: "c"})
    script.final_read(LOG)

    assert poll_skip(script.history(), GROUP).validity is Validity.INVALID


def test_a_member_may_not_step_back_within_an_assignment() -> None:
    script = a_member()
    script.poll({0: "a", 1: "b"})
    script.poll({1: "b"})

    assert nonmonotonic_poll(script.history(), GROUP).validity is Validity.INVALID


def test_a_new_assignment_may_step_back_to_the_committed_offset() -> None:
    script = a_member()
    script.poll({0: "a"})
    script.committed(1)
    script.poll({1: "b"})
    script.revoked(0)
    script.assigned(0)
    script.poll({1: "b"})
    script.final_read(LOG)

    assert [checker(script.history(), GROUP).is_valid for checker in (nonmonotonic_poll, wrong_start)] == [True, True]


def test_a_partition_that_is_kept_while_another_is_taken_goes_on() -> None:
    script = a_member()
    script.assigned(1)
    script.poll({0: "a", 1: "b"})
    script.revoked(1)
    script.poll({1: "b"})

    assert nonmonotonic_poll(script.history(), GROUP).validity is Validity.INVALID


def after_a_commit(*, was_answered: bool) -> Script:
    """Offset 1 committed, and offset 2 perhaps; then the partition goes to consumer 2."""
    script = a_member()
    script.poll(LOG)
    script.committed(1)
    second = script.commit(2)
    if was_answered:
        script.add("consumer 1", OpType.OK, "commit", of=second)
    else:
        script.info(second)
    script.revoked(0)
    script.subscribe(process="consumer 2")
    script.assigned(0, process="consumer 2")
    return script


@pytest.mark.parametrize(
    ("was_answered", "first", "is_valid"),
    [
        (True, {2: "c"}, True),
        (True, {1: "b"}, False),
        (True, {0: "a"}, False),
        (False, {2: "c"}, True),
        (False, {1: "b"}, True),
        (False, {0: "a"}, False),
    ],
)
def test_a_member_starts_where_its_group_committed(was_answered: bool, first: dict[int, str], is_valid: bool) -> None:
    script = after_a_commit(was_answered=was_answered)
    script.poll(first, process="consumer 2")
    script.final_read(LOG)

    assert wrong_start(script.history(), GROUP).is_valid is is_valid


def test_without_a_commit_a_member_starts_at_the_start() -> None:
    script = a_member()
    script.poll({1: "b"})
    script.final_read(LOG)

    assert "had committed nothing" in wrong_start(script.history(), GROUP).anomalies[0].sentence


def test_a_refused_commit_is_not_in_force() -> None:
    script = a_member()
    script.poll({0: "a"})
    script.committed(1)
    script.fail(script.commit(2))
    script.revoked(0)
    script.assigned(0)
    script.poll({2: "c"})
    script.final_read(LOG)

    assert wrong_start(script.history(), GROUP).validity is Validity.INVALID


def test_two_commits_at_once_leave_open_which_is_in_force() -> None:
    script = a_member()
    script.poll(LOG)
    first, second = script.commit(1), script.commit(2)
    script.add("consumer 1", OpType.OK, "commit", of=second)
    script.add("consumer 1", OpType.OK, "commit", of=first)
    script.revoked(0)
    script.assigned(0)
    script.poll({1: "b"})
    script.final_read(LOG)

    assert wrong_start(script.history(), GROUP).is_valid


def test_a_committed_offset_without_a_record_is_passed_over() -> None:
    script = Script()
    script.send("a", 0)
    script.send("b", 5)
    script.subscribe()
    script.assigned(0)
    script.poll({0: "a"})
    script.committed(1)
    script.revoked(0)
    script.assigned(0)
    script.poll({5: "b"})
    script.final_read({0: "a", 5: "b"})

    assert wrong_start(script.history(), GROUP).is_valid


def test_what_a_client_had_fetched_before_an_assignment_may_come_with_the_poll_in_which_it_happened() -> None:
    script = a_member()
    script.poll({0: "a"})
    script.committed(1)
    poll = script.add("consumer 1", OpType.INVOKE, "poll")
    script.revoked(0)
    script.assigned(0)
    fetched = Polled((PartitionRecords("t", 0, (script.record("b", 1),)),))
    script.add("consumer 1", OpType.OK, "poll", value=fetched, of=poll)
    script.poll({1: "b"})

    assert nonmonotonic_poll(script.history(), GROUP).is_valid


def test_commits_that_clients_do_not_tell_are_not_judged() -> None:
    script = a_member()
    script.poll({1: "b"})
    script.final_read(LOG)

    rules = Guarantees.of(ClientSettings(consumers="subscribe", commit="auto"))
    assert wrong_start(script.history(), rules).reason.startswith("not applicable")


def test_a_group_that_stopped_before_the_end_leaves_it_open_whether_it_was_given_everything() -> None:
    script = a_member()
    script.poll({0: "a"})
    script.committed(1)
    script.final_read(LOG)

    assert undelivered(script.history(), GROUP).validity is Validity.UNKNOWN


def test_two_members_together_are_given_everything() -> None:
    script = a_member()
    script.poll({0: "a"})
    script.committed(1)
    script.revoked(0)
    script.subscribe(process="consumer 2")
    script.assigned(0, process="consumer 2")
    script.poll({1: "b", 2: "c"}, process="consumer 2")
    script.committed(3, process="consumer 2")
    script.final_read(LOG)

    assert undelivered(script.history(), GROUP).is_valid


def test_a_group_that_polls_in_vain_after_the_heal_has_not_recovered() -> None:
    script = a_member()
    script.poll({0: "a"})
    for _ in range(2):
        script.wait(GROUP.client.recovery_s)
        script.poll({})
    script.final_read(LOG)

    assert "g was not given t-0 offset 1" in no_recovery(script.history(), GROUP).anomalies[0].sentence
