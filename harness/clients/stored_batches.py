"""Reads a partition's record batches from the broker, with their headers, which client libraries do not expose."""

from __future__ import annotations

from harness.clients.client import ClientTrouble
from harness.clients.leader_connections import TROUBLE, LeaderConnections, RawAdmin
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.fetch_request import FetchPartition, FetchRequest, FetchTopic
from reference_broker.wire.primitives import TopicName
from reference_broker.wire.records import Batch, iter_batches

_BYTES = 8 * 1024 * 1024
_WAIT_MS = 500


def stored_batches(bootstrap: str, topic: str, partition: int) -> list[Batch]:
    """All batches from the log start offset to the high watermark. ClientTrouble when they cannot be fetched."""
    admin, view = RawAdmin(bootstrap, "batches"), LeaderConnections(bootstrap, "batches")
    found: list[Batch] = []
    try:
        position, end = admin.offsets(topic, partition)
        connection = view.leader(topic, partition)
        version = connection.highest(ApiKey.FETCH, 12)
        while position < end:
            answer = connection.request(ApiKey.FETCH, version, _request(topic, partition, position))
            code = answer.error_code or answer.responses[0].partitions[0].error_code
            if code:
                raise ClientTrouble(f"Fetch of {topic}-{partition} at {position}: {ErrorCode(code).name}")
            batches = list(iter_batches(answer.responses[0].partitions[0].records or b""))
            if not batches:
                raise ClientTrouble(f"Fetch of {topic}-{partition} at {position} gives nothing; the log ends at {end}")
            found += batches
            position = batches[-1].header.next_offset
    except TROUBLE as trouble:
        raise ClientTrouble(f"the batches of {topic}-{partition}: {type(trouble).__name__}: {trouble}") from trouble
    finally:
        admin.close()
        view.forget()
    return found


def _request(topic: str, partition: int, position: int) -> FetchRequest:
    asked = FetchPartition(partition=partition, fetch_offset=position, partition_max_bytes=_BYTES)
    named = FetchTopic(topic=TopicName(topic), partitions=(asked,))
    return FetchRequest(max_wait_ms=_WAIT_MS, min_bytes=1, max_bytes=_BYTES, topics=(named,))
