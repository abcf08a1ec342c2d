"""What clients were told, and what contradicts it: values of producers, offsets of groups, requests of operators."""

from __future__ import annotations

from reference_broker.simulation.invariants.partitions import CommittedLogs
from reference_broker.simulation.scenario.group_ledger import GroupLedger
from reference_broker.simulation.scenario.ledger import Ledger
from reference_broker.simulation.scenario.register import Register

PLACE = ("t", 0)


def ledger(lost: bool = False) -> Ledger:
    return Ledger(may_lose=lambda place, offset, older, newer: lost)


def test_what_was_acknowledged_must_be_there_in_the_end() -> None:
    known = ledger()
    known.acknowledge(PLACE, 3, b"a", 1)
    assert known.judge({PLACE: {3: b"a"}}) is None
    assert known.judge({PLACE: {}}) == "t-0 offset 3: b'a' was acknowledged, and in the end there is None"


def test_what_an_unclean_election_may_have_lost_may_be_gone() -> None:
    known = ledger(lost=True)
    known.acknowledge(PLACE, 3, b"a", 1)
    known.note_read(PLACE, 3, b"b", 2)
    assert known.judge({PLACE: {3: b"b"}}) is None


def test_one_offset_has_one_value() -> None:
    known = ledger()
    known.acknowledge(PLACE, 3, b"a", 1)
    known.acknowledge(PLACE, 3, b"b", 2)
    assert known.wrong == "t-0 offset 3: both b'a' and b'b' were acknowledged there"


def test_what_is_read_is_what_was_acknowledged() -> None:
    known = ledger()
    known.acknowledge(PLACE, 3, b"a", 1)
    known.note_read(PLACE, 3, b"b", 1)
    assert known.wrong == "t-0 offset 3: b'a' was acknowledged there, and b'b' read"


def test_a_batch_that_only_an_uncleanly_elected_replica_had_is_committed_by_its_leadership() -> None:
    """Seed 1451: it was taken for one of its own leader epoch, at whose end another stood at its offset."""
    logs = CommittedLogs()
    logs.first.add((0, 1, 0, 111))
    logs.first.add((1, 2, 1, 222))
    later = logs.first.before(1)
    later.add((1, 2, 0, 333))
    logs.part(3, later)
    assert [logs.epoch_of(0, 111), logs.epoch_of(1, 222), logs.epoch_of(1, 333), logs.epoch_of(1, 444)] == [
        0,
        1,
        3,
        None,
    ]


def test_a_register_has_what_was_written_last() -> None:
    register = Register("before")
    register.finish(register.begin("one", 10), 20)
    register.finish(register.begin("two", 30), 40)
    floor_us = register.floor_us(50)
    assert [register.may_be(value, floor_us) for value in ("before", "one", "two", "never")] == [
        *(False, False, True, False)
    ]


def test_of_writes_at_the_same_time_either_may_be_last() -> None:
    register = Register(None)
    first, second = register.begin("one", 10), register.begin("two", 15)
    register.finish(first, 20)
    register.finish(second, 30)
    assert all(register.may_be(value, register.floor_us(40)) for value in ("one", "two"))


def test_a_write_without_an_answer_may_take_effect_at_any_later_time() -> None:
    register = Register(None)
    register.begin("unknown", 10)
    register.finish(register.begin("two", 30), 40)
    assert all(register.may_be(value, register.floor_us(50)) for value in ("unknown", "two"))


def test_a_refused_write_has_no_effect() -> None:
    register = Register(None)
    register.begin("refused", 10).is_refused = True
    assert not register.may_be("refused", register.floor_us(50))


class Groups:
    """A ledger of groups, and what it says is wrong."""

    def __init__(self) -> None:
        self.wrong: list[str] = []
        self.ledger = GroupLedger(self.wrong.append)

    def commit(self, offset: int, *, node: int, sent_us: int) -> None:
        write = self.ledger.register("g", PLACE).begin(offset, sent_us)
        self.ledger.note_committed("g", PLACE, write, node=node, now_us=sent_us + 1)

    def fetch(self, offset: int, *, node: int) -> None:
        floor_us = self.ledger.floor_us("g", node, PLACE)
        self.ledger.note_fetched("g", PLACE, offset, floor_us=floor_us, node=node)


def test_a_coordinator_says_what_it_has_acknowledged_last() -> None:
    groups = Groups()
    groups.commit(1, node=1, sent_us=10)
    groups.commit(2, node=1, sent_us=20)
    groups.fetch(2, node=1)
    assert not groups.wrong
    groups.fetch(1, node=1)
    assert len(groups.wrong) == 1


def test_a_coordinator_that_was_deposed_may_say_what_it_knew() -> None:
    groups = Groups()
    groups.commit(1, node=1, sent_us=10)
    groups.commit(2, node=2, sent_us=20)
    groups.fetch(1, node=1)
    assert not groups.wrong


def test_a_coordinator_that_has_written_a_generation_knows_what_was_before_it() -> None:
    groups = Groups()
    groups.commit(1, node=1, sent_us=10)
    groups.commit(2, node=1, sent_us=20)
    groups.ledger.note_assigned("g", 3, "m", [PLACE], node=2, sent_us=30)
    groups.fetch(1, node=2)
    assert len(groups.wrong) == 1


def test_in_the_end_all_must_be_known() -> None:
    groups = Groups()
    groups.commit(1, node=1, sent_us=10)
    groups.ledger.judge("g", PLACE, -1, node=2, now_us=50)
    assert groups.wrong == [
        "group g: node 2 says that -1 is committed for t-0, which a later commit has overwritten, "
        "or nobody ever committed"
    ]


def test_a_partition_has_one_owner_in_a_generation() -> None:
    groups = Groups()
    groups.ledger.note_assigned("g", 3, "one", [PLACE], node=2, sent_us=30)
    groups.ledger.note_assigned("g", 4, "other", [PLACE], node=2, sent_us=40)
    assert not groups.wrong
    groups.ledger.note_assigned("g", 4, "one", [PLACE], node=2, sent_us=40)
    assert groups.wrong == ["group g: t-0 is owned by other and one in generation 4"]
