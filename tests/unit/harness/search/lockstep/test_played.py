"""What was played under the model's eyes is counted, and too little of it proves nothing."""

from __future__ import annotations

import pytest

from harness.judging.outcome import Unproven
from harness.judging.verdicts import Validity
from harness.search.lockstep.machine import Explored
from harness.search.lockstep.played import LeastPlayed, Played, activity
from reference_broker.wire.messages.heartbeat_response import HeartbeatResponse
from reference_broker.wire.messages.metadata_response import MetadataResponse, MetadataResponseTopic

SOUND = HeartbeatResponse(error_code=0)
REFUSED = HeartbeatResponse(error_code=25)
LEAST = LeastPlayed(answers=2, refusals=1, sound=("Heartbeat",))


def played(*answers: HeartbeatResponse) -> Played:
    found = Played()
    for answer in answers:
        found.count_answer("Heartbeat", answer)
    return found


def test_enough_answers_of_both_kinds_are_enough() -> None:
    verdict = activity(played(SOUND, REFUSED), LEAST)

    assert (verdict.validity, verdict.reason) == (Validity.VALID, "")
    assert "2 answers judged, 1 of them refusals; without an error: Heartbeat 1" in verdict.rests_on


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        (played(SOUND, SOUND), "0 refusals, and 1 are needed"),
        (played(REFUSED, REFUSED), "no Heartbeat was answered without an error"),
        (played(SOUND), "1 answers judged, and 2 are needed; 0 refusals, and 1 are needed"),
    ],
    ids=["no refusal", "refusals alone", "too few"],
)
def test_too_little_is_unknown_and_says_what(found: Played, reason: str) -> None:
    verdict = activity(found, LEAST)

    assert (verdict.validity, verdict.reason) == (Validity.UNKNOWN, reason)


def test_a_run_that_did_nothing_is_not_proven() -> None:
    with pytest.raises(Unproven, match="0 answers judged, and 50 are needed"):
        Explored(Played(), (), activity(Played(), LeastPlayed())).require_enough()


def test_an_error_anywhere_in_an_answer_is_a_refusal() -> None:
    found = Played()
    found.count_answer("Metadata", MetadataResponse(topics=(MetadataResponseTopic(error_code=3),)))

    assert (found.refusals, found.sound["Metadata"]) == (1, 0)


def test_answers_after_a_restart_are_counted() -> None:
    found = played(SOUND)
    found.restarts = 1
    found.count_answer("Heartbeat", SOUND)

    assert found.after_restart == 1
