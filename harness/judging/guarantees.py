"""Settings → what Kafka promises: which anomalies are forbidden, tolerated, or say nothing.

Sources: Kafka documentation, producer configurations `acks`, `enable.idempotence`, `retries`,
`max.in.flight.requests.per.connection`; topic configurations `min.insync.replicas`, `unclean.leader.election.enable`,
`flush.messages`, `cleanup.policy`; KIP-98 (idempotence), KIP-966 (loss of several replicas).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Standing(StrEnum):
    """What finding an anomaly means."""

    FORBIDDEN = "forbidden"
    TOLERATED = "tolerated"
    NOT_APPLICABLE = "not applicable"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientSettings:
    """What the clients were asked to do."""

    acks: str = "all"
    """ "all", "1" or "0"."""
    is_idempotent: bool = True
    in_flight: int = 5
    """max.in.flight.requests.per.connection."""
    retries: int = 2_147_483_647
    consumers: str = "assign"
    """ "assign" or "subscribe"."""
    commit: str = "none"
    """ "none", "auto" or "sync": when a subscribed consumer commits."""
    isolation: str = "read_uncommitted"
    compression: str = "none"
    """compression.type of the producer: none, gzip, snappy, lz4 or zstd."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicSettings:
    """What the topic and the faults were."""

    replicas: int = 1
    min_insync: int = 1
    is_unclean: bool = False
    """unclean.leader.election.enable."""
    cleanup_policy: tuple[str, ...] = ("delete",)
    is_retention_short: bool = False
    """Whether records may be deleted by time or size while the check runs."""
    is_flushed_before_ack: bool = False
    """flush.messages=1."""
    timestamp_type: str = "CreateTime"
    loses_power: bool = False
    """Whether a fault takes the page cache away; kill -9 does not."""
    moves_leader: bool = False
    """Whether a fault can make another replica the leader."""


@dataclass(frozen=True, slots=True)
class Rule:
    """Where an anomaly stands, and why."""

    standing: Standing
    because: str


ANOMALIES: Mapping[str, tuple[str, str]] = {
    "lost-write": ("D1", "an acknowledged record is in the log"),
    "unseen": ("D1", "an acknowledged record at the end of the log is in the log"),
    "vanished-read": ("D8", "a record once visible stays visible"),
    "inconsistent-offsets": ("O1", "an offset holds one record, for every reader, for ever"),
    "duplicate": ("O5", "a record sent once is in the log once"),
    "nonmonotonic-poll": ("O3", "a consumer never goes back by itself"),
    "poll-skip": ("O3", "a consumer never passes over a record"),
    "nonmonotonic-send": ("O4", "records of one producer keep their order in a partition"),
    "realtime-order": ("O8", "a record sent after another was acknowledged stands behind it"),
    "corrupt-record": ("O7", "key, headers, timestamp and value come back as they were sent"),
    "aborted-read": ("O1", "a record that was refused is not in the log"),
    "wrong-acknowledged-offset": ("O2", "the acknowledged offset is where the record stands"),
}
"""Name → (id of the claim, the promise as a sentence)."""


@dataclass(frozen=True, slots=True)
class Guarantees:
    """The rules of one check."""

    rules: Mapping[str, Rule]
    client: ClientSettings
    topic: TopicSettings

    @classmethod
    def of(cls, client: ClientSettings | None = None, topic: TopicSettings | None = None) -> Guarantees:
        """The rules that follow from the settings."""
        client = client or ClientSettings()
        topic = topic or TopicSettings()
        loss = _loss(client, topic)
        order = _order(client)
        rules = {name: Rule(Standing.FORBIDDEN, promise) for name, (_, promise) in ANOMALIES.items()}
        rules["lost-write"] = rules["unseen"] = loss
        rules["vanished-read"] = _vanishing(topic)
        rules["inconsistent-offsets"] = _rewriting(topic)
        rules["duplicate"] = _duplication(client)
        rules["nonmonotonic-send"] = rules["realtime-order"] = order
        if client.consumers == "subscribe":
            moved = Rule(Standing.TOLERATED, "a rebalance may move a subscribed consumer's position")
            rules["poll-skip"] = rules["nonmonotonic-poll"] = moved
        if client.acks == "0":
            rules["wrong-acknowledged-offset"] = Rule(Standing.NOT_APPLICABLE, "acks=0 acknowledges no offset")
        return cls(rules, client, topic)

    def standing(self, anomaly: str) -> Standing:
        """Where an anomaly stands; one that is not listed is forbidden."""
        rule = self.rules.get(anomaly)
        return rule.standing if rule else Standing.FORBIDDEN

    def because(self, anomaly: str) -> str:
        """Why it stands there."""
        rule = self.rules.get(anomaly)
        return rule.because if rule else "no setting allows it"

    def forbids(self, anomaly: str) -> bool:
        """Whether it breaks a promise."""
        return self.standing(anomaly) is Standing.FORBIDDEN


