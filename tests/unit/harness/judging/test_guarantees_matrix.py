"""Which settings forbid which anomaly."""

from __future__ import annotations

import pytest

from harness.judging.guarantees import ANOMALIES, ClientSettings, Guarantees, Standing, TopicSettings

FORBIDDEN, TOLERATED, NOT_APPLICABLE = Standing.FORBIDDEN, Standing.TOLERATED, Standing.NOT_APPLICABLE


def test_the_safe_settings_forbid_everything() -> None:
    rules = Guarantees.of()

    assert all(rules.forbids(name) for name in ANOMALIES)


@pytest.mark.parametrize(
    ("client", "topic", "anomaly", "standing"),
    [
        (ClientSettings(acks="0"), TopicSettings(), "lost-write", TOLERATED),
        (ClientSettings(acks="0"), TopicSettings(), "wrong-acknowledged-offset", NOT_APPLICABLE),
        (ClientSettings(acks="1"), TopicSettings(), "lost-write", FORBIDDEN),
        (ClientSettings(acks="1"), TopicSettings(replicas=3, moves_leader=True), "lost-write", TOLERATED),
        (ClientSettings(), TopicSettings(replicas=3, min_insync=2, moves_leader=True), "lost-write", FORBIDDEN),
        (ClientSettings(), TopicSettings(replicas=3, moves_leader=True), "unseen", TOLERATED),
        (ClientSettings(), TopicSettings(loses_power=True), "lost-write", TOLERATED),
        (ClientSettings(), TopicSettings(loses_power=True, is_flushed_before_ack=True), "lost-write", FORBIDDEN),
        (ClientSettings(), TopicSettings(cleanup_policy=("compact",)), "lost-write", NOT_APPLICABLE),
        (ClientSettings(is_idempotent=False), TopicSettings(), "duplicate", TOLERATED),
        (ClientSettings(is_idempotent=False, retries=0), TopicSettings(), "duplicate", FORBIDDEN),
        (ClientSettings(is_idempotent=False), TopicSettings(), "nonmonotonic-send", TOLERATED),
        (ClientSettings(is_idempotent=False, in_flight=1), TopicSettings(), "nonmonotonic-send", FORBIDDEN),
        (ClientSettings(consumers="subscribe"), TopicSettings(), "poll-skip", TOLERATED),
        (ClientSettings(consumers="subscribe"), TopicSettings(), "inconsistent-offsets", FORBIDDEN),
    ],
)
def test_settings_decide_where_an_anomaly_stands(
    client: ClientSettings, topic: TopicSettings, anomaly: str, standing: Standing
) -> None:
    assert Guarantees.of(client, topic).standing(anomaly) is standing
