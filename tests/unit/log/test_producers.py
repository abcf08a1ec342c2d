"""Producers of a log: a retry is recognised, a gap refused, a transaction known, also after a restart."""

from __future__ import annotations

from pathlib import Path

import pytest
from log_on_disk import NOW, batch, opened

from reference_broker.log.producer_state import ProducerState
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.records import BatchHeader, Record, encode_batch, parse_batch_header
from reference_broker.wire.refusal import KafkaError


def test_a_retried_batch_is_appended_once_and_answered_with_its_first_offset(tmp_path: Path) -> None:
    log = opened(tmp_path)
    log.append_from_client(batch(2), 0, NOW)
    sent = batch(3, producer_id=7, producer_epoch=0, base_sequence=0)
    first = log.append_from_client(sent, 0, NOW)
    again = log.append_from_client(sent, 0, NOW)
    assert (again.first_offset, again.is_duplicate) == (first.first_offset, True)
    assert log.log_end_offset == 5


@pytest.mark.parametrize(("epoch", "sequence", "code"), [
    (0, 9, ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER),
    (1, 3, ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER),
    (-2, 3, ErrorCode.INVALID_PRODUCER_EPOCH),
])  # fmt: skip
def test_a_batch_that_does_not_follow_is_refused(tmp_path: Path, epoch: int, sequence: int, code: ErrorCode) -> None:
    log = opened(tmp_path)
    log.append_from_client(batch(3, producer_id=7, producer_epoch=0, base_sequence=0), 0, NOW)
    with pytest.raises(KafkaError) as refused:
        log.append_from_client(batch(1, producer_id=7, producer_epoch=epoch, base_sequence=sequence), 0, NOW)
    assert refused.value.code == code


def test_the_last_sequence_of_a_producer_survives_a_restart(tmp_path: Path) -> None:
    log = opened(tmp_path)
    sent = batch(3, producer_id=7, producer_epoch=0, base_sequence=0)
    log.append_from_client(sent, 0, NOW)
    log.close(NOW)
    again = opened(tmp_path, is_clean=True)
    assert again.append_from_client(sent, 0, NOW).is_duplicate


def test_a_retry_of_the_fifth_last_batch_is_still_recognised(tmp_path: Path) -> None:
    log = opened(tmp_path)
    sent = [batch(1, producer_id=7, producer_epoch=0, base_sequence=at) for at in range(6)]
    for one in sent:
        log.append_from_client(one, 0, NOW)
    assert log.append_from_client(sent[1], 0, NOW).first_offset == 1
    with pytest.raises(KafkaError) as refused:
        log.append_from_client(sent[0], 0, NOW)
    assert refused.value.code == ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER


def test_a_producer_that_fell_silent_may_begin_anywhere(tmp_path: Path) -> None:
    log = opened(tmp_path)
    log.append_from_client(batch(1, producer_id=7, producer_epoch=0, base_sequence=0), 0, NOW)
    log.producers.expire(NOW)
    assert log.active_producers() == []
    log.append_from_client(batch(1, producer_id=7, producer_epoch=0, base_sequence=40), 0, NOW)
    assert log.log_end_offset == 2


def test_a_new_epoch_begins_with_sequence_zero(tmp_path: Path) -> None:
    log = opened(tmp_path)
    log.append_from_client(batch(3, producer_id=7, producer_epoch=0, base_sequence=0), 0, NOW)
    log.append_from_client(batch(1, producer_id=7, producer_epoch=1, base_sequence=0), 0, NOW)
    assert [(p.epoch, p.last_sequence) for p in log.active_producers()] == [(1, 0)]


def test_truncating_forgets_what_producers_wrote_beyond(tmp_path: Path) -> None:
    log = opened(tmp_path)
    for at in range(3):
        log.append_from_client(batch(1, producer_id=7, producer_epoch=0, base_sequence=at), 0, NOW)
    log.truncate_to(1)
    again = log.append_from_client(batch(1, producer_id=7, producer_epoch=0, base_sequence=1), 0, NOW)
    assert (again.is_duplicate, again.first_offset) == (False, 1)


def marker(*, is_commit: bool) -> bytes:
    key, value = bytes((0, 0, 0, is_commit)), bytes(6)
    return encode_batch(
        [Record(0, NOW, key, value)], producer_id=7, producer_epoch=0, is_transactional=True, is_control=True
    )


@pytest.mark.parametrize("is_commit", [True, False])
def test_a_transaction_holds_the_stable_offset_until_its_marker_is_replicated(tmp_path: Path, is_commit: bool) -> None:
    log = opened(tmp_path)
    log.append_from_client(batch(2), 0, NOW)
    sent = batch(2, producer_id=7, producer_epoch=0, base_sequence=0, is_transactional=True)
    log.append_from_client(sent, 0, NOW)
    log.append_own(marker(is_commit=is_commit), 0, NOW)
    log.set_high_watermark(4)
    assert log.last_stable_offset == 2
    log.set_high_watermark(5)
    assert log.last_stable_offset == 5


