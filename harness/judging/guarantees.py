"""What Kafka guarantees under given settings: which anomalies are forbidden, tolerated, or not applicable.

Whether acknowledged records are kept:

| what happened | acks=all | acks=1 |
|---|---|---|
| nothing, or processes were killed, paused or isolated, without a change of leader (a) | kept | kept |
| another replica became leader (b) | kept | may be lost |
| … and unclean.leader.election.enable=true (c) | may be lost | may be lost |
| power was lost, and flush.messages=1 (d) | kept | as above |
| power was lost by the only replica (e) | may be lost | may be lost |
| power was lost by fewer than min.insync.replicas nodes at once, eligible leader replicas on (f) | kept | may be lost |
| power was lost by as many or more, or without eligible leader replicas (g) | may be lost | may be lost |

(a) Written data survives a killed process, since it is in the page cache. (b) All in-sync replicas have the records
that acks=all acknowledged, whatever min.insync.replicas is, and only they may become leader. (c) A replica that is not
in sync may become leader. (d) Records are flushed before they are acknowledged. (e) The page cache is lost. (f) At
least one eligible replica has the record. (g) The last in-sync replica may be the one that lost the end of its log.

Sources: producer configurations `acks`, `enable.idempotence`, `retries`, `max.in.flight.requests.per.connection`;
topic configurations `min.insync.replicas`, `unclean.leader.election.enable`, `flush.messages`, `cleanup.policy`;
KIP-98 (idempotence), KIP-320 (truncation), KIP-966 (eligible leader replicas, the strict rule of min.insync.replicas).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

_SOON_MS = 3_600_000
"""With a retention time below this, records may expire while a check runs."""


class Standing(StrEnum):
    """How an anomaly is judged."""

    FORBIDDEN = "forbidden"
    TOLERATED = "tolerated"
    NOT_APPLICABLE = "not applicable"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientSettings:
    """The settings of the clients of a run."""

    acks: str = "all"
    """ "all", "1" or "0"."""
    is_idempotent: bool = True
    in_flight: int = 5
    """max.in.flight.requests.per.connection."""
    retries: int = 2_147_483_647
    consumers: str = "assign"
    """ "assign" or "subscribe"."""
    commit: str = "none"
    """ "none", "auto" or "sync": whether and how a subscribed consumer commits."""
    isolation: str = "read_uncommitted"
    compression: str = "none"
    """compression.type of the producer: none, gzip, snappy, lz4 or zstd."""
    delivery_timeout_ms: int = 10_000
    """delivery.timeout.ms, after which a producer gives up a record. Less than Kafka's default of two minutes, so that
    faults of a few seconds have an effect."""
    request_timeout_ms: int = 3_000
    """request.timeout.ms of the producer (for librdkafka also socket.timeout.ms): how long it waits for a response
    before it retries."""
    fetch_timeout_ms: int = 10_000
    """The same timeout of the consumer. Longer than a rebalance, whose requests are answered late."""
    session_timeout_ms: int = 6_000
    """session.timeout.ms, after which a group removes a member that has sent no heartbeat."""

    acknowledges_by_later: bool = False
    """Whether the library considers a batch written, and reports no offset for it, when its own response was an error
    but a later batch of the idempotent producer was acknowledged. librdkafka does."""

    @property
    def recovery_s(self) -> float:
        """How long after the last heal a consumer may still lack a record that is in the log, in s.

        Two responses may never come, and the consumer waits for the timeout of each: the one to the request in flight
        when the fault began, and the one to the next request, which asks for the leader or coordinator over another old
        connection (request.timeout.ms, librdkafka's socket.timeout.ms). In a group, its partitions may then still be
        assigned to a member that failed, whose session must time out first (session.timeout.ms, KIP-62).
        """
        session_ms = self.session_timeout_ms if self.consumers == "subscribe" else 0
        return (2 * self.fetch_timeout_ms + session_ms) / 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicSettings:
    """The settings of the topic, as read from the cluster (DescribeConfigs, Metadata, ApiVersions)."""

    replicas: int = 1
    """The smallest number of replicas of its partitions."""
    min_insync: int = 1
    is_unclean: bool = False
    """unclean.leader.election.enable."""
    cleanup_policy: tuple[str, ...] = ("delete",)
    retention_ms: int = 604_800_000
    """-1 for no limit."""
    retention_bytes: int = -1
    is_flushed_before_ack: bool = False
    """flush.messages=1."""
    timestamp_type: str = "CreateTime"
    has_eligible_leader_replicas: bool = False
    """Whether the feature eligible.leader.replicas.version is on (KIP-966)."""

    @property
    def may_delete_records(self) -> bool:
        """Whether records may be deleted by time or size while a check runs."""
        return "delete" in self.cleanup_policy and (0 <= self.retention_ms < _SOON_MS or self.retention_bytes >= 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultEffects:
    """The possible effects of a run's faults on the log."""

    power_losses: int = 0
    """The largest number of nodes that had lost their unflushed data at the same time. kill -9 does not lose any."""
    moves_leader: bool = False
    """Whether another replica has or may have become leader."""


@dataclass(frozen=True, slots=True)
class Rule:
    """Whether an anomaly is forbidden, and why."""

    standing: Standing
    because: str


ANOMALIES: Mapping[str, tuple[str, str]] = {
    "lost-write": ("D1", "an acknowledged record is in the log"),
    "unseen": ("D1", "an acknowledged record at the end of the log is in the log"),
    "lost-before-kept": ("D12", "losing a leader loses at most the end of its log"),
    "vanished-read": ("D8", "a record once visible stays visible"),
    "inconsistent-offsets": ("O1", "an offset holds one record, for every reader, for ever"),
    "offset-acknowledged-twice": ("O2", "an offset is acknowledged for one record"),
    "wrong-acknowledged-offset": ("O2", "the acknowledged offset is the record's offset in the log"),
    "duplicate": ("O5", "a record sent once is in the log once"),
    "nonmonotonic-send": ("O4", "records of one producer keep their order in a partition"),
    "realtime-order": ("O8", "a record sent after another was written has a higher offset"),
    "nonmonotonic-poll": ("O3", "a consumer never goes back without a seek or a new assignment"),
    "poll-skip": ("O3", "a consumer never skips a record"),
    "wrong-start": ("O3", "a member of a group starts where its group committed"),
    "undelivered": ("G9", "a group is given every record below its committed offset"),
    "leader-epoch-order": ("O10", "leader epochs never decrease along the offsets of a partition"),
    "corrupt-record": (
        "O7",
        "records come back from where they were sent to, with their key, headers, timestamp and value",
    ),
    "aborted-read": ("O1", "a record that was refused is not in the log"),
    "no-recovery": ("L2", "once all faults are healed, consumers go on"),
}
"""Name of an anomaly → (id of the claim that it breaks, the promise as a sentence)."""
_FORBIDDEN, _TOLERATED, _NOT_APPLICABLE = Standing.FORBIDDEN, Standing.TOLERATED, Standing.NOT_APPLICABLE


@dataclass(frozen=True, slots=True)
class Guarantees:
    """The rules by which the anomalies of one run are judged."""

    rules: Mapping[str, Rule]
    client: ClientSettings
    topic: TopicSettings
    faults: FaultEffects

    @classmethod
    def of(
        cls,
        client: ClientSettings | None = None,
        topic: TopicSettings | None = None,
        faults: FaultEffects | None = None,
    ) -> Guarantees:
        """The rules that follow from the settings."""
        client, topic, faults = client or ClientSettings(), topic or TopicSettings(), faults or FaultEffects()
        rules = {name: Rule(_FORBIDDEN, promise) for name, (_, promise) in ANOMALIES.items()}
        loss, rewriting = _loss(client, topic, faults), _rewriting(topic, faults)
        rules["lost-write"] = rules["unseen"] = rules["offset-acknowledged-twice"] = loss
        rules["vanished-read"] = _compacted(topic) or rewriting
        rules["lost-before-kept"] = _compacted(topic) or rules["lost-before-kept"]
        rules["inconsistent-offsets"] = rewriting
        rules["duplicate"] = _duplication(client, rewriting)
        rules["nonmonotonic-send"] = _order(client, rewriting)
        if rewriting.standing is _TOLERATED:
            for name in ("realtime-order", "nonmonotonic-poll", "poll-skip", "wrong-start"):
                rules[name] = rewriting
        rules |= _rules_of_groups(client)
        if client.acks == "0":
            rules["wrong-acknowledged-offset"] = Rule(_NOT_APPLICABLE, "acks=0 acknowledges no offset")
        elif loss.standing is _TOLERATED and rules["duplicate"].standing is _TOLERATED:
            because = "of a record that was written twice the acknowledged copy may be lost: " + loss.because
            rules["wrong-acknowledged-offset"] = Rule(_TOLERATED, because)
        return cls(rules, client, topic, faults)

    def standing(self, anomaly: str) -> Standing:
        """Whether an anomaly is forbidden, tolerated or not applicable; an unlisted one is forbidden."""
        rule = self.rules.get(anomaly)
        return rule.standing if rule else Standing.FORBIDDEN

    def because(self, anomaly: str) -> str:
        """Why an anomaly has its standing."""
        rule = self.rules.get(anomaly)
        return rule.because if rule else "no setting allows it"

    def forbids(self, anomaly: str) -> bool:
        """Whether an anomaly breaks a promise."""
        return self.standing(anomaly) is Standing.FORBIDDEN


def _compacted(topic: TopicSettings) -> Rule | None:
    if "compact" in topic.cleanup_policy:
        return Rule(_NOT_APPLICABLE, "cleanup.policy=compact removes superseded records")
    return None


def _loss(client: ClientSettings, topic: TopicSettings, faults: FaultEffects) -> Rule:
    """Whether acknowledged records may be lost."""
    compacted = _compacted(topic)
    if compacted:
        return compacted
    if client.acks == "0":
        return Rule(_TOLERATED, "acks=0 is answered before anything is written")
    if client.acks == "1" and topic.replicas > 1:
        if faults.moves_leader:
            return Rule(_TOLERATED, "acks=1 waits for no follower, and another replica may have come to lead")
        if faults.power_losses and not topic.is_flushed_before_ack:
            return Rule(_TOLERATED, "acks=1 waits for no follower, and the leader may have lost its page cache")
    unsafe = _unsafe(topic, faults)
    if unsafe:
        return Rule(_TOLERATED, unsafe)
    return Rule(_FORBIDDEN, f"acks={client.acks}: acknowledged means written (producer configuration acks)")


def _rewriting(topic: TopicSettings, faults: FaultEffects) -> Rule:
    """Whether offsets that were read may be overwritten; normally not: consumers read only what the whole ISR has."""
    unsafe = _unsafe(topic, faults)
    if unsafe:
        return Rule(_TOLERATED, f"offsets may be written anew: {unsafe}")
    return Rule(_FORBIDDEN, "readers see only what stands below the high watermark, which stays")


def _unsafe(topic: TopicSettings, faults: FaultEffects) -> str:
    """Why even records that all in-sync replicas had may be lost; empty if they may not."""
    if topic.is_unclean and faults.moves_leader and topic.replicas > 1:
        return "unclean.leader.election.enable=true lets a replica that lags become leader"
    if not faults.power_losses or topic.is_flushed_before_ack:
        return ""
    if topic.replicas == 1:
        return "a lone replica loses its page cache with the power, unless flush.messages=1"
    if not topic.has_eligible_leader_replicas:
        return (
            "without eligible leader replicas (KIP-966) the last replica in sync leads, though it lost its page cache"
        )
    if faults.power_losses >= topic.min_insync:
        return (
            f"{faults.power_losses} nodes lost their power at once, and min.insync.replicas={topic.min_insync} "
            f"outlasts {topic.min_insync - 1} (KIP-966)"
        )
    return ""


def _duplication(client: ClientSettings, rewriting: Rule) -> Rule:
    if rewriting.standing is _TOLERATED:
        return Rule(_TOLERATED, f"a record that was lost may be written again: {rewriting.because}")
    if client.is_idempotent:
        return Rule(_FORBIDDEN, "enable.idempotence=true: a retried batch is appended once (KIP-98)")
    if client.retries == 0:
        return Rule(_FORBIDDEN, "retries=0: every record is sent once")
    return Rule(_TOLERATED, "without idempotence a retry may write a record twice")


def _order(client: ClientSettings, rewriting: Rule) -> Rule:
    if rewriting.standing is _TOLERATED:
        return rewriting
    if client.is_idempotent and client.in_flight <= 5:
        return Rule(_FORBIDDEN, "enable.idempotence=true keeps the order with up to 5 requests in flight")
    if client.in_flight == 1:
        return Rule(_FORBIDDEN, "one request in flight keeps the order")
    return Rule(_TOLERATED, "several requests in flight without idempotence may be reordered when retried")


def _rules_of_groups(client: ClientSettings) -> dict[str, Rule]:
    """The rules that do not apply if consumers form no group, or do not report what they commit."""
    if client.consumers != "subscribe":
        nobody = Rule(_NOT_APPLICABLE, "no consumer subscribes")
        return {"wrong-start": nobody, "undelivered": nobody}
    if client.commit == "auto":
        return {"wrong-start": Rule(_NOT_APPLICABLE, "enable.auto.commit=true: clients do not tell what they commit")}
    return {}
