"""Which logs are compacted, when, how fast; what counts of settings that change meanwhile."""

from __future__ import annotations

import pytest
from broker_in_memory import NOW, BrokerInMemory

from reference_broker.log.compaction.offset_map import ENTRY, OffsetMap
from reference_broker.metadata.image import BROKER, TOPIC
from reference_broker.wire.messages.config_record import ConfigRecord
from reference_broker.wire.records import Record, encode_batch

BACKOFF_MS = 15_000
"""log.cleaner.backoff.ms, as it is by default."""
COMPACTED = {"cleanup_policy": "compact", "min_cleanable_dirty_ratio": "0.01"}


def broker_with(**settings: str) -> BrokerInMemory:
    return BrokerInMemory(settings={name.replace("_", "."): value for name, value in settings.items()})


def configure(broker: BrokerInMemory, kind: int, resource: str, **settings: str) -> None:
    records = tuple(
        (ConfigRecord(resource_type=kind, resource_name=resource, name=name.replace("_", "."), value=value), 0)
        for name, value in settings.items()
    )
    broker.controller.commit(records, broker.now)


def fill(broker: BrokerInMemory, count: int = 20, *, name: str = "t") -> None:
    """Records of one key, and a segment that is closed."""
    for _ in range(count):
        broker.append(b"v" * 100, name=name)
    broker.partition(name).log.roll(broker.now_ms)
    broker.append(b"last", name=name)


def pass_time(broker: BrokerInMemory, ms: int) -> None:
    """All that comes due until then is done, in order."""
    until = broker.now_ms + ms
    while (due := broker.partitions.next_deadline_ms()) is not None and due <= until:
        broker.now_ms = max(broker.now_ms, due)
        broker.partitions.on_time(broker.now)
    broker.now_ms = until


def clean_up_to(broker: BrokerInMemory, name: str = "t") -> int:
    (folder,) = broker.partitions.folders
    return folder.clean_up_to.get((name, 0), -1)


def count_of(broker: BrokerInMemory, name: str = "t") -> int:
    return sum(one.header.records_count for one in broker.partition(name).log.batches_from(0))


def test_a_dirty_log_is_compacted_when_it_is_next_looked_at() -> None:
    broker = BrokerInMemory()
    broker.create("t", **COMPACTED)
    pass_time(broker, 1)
    fill(broker)
    pass_time(broker, BACKOFF_MS - 2)
    assert clean_up_to(broker) == -1
    pass_time(broker, 10)
    assert (clean_up_to(broker), count_of(broker)) == (20, 2)


def test_the_checkpoint_is_there_after_a_restart() -> None:
    broker = BrokerInMemory()
    broker.create("t", **COMPACTED)
    fill(broker)
    pass_time(broker, BACKOFF_MS)
    assert clean_up_to(broker.restarted()) == 20


def test_a_log_that_is_not_dirty_enough_is_left() -> None:
    broker = BrokerInMemory()
    broker.create("t", **COMPACTED | {"min_cleanable_dirty_ratio": "1"})
    fill(broker)
    pass_time(broker, 2 * BACKOFF_MS)
    assert clean_up_to(broker) == -1
    configure(broker, TOPIC, "t", min_cleanable_dirty_ratio="0.9")
    pass_time(broker, BACKOFF_MS)
    assert clean_up_to(broker) == 20


def test_without_a_cleaner_compacted_logs_keep_everything() -> None:
    broker = broker_with(log_cleaner_enable="false")
    broker.create("t", **COMPACTED | {"cleanup_policy": "compact,delete", "retention_ms": "1"})
    fill(broker)
    pass_time(broker, 20 * 60_000)
    assert count_of(broker) == 21


def test_retention_of_a_compacted_log_comes_with_the_cleaner_not_with_the_other_logs() -> None:
    broker = broker_with(log_cleaner_backoff_ms="1000")
    broker.create("t", cleanup_policy="compact,delete", retention_ms="500", min_cleanable_dirty_ratio="1")
    broker.create("u", retention_ms="500")
    for name in ("t", "u"):
        fill(broker, name=name)
    pass_time(broker, 2_000)
    assert [broker.partition(name).log.log_start_offset for name in ("t", "u")] == [21, 0]
    pass_time(broker, 10 * 60_000)
    assert broker.partition("u").log.log_start_offset == 21


def test_what_is_only_compacted_is_not_deleted_by_age() -> None:
    broker = BrokerInMemory()
    broker.create("t", cleanup_policy="compact", retention_ms="1", min_cleanable_dirty_ratio="1")
    fill(broker)
    pass_time(broker, 60 * 60_000)
    assert broker.partition().log.log_start_offset == 0


