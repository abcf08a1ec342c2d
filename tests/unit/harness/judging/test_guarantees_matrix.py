"""Which settings, under which faults, forbid which anomaly."""

from __future__ import annotations

from itertools import product

import pytest

from harness.judging.guarantees import (
    ANOMALIES,
    ClientSettings,
    FaultEffects,
    Guarantees,
    Standing,
    TopicSettings,
)

FORBIDDEN, TOLERATED, NOT_APPLICABLE = Standing.FORBIDDEN, Standing.TOLERATED, Standing.NOT_APPLICABLE
GROUPS = {"wrong-start", "undelivered"}
ACKS_1 = ClientSettings(acks="1", is_idempotent=False)
MOVED = FaultEffects(moves_leader=True)


def power(nodes: int) -> FaultEffects:
    return FaultEffects(power_losses=nodes, moves_leader=True)


def test_the_safe_settings_forbid_everything_that_they_speak_of() -> None:
    rules = Guarantees.of()

    assert {name for name in ANOMALIES if not rules.forbids(name)} == GROUPS


def test_a_group_that_commits_itself_has_every_rule() -> None:
    rules = Guarantees.of(ClientSettings(consumers="subscribe", commit="sync"))

    assert all(rules.forbids(name) for name in ANOMALIES)


@pytest.mark.parametrize(
    ("client", "topic", "anomaly", "standing"),
    [
        (ClientSettings(acks="0"), TopicSettings(), "lost-write", TOLERATED),
        (ClientSettings(acks="0"), TopicSettings(), "wrong-acknowledged-offset", NOT_APPLICABLE),
        (ClientSettings(acks="0"), TopicSettings(), "realtime-order", FORBIDDEN),
        (ClientSettings(), TopicSettings(cleanup_policy=("compact",)), "lost-write", NOT_APPLICABLE),
        (ClientSettings(), TopicSettings(retention_ms=1_000), "lost-write", FORBIDDEN),
        (ClientSettings(is_idempotent=False), TopicSettings(), "duplicate", TOLERATED),
        (ClientSettings(is_idempotent=False, retries=0), TopicSettings(), "duplicate", FORBIDDEN),
        (ClientSettings(is_idempotent=False), TopicSettings(), "nonmonotonic-send", TOLERATED),
        (ClientSettings(is_idempotent=False), TopicSettings(), "realtime-order", FORBIDDEN),
        (ClientSettings(is_idempotent=False, in_flight=1), TopicSettings(), "nonmonotonic-send", FORBIDDEN),
        (ClientSettings(consumers="subscribe"), TopicSettings(), "poll-skip", FORBIDDEN),
        (ClientSettings(consumers="subscribe", commit="auto"), TopicSettings(), "wrong-start", NOT_APPLICABLE),
        (ClientSettings(consumers="subscribe", commit="auto"), TopicSettings(), "undelivered", FORBIDDEN),
    ],
)
def test_settings_decide_where_an_anomaly_stands(
    client: ClientSettings, topic: TopicSettings, anomaly: str, standing: Standing
) -> None:
    assert Guarantees.of(client, topic).standing(anomaly) is standing


@pytest.mark.parametrize(("replicas", "min_insync"), [(1, 1), (2, 1), (2, 2), (3, 1), (3, 2), (5, 1), (5, 2)])
def test_acks_all_keeps_records_through_every_change_of_leader(replicas: int, min_insync: int) -> None:
    rules = Guarantees.of(ClientSettings(), TopicSettings(replicas=replicas, min_insync=min_insync), MOVED)

    assert {rules.standing(name) for name in ("lost-write", "unseen", "vanished-read")} == {FORBIDDEN}


@pytest.mark.parametrize("replicas", [2, 3, 5])
def test_acks_1_may_lose_records_when_the_leader_changes_but_nobody_had_read_them(replicas: int) -> None:
    rules = Guarantees.of(ACKS_1, TopicSettings(replicas=replicas, min_insync=2), MOVED)

    assert (rules.standing("lost-write"), rules.standing("vanished-read")) == (TOLERATED, FORBIDDEN)


@pytest.mark.parametrize("replicas", [1, 3])
def test_acks_1_loses_nothing_while_the_leader_stays(replicas: int) -> None:
    assert Guarantees.of(ACKS_1, TopicSettings(replicas=replicas)).forbids("lost-write")


def test_with_one_replica_acks_1_promises_what_acks_all_does() -> None:
    assert Guarantees.of(ACKS_1, TopicSettings(replicas=1), MOVED).forbids("lost-write")


@pytest.mark.parametrize("anomaly", ["lost-write", "vanished-read", "inconsistent-offsets", "realtime-order"])
def test_an_unclean_election_may_take_back_what_was_read(anomaly: str) -> None:
    topic = TopicSettings(replicas=3, min_insync=2, is_unclean=True)

    assert Guarantees.of(ClientSettings(), topic, MOVED).standing(anomaly) is TOLERATED


def test_unclean_election_allows_nothing_while_nobody_else_leads() -> None:
    topic = TopicSettings(replicas=3, is_unclean=True)

    assert all(Guarantees.of(topic=topic).forbids(name) for name in ANOMALIES if name not in GROUPS)


@pytest.mark.parametrize(
    ("replicas", "min_insync", "has_elr", "losses", "standing"),
    [
        (1, 1, False, 1, TOLERATED),
        (1, 1, True, 1, TOLERATED),
        (3, 1, True, 1, TOLERATED),
        (3, 2, True, 1, FORBIDDEN),
        (3, 2, True, 2, TOLERATED),
        (3, 2, False, 1, TOLERATED),
        (5, 3, True, 2, FORBIDDEN),
        (5, 3, True, 3, TOLERATED),
    ],
)
def test_lost_power_is_outlasted_below_min_insync_with_eligible_leader_replicas(
    replicas: int, min_insync: int, has_elr: bool, losses: int, standing: Standing
) -> None:
    topic = TopicSettings(replicas=replicas, min_insync=min_insync, has_eligible_leader_replicas=has_elr)

    assert Guarantees.of(ClientSettings(), topic, power(losses)).standing("unseen") is standing


@pytest.mark.parametrize(("replicas", "losses"), list(product([1, 3], [1, 3])))
def test_what_is_flushed_before_it_is_acknowledged_outlasts_every_loss_of_power(replicas: int, losses: int) -> None:
    topic = TopicSettings(replicas=replicas, is_flushed_before_ack=True)

    assert Guarantees.of(ClientSettings(), topic, power(losses)).forbids("lost-write")


def test_every_rule_has_a_reason() -> None:
    every = product(["all", "1", "0"], [1, 2, 3, 5], [1, 2], [False, True], [0, 1, 2], [False, True])
    for acks, replicas, min_insync, is_unclean, losses, moves in every:
        rules = Guarantees.of(
            ClientSettings(acks=acks, is_idempotent=acks == "all"),
            TopicSettings(replicas=replicas, min_insync=min_insync, is_unclean=is_unclean),
            FaultEffects(power_losses=losses, moves_leader=moves),
        )
        assert all(rules.because(name) for name in ANOMALIES)


def test_more_faults_never_promise_more() -> None:
    for acks, replicas, is_unclean in product(["all", "1"], [1, 3], [False, True]):
        topic = TopicSettings(replicas=replicas, is_unclean=is_unclean)
        calm, moved, dark = (
            Guarantees.of(ClientSettings(acks=acks), topic, faults) for faults in (FaultEffects(), MOVED, power(3))
        )
        for name in ANOMALIES:
            assert calm.forbids(name) >= moved.forbids(name) >= dark.forbids(name)
