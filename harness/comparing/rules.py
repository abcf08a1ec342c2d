"""The tolerances of all comparisons: which fields may differ between clusters, and why.

A tolerance hides differences. Therefore each has a reason, and is as narrow as the reason allows.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Treatment(StrEnum):
    """How a field is treated before it is compared."""

    NAMED = "named"
    """The value is replaced by a name, numbered by first appearance; null, empty and negative values are kept."""
    SIGN = "sign"
    """A negative number is kept; any other becomes "some"."""
    THIS_REQUEST = "this request"
    """A time between sending the request and receiving its answer becomes "now"."""
    UNORDERED = "unordered"
    """The elements of the array are sorted."""
    SAID = "said"
    """A text becomes "some words"; null is kept."""
    OURS = "ours"
    """Array elements are sorted; if the request asked for everything, those without a name of the check are dropped."""


@dataclass(frozen=True, slots=True)
class Rule:
    """How a field of an API is treated, and why."""

    api: str
    """Name of the API, or a glob."""
    field: str
    """Path of the field, or a glob, with [] for array elements: "brokers[].host"."""
    treatment: Treatment
    reason: str
    noun: str = ""
    """The noun in the name of a NAMED value."""


_N, _U, _O, _S = Treatment.NAMED, Treatment.UNORDERED, Treatment.OURS, Treatment.SIGN

_WORDS = "the words name ids that are drawn at random and, of several causes, the one met first; no document tells them"

RULES: Final = (
    Rule("*", "*cluster_id", _N, "random for each cluster", "cluster id"),
    Rule("*", "*host", _N, "each node listens on an address of its own", "host"),
    Rule("*", "*port", _N, "each node listens on an address of its own", "port"),
    Rule("Produce", "responses", _U, "the order of a hash map"),
    Rule(
        "Produce",
        "responses[].partition_responses[].log_append_time_ms",
        Treatment.THIS_REQUEST,
        "the broker's clock as it appends: between the request and its answer",
    ),
    Rule("Produce", "responses[].partition_responses", _U, "the order of a hash map"),
    Rule("Fetch", "session_id", _N, "random for each session", "session"),
    Rule("ApiVersions", "finalized_features_epoch", _N, "an offset of the metadata log, which grows", "offset"),
    Rule("ApiVersions", "supported_features", _U, "the order of a hash map"),
    Rule("ApiVersions", "finalized_features", _U, "the order of a hash map"),
    Rule("Metadata", "topics", _O, "a shared cluster holds the topics of other checks, in the order of a hash map"),
    Rule("Metadata", "topics[].partitions", _U, "the order of a hash set of the answers, until Kafka 4.3"),
    Rule("Metadata", "*isr_nodes", _U, "the ISR is a set: Kafka tells it in the order of a hash set"),
    Rule("DescribeTopicPartitions", "*isr_nodes", _U, "the ISR is a set: Kafka tells it in the order of a hash set"),
    Rule("DescribeTopicPartitions", "*eligible_leader_replicas", _U, "a set, too"),
    Rule("DeleteTopics", "responses", _U, "Kafka shuffles the answers (it hides what the caller may not see)"),
    Rule("CreateTopics", "topics", _U, "the order of a hash map"),
    Rule("CreateTopics", "topics[].configs", _U, "the order of a hash map"),
    Rule("CreatePartitions", "results", _U, "the order of a hash map"),
    Rule("DescribeConfigs", "results", _U, "Kafka shuffles the answers (it hides what the caller may not see)"),
    Rule("DescribeConfigs", "results[].configs", _U, "the order of a hash map"),
    Rule("IncrementalAlterConfigs", "responses", _U, "the order of a hash map"),
    Rule("AlterConfigs", "responses", _U, "the order of a hash map"),
    Rule("ListConfigResources", "config_resources", _O, "a shared cluster holds the resources of other checks"),
    Rule("ListGroups", "groups", _O, "a shared cluster holds the groups of other checks"),
    Rule("ListOffsets", "topics", _U, "the order of a hash map"),
    Rule("ListOffsets", "topics[].partitions", _U, "the order of a hash map"),
    Rule("DeleteRecords", "topics", _U, "the order of a hash map"),
    Rule("DeleteRecords", "topics[].partitions", _U, "the order of a hash map"),
    Rule("JoinGroup", "members", _U, "the order of a hash map"),
    Rule("DescribeGroups", "groups", _U, "by the group's coordinator, which a hash of its name chooses"),
    Rule("DescribeGroups", "groups[].members", _U, "the order of a hash map"),
    Rule("DeleteGroups", "results", _U, "by the group's coordinator, which a hash of its name chooses"),
    Rule("OffsetFetch", "groups", _U, "by the group's coordinator, which a hash of its name chooses"),
    Rule("OffsetFetch", "*topics", _U, "the order of a hash map, where all are asked for"),
    Rule("OffsetFetch", "*topics[].partitions", _U, "the order of a hash map, where all are asked for"),
    Rule("DescribeProducers", "topics[].partitions[].active_producers", _U, "the order of a hash map"),
    Rule("ConsumerGroupHeartbeat", "assignment.topic_partitions", _U, "the order of a hash map"),
    Rule("ShareGroupHeartbeat", "assignment.topic_partitions", _U, "the order of a hash map"),
    Rule("ShareGroupHeartbeat", "assignment.topic_partitions[].partitions", _U, "the order of a hash set"),
    Rule("ConsumerGroupHeartbeat", "assignment.topic_partitions[].partitions", _U, "the order of a hash set"),
    Rule("StreamsGroupHeartbeat", "*_tasks", _U, "the order of a hash map"),
    Rule("ConsumerGroupDescribe", "groups", _U, "by the group's coordinator, which a hash of its name chooses"),
    Rule("ConsumerGroupDescribe", "groups[].members", _U, "the order of a hash map"),
    Rule("ConsumerGroupDescribe", "*topic_partitions", _U, "the order of a hash map"),
    Rule("ShareGroupDescribe", "groups", _U, "by the group's coordinator, which a hash of its name chooses"),
    Rule("ShareGroupDescribe", "groups[].members", _U, "the order of a hash map"),
    Rule("ShareGroupDescribe", "*topic_partitions", _U, "the order of a hash map"),
    Rule("StreamsGroupDescribe", "groups", _U, "by the group's coordinator, which a hash of its name chooses"),
    Rule("StreamsGroupDescribe", "groups[].members", _U, "the order of a hash map"),
    Rule("AddPartitionsToTxn", "*topic_results", _U, "the order of a hash map"),
    Rule("AddPartitionsToTxn", "*results_by_partition", _U, "the order of a hash map"),
    Rule("AddPartitionsToTxn", "results_by_transaction", _U, "the order of a hash map"),
    Rule("TxnOffsetCommit", "topics", _U, "the order of a hash map"),
    Rule("DescribeTransactions", "transaction_states", _U, "by the coordinator, which a hash of the id chooses"),
    Rule("ShareFetch", "responses", _U, "the order of a hash map"),
    Rule("ShareFetch", "responses[].partitions", _U, "the order of a hash map"),
    Rule("ShareAcknowledge", "responses[].partitions", _U, "the order of a hash map"),
    Rule("ShareAcknowledge", "responses", _U, "the order of a hash map"),
    Rule("InitializeShareGroupState", "results", _U, "the order of a hash map"),
    Rule("ReadShareGroupState", "results", _U, "the order of a hash map"),
    Rule("WriteShareGroupState", "results", _U, "the order of a hash map"),
    Rule("DeleteShareGroupState", "results", _U, "the order of a hash map"),
    Rule("ReadShareGroupStateSummary", "results", _U, "the order of a hash map"),
    Rule("DescribeShareGroupOffsets", "groups", _U, "by the group's coordinator, which a hash of its name chooses"),
    Rule("DescribeShareGroupOffsets", "*topics", _U, "the order of a hash map"),
    Rule("ElectLeaders", "replica_election_results", _O, "a shared cluster's topics, in the order of a hash map"),
    Rule("ListPartitionReassignments", "topics", _O, "a shared cluster holds the reassignments of other checks"),
    Rule(
        "Metadata", "controller_id", _S, "any broker, drawn for each answer: brokers do not tell who the controller is"
    ),
    Rule("AddRaftVoter", "error_message", Treatment.SAID, _WORDS),
    Rule("RemoveRaftVoter", "error_message", Treatment.SAID, _WORDS),
    Rule("AlterReplicaLogDirs", "dirs[].path", _N, "a path of the node's machine", "folder"),
    Rule("DescribeLogDirs", "results[].log_dir", _N, "a path of the node's machine", "folder"),
    Rule("DescribeLogDirs", "results[].total_bytes", _S, "the size of the node's disk"),
    Rule("DescribeLogDirs", "results[].usable_bytes", _S, "the free space of the node's disk"),
    Rule("DescribeLogDirs", "results[].topics", _O, "a shared cluster holds the topics of other checks"),
    Rule("DescribeLogDirs", "results[].topics[].partitions", _U, "the order of a hash map"),
    Rule("DescribeQuorum", "*leader_epoch", _S, "counts the starts of the node, which other checks may restart"),
    Rule("DescribeQuorum", "*high_watermark", _S, "the metadata log grows all the time (a no-op record each 500 ms)"),
    Rule("DescribeQuorum", "*log_end_offset", _S, "the metadata log grows all the time (a no-op record each 500 ms)"),
)


@dataclass(frozen=True, slots=True)
class Tolerance:
    """A tolerance for all fields of a kind, in any API."""

    what: str
    reason: str


TOLERANCES: Final = (
    Tolerance(
        "a time within the check's own window, from its first request to the answer at hand, is now",
        "two runs are at different times; the broker's clock is this machine's, so a second is slack enough for "
        "rounding and for a clock that is set",
    ),
    Tolerance(
        "on a cluster of other machines the window has a minute of slack",
        "their clocks are their own, and a check does not judge them",
    ),
    Tolerance(
        "a time at a distance that the check names, and in its window from there, is now and the distance",
        "bounds such as message.timestamp.after.max.ms are counted from the broker's present",
    ),
    Tolerance(
        "ids of topics, producers, members, sessions and log folders, and those of nodes, are named in the order in "
        "which they first appear",
        "they are drawn at random or counted by the cluster; which is which still counts",
    ),
    Tolerance(
        "names that the check made for itself are told by its labels",
        "they are made unique, so that checks can share a cluster",
    ),
    Tolerance(
        "batches are told by their headers and records, without size and compressed bytes; of the checksum, whether it "
        "is valid",
        "these depend on the version of a compression library",
    ),
    Tolerance(
        "keys, values and headers of more than 64 bytes are told by length and SHA-256",
        "the reader: nothing is hidden, two that differ have different digests",
    ),
    Tolerance(
        "an answer waited, or came at once: no finer",
        "two machines are not equally quick; an answer that took 70% of the time that it might take has waited",
    ),
)
"""The tolerances of every comparison, in addition to RULES for single fields."""