@pytest.mark.parametrize(("kind", "resource"), [(BROKER, ""), (BROKER, "1")])
def test_a_shorter_backoff_counts_at_once(kind: int, resource: str) -> None:
    broker = BrokerInMemory()
    broker.create("t", **COMPACTED)
    pass_time(broker, 1)
    fill(broker)
    configure(broker, kind, resource or str(broker.node_config.static.node_id), log_cleaner_backoff_ms="100")
    pass_time(broker, 110)
    assert clean_up_to(broker) == 20


def test_a_throttled_cleaner_reads_and_writes_no_more_than_it_may() -> None:
    broker = broker_with(log_cleaner_io_max_bytes_per_second="1000")
    broker.create("t", **COMPACTED)
    fill(broker, 100)
    size = broker.partition().log.segments[0].size
    pass_time(broker, 2 * size - 12_000)  # each byte is read twice; the rate is one over some seconds
    assert clean_up_to(broker) == -1
    pass_time(broker, 40_000)
    assert clean_up_to(broker) == 100


def test_a_throttle_that_is_lifted_holds_up_nothing_more() -> None:
    broker = broker_with(log_cleaner_io_max_bytes_per_second="10")
    broker.create("t", **COMPACTED)
    fill(broker, 200)
    pass_time(broker, 20_000)
    assert clean_up_to(broker) == -1
    configure(broker, BROKER, "", log_cleaner_io_max_bytes_per_second="1e9")
    pass_time(broker, 200)
    assert clean_up_to(broker) == 200


def test_a_log_that_cannot_be_read_is_told_once_and_left_alone() -> None:
    broker = broker_with(log_cleaner_backoff_ms="1000")
    broker.create("t", **COMPACTED | {"cleanup_policy": "compact,delete", "retention_ms": "5000"})
    broker.create("u", **COMPACTED)
    for name in ("t", "u"):
        fill(broker, name=name)
    broker.disk.files["/data/t-0/" + f"{0:020d}.log"][-1] ^= 1
    pass_time(broker, 60_000)
    (line,) = [one for one in broker.events if "not compacted" in one]
    assert line.startswith("t-0 is not compacted until the next start: ")
    assert (clean_up_to(broker), clean_up_to(broker, "u")) == (-1, 20)
    assert broker.partition("t").log.log_start_offset == 0


def test_a_log_with_more_keys_than_the_map_has_room_for_is_compacted_in_several_rounds() -> None:
    broker = broker_with(log_cleaner_io_buffer_load_factor="0.02", log_cleaner_dedupe_buffer_size=str((1 << 20) + 24))
    broker.create("t", **COMPACTED)
    keys, room = 2_000, int((1 << 20) // ENTRY.size * 0.02)
    for turn in range(2):
        for first in range(0, keys, 500):
            records = [Record(number, NOW, b"%d" % (first + number), b"%d" % turn) for number in range(500)]
            broker.partition().append_own(encode_batch(records), NOW)
        broker.partition().log.roll(NOW)
    broker.append(b"last")

    pass_time(broker, BACKOFF_MS)

    rounds = [line for line in broker.events if line.startswith("t-0 is compacted up to offset ")]
    assert len(rounds) > 2 * keys // room
    assert clean_up_to(broker) == 2 * keys
    assert count_of(broker) == keys + 1


@pytest.mark.parametrize("factor", [0.0, 0.9, 7.0])
def test_the_map_stays_within_its_size_whatever_the_load_factor(factor: float) -> None:
    offsets = OffsetMap(10 * ENTRY.size, factor)
    keys = [b"%d" % number for number in range(50)]
    assert not offsets.put_all(keys, 0, list(range(50)))
    assert 1 <= len(offsets) <= 9
    assert offsets.last_offsets(keys[: len(offsets)]) == list(range(len(offsets)))
    assert set(offsets.last_offsets(keys[len(offsets) :])) == {-1}


def test_what_is_deleted_meanwhile_is_not_compacted_further() -> None:
    broker = broker_with(log_cleaner_io_max_bytes_per_second="100")
    broker.create("t", **COMPACTED)
    fill(broker, 200)
    pass_time(broker, 2_000)
    broker.delete("t")
    broker.create("t", **COMPACTED)
    broker.append(b"new")
    pass_time(broker, 60_000)
    assert count_of(broker) == 1