def _deletes(topic: TopicSettings) -> Rule | None:
    """The rule where records may go away by design; None where they may not."""
    if "compact" in topic.cleanup_policy:
        return Rule(Standing.NOT_APPLICABLE, "cleanup.policy=compact removes superseded records")
    if topic.is_retention_short:
        return Rule(Standing.NOT_APPLICABLE, "retention may delete records while the check runs")
    return None


def _loss(client: ClientSettings, topic: TopicSettings) -> Rule:
    deletes = _deletes(topic)
    if deletes:
        return deletes
    if client.acks == "0":
        return Rule(Standing.TOLERATED, "acks=0 is answered before anything is written")
    if topic.loses_power and not topic.is_flushed_before_ack and topic.replicas == 1:
        return Rule(Standing.TOLERATED, "a lone replica loses its page cache with the power, unless flush.messages=1")
    if topic.replicas > 1 and topic.moves_leader:
        if client.acks != "all":
            return Rule(Standing.TOLERATED, "acks=1 waits for no follower, and the leader may change")
        if topic.is_unclean:
            return Rule(Standing.TOLERATED, "unclean.leader.election.enable lets a lagging replica lead")
        if topic.min_insync < 2:
            return Rule(Standing.TOLERATED, "min.insync.replicas=1 lets a lone replica acknowledge")
    return Rule(Standing.FORBIDDEN, f"acks={client.acks}: acknowledged means written (producer configuration acks)")


def _vanishing(topic: TopicSettings) -> Rule:
    deletes = _deletes(topic)
    if deletes:
        return deletes
    rewriting = _rewriting(topic)
    if rewriting.standing is not Standing.FORBIDDEN:
        return rewriting
    return Rule(Standing.FORBIDDEN, "consumers see only what stands below the high watermark, which stays")


def _rewriting(topic: TopicSettings) -> Rule:
    """Whether offsets that were read may be written anew."""
    if topic.is_unclean and topic.moves_leader and topic.replicas > 1:
        return Rule(Standing.TOLERATED, "an unclean leader may write offsets anew")
    if topic.loses_power and not topic.is_flushed_before_ack and topic.replicas == 1:
        return Rule(Standing.TOLERATED, "a lone replica that lost its page cache writes offsets anew")
    return Rule(Standing.FORBIDDEN, "a committed offset never changes")


def _duplication(client: ClientSettings) -> Rule:
    if client.is_idempotent:
        return Rule(Standing.FORBIDDEN, "enable.idempotence=true: a retried batch is appended once (KIP-98)")
    if client.retries == 0:
        return Rule(Standing.FORBIDDEN, "retries=0: every record is sent once")
    return Rule(Standing.TOLERATED, "without idempotence a retry may write a record twice")


def _order(client: ClientSettings) -> Rule:
    if client.is_idempotent and client.in_flight <= 5:
        return Rule(Standing.FORBIDDEN, "enable.idempotence=true keeps the order with up to 5 requests in flight")
    if client.in_flight == 1:
        return Rule(Standing.FORBIDDEN, "one request in flight keeps the order")
    return Rule(Standing.TOLERATED, "several requests in flight without idempotence may change places when retried")