@pytest.mark.parametrize("is_clean", [True, False])
def test_an_aborted_transaction_is_still_known_after_a_restart(tmp_path: Path, is_clean: bool) -> None:
    log = opened(tmp_path)
    sent = batch(2, producer_id=7, producer_epoch=0, base_sequence=0, is_transactional=True)
    log.append_from_client(sent, 0, NOW)
    log.append_own(marker(is_commit=False), 0, NOW)
    log.close(NOW)
    if not is_clean:
        (tmp_path / "orders-0" / f"{0:020d}.txnindex").unlink()
    again = opened(tmp_path, is_clean=is_clean)
    fetched = again.read(0, 1 << 20, 3, at_least_one_batch=True)
    assert again.aborted_transactions(0, fetched) == [(7, 0, 2, 3)]


def test_a_producer_that_wrote_without_an_epoch_goes_on_anywhere(tmp_path: Path) -> None:
    log = opened(tmp_path)
    log.append_from_client(batch(1, producer_id=7, producer_epoch=-1, base_sequence=0), 0, NOW)
    log.append_from_client(batch(1, producer_id=7, producer_epoch=0, base_sequence=40), 0, NOW)
    assert [(p.epoch, p.last_sequence) for p in log.active_producers()] == [(0, 40)]


def test_a_batch_that_is_written_anew_needs_its_producers_epoch(tmp_path: Path) -> None:
    log = opened(tmp_path, compression_type="gzip")
    with pytest.raises(KafkaError) as refused:
        log.append_from_client(batch(1, producer_id=7, producer_epoch=-1, base_sequence=0), 0, NOW)
    assert refused.value.code == ErrorCode.UNKNOWN_SERVER_ERROR


@pytest.mark.parametrize(("silent_since_ms", "known"), [(NOW - 1, [7]), (NOW, [])])
def test_a_producer_that_fell_silent_before_a_restart_is_not_loaded(
    tmp_path: Path, silent_since_ms: int, known: list[int]
) -> None:
    log = opened(tmp_path)
    log.append_from_client(batch(1, producer_id=7, producer_epoch=0, base_sequence=0), 0, NOW)
    log.close(NOW)
    again = opened(tmp_path, is_clean=True, silent_since_ms=silent_since_ms)
    assert [producer.producer_id for producer in again.active_producers()] == known


def header_of(sequence: int, epoch: int = 0) -> BatchHeader:
    return parse_batch_header(batch(1, producer_id=7, producer_epoch=epoch, base_sequence=sequence))


@pytest.mark.parametrize(
    ("asked", "begins_at_zero", "then", "is_taken"),
    [
        ([(3, 0)], False, (3, 0), True),
        ([(3, 0)], False, (4, 0), False),
        ([(3, 0), (2, 0)], False, (3, 0), False),
        ([(3, 0), (5, 0)], False, (3, 0), True),
        ([(3, 0), (5, 1)], False, (5, 1), True),
        ([(3, 1), (0, 0)], False, (3, 1), True),
        ([(3, 0)], True, (3, 0), False),
        ([(3, 0)], True, (0, 0), True),
    ],
)
def test_a_producer_that_was_not_verified_does_not_skip_what_was_refused(
    asked: list[tuple[int, int]], begins_at_zero: bool, then: tuple[int, int], is_taken: bool
) -> None:
    state = ProducerState()
    for sequence, epoch in asked:
        assert state.begin_verification(header_of(sequence, epoch), NOW, begins_at_zero=begins_at_zero)
    if is_taken:
        state.check(header_of(*then))
        return
    with pytest.raises(KafkaError) as refused:
        state.check(header_of(*then))
    assert refused.value.code == ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER


def test_an_older_epoch_is_not_verified() -> None:
    state = ProducerState()
    state.note(header_of(0, epoch=2))
    with pytest.raises(KafkaError) as refused:
        state.begin_verification(header_of(0, epoch=1), NOW, begins_at_zero=False)
    assert refused.value.code == ErrorCode.INVALID_PRODUCER_EPOCH


def test_a_release_may_verify_an_older_epoch_all_the_same() -> None:
    state = ProducerState()
    state.note(header_of(0, epoch=2))
    assert state.begin_verification(header_of(0, epoch=1), NOW, begins_at_zero=False, checks_epoch=False)


def test_an_open_transaction_is_not_verified_again(tmp_path: Path) -> None:
    log = opened(tmp_path)
    log.append_from_client(batch(2, producer_id=7, producer_epoch=0, base_sequence=0, is_transactional=True), 0, NOW)
    assert not log.producers.begin_verification(header_of(2), NOW, begins_at_zero=True)
    assert log.producers.begin_verification(header_of(0, epoch=1), NOW, begins_at_zero=True)


def test_records_of_a_transaction_end_its_verification(tmp_path: Path) -> None:
    log = opened(tmp_path)
    log.producers.begin_verification(header_of(0), NOW, begins_at_zero=True)
    log.append_from_client(batch(2, producer_id=7, producer_epoch=0, base_sequence=0, is_transactional=True), 0, NOW)
    assert not log.producers.verifications


def test_verifications_are_forgotten_with_time() -> None:
    state = ProducerState()
    state.begin_verification(header_of(3), NOW, begins_at_zero=False)
    state.expire(NOW - 1)
    assert state.verifications
    state.expire(NOW)
    assert not state.verifications
