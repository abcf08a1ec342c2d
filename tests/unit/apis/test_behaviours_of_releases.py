"""What the broker does as one release does it, and not as another."""

from __future__ import annotations

import pytest
from broker_in_memory import BrokerInMemory
from broker_with_groups import BrokerWithGroups

from reference_broker.apis import describe_configs, fetch, incremental_alter_configs, offset_fetch
from reference_broker.effects import NO_RESPONSE
from reference_broker.releases import RELEASES
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.describe_configs_request import DescribeConfigsRequest, DescribeConfigsResource
from reference_broker.wire.messages.fetch_request import FetchPartition, FetchRequest, FetchTopic
from reference_broker.wire.messages.incremental_alter_configs_request import (
    AlterableConfig,
    AlterConfigsResource,
    IncrementalAlterConfigsRequest,
)
from reference_broker.wire.messages.offset_fetch_request import OffsetFetchRequest
from reference_broker.wire.primitives import ZERO_UUID, Uuid

BROKER, CLIENT_METRICS, GROUP = 4, 16, 32
SET, APPEND = 0, 2


def of(profile: str) -> BrokerInMemory:
    return BrokerInMemory(release=RELEASES[profile])


def altered(
    broker: BrokerInMemory, kind: int, name: str, key: str, operation: int, value: str
) -> tuple[int, str | None]:
    """(error code, words) of a change of one setting."""
    entry = AlterableConfig(name=key, config_operation=operation, value=value)
    change = AlterConfigsResource(resource_type=kind, resource_name=name, configs=(entry,))
    (found,) = broker.call(incremental_alter_configs, IncrementalAlterConfigsRequest(resources=(change,)), 1).responses
    return found.error_code, found.error_message


@pytest.mark.parametrize("profile", ["4.2", "4.3"])
def test_adding_to_a_nodes_setting_that_nobody_knows_is_refused_by_its_name(profile: str) -> None:
    refusal = altered(of(profile), BROKER, "1", "my.list", APPEND, "a")

    assert refusal == (ErrorCode.INVALID_CONFIG, "Unknown config name: my.list")


@pytest.mark.parametrize("profile", ["4.0", "4.4"])
def test_adding_to_a_list_without_a_default_is_an_accident(profile: str) -> None:
    assert altered(of(profile), BROKER, "1", "process.roles", APPEND, "a") == (ErrorCode.UNKNOWN_SERVER_ERROR, None)


@pytest.mark.parametrize(("profile", "ending"), [("4.0", "nS.>'."), ("4.1", "nS>'.")])
def test_a_duration_is_described(profile: str, ending: str) -> None:
    _, words = altered(of(profile), GROUP, "g", "share.auto.offset.reset", SET, "never")
    assert str(words).endswith(ending)


@pytest.mark.parametrize(("profile", "names"), [("4.0", ["match"]), ("4.1", [])])
def test_which_settings_of_clients_metrics_are_told(profile: str, names: list[str]) -> None:
    broker = of(profile)
    altered(broker, CLIENT_METRICS, "latencies", "match", SET, "client_id=a")
    wanted = DescribeConfigsResource(resource_type=CLIENT_METRICS, resource_name="latencies", configuration_keys=("x",))
    (found,) = broker.call(describe_configs, DescribeConfigsRequest(resources=(wanted,)), 4).results
    assert [one.name for one in found.configs] == names


@pytest.mark.parametrize(("profile", "code"), [("4.2", ErrorCode.UNKNOWN_SERVER_ERROR), ("4.3", ErrorCode.NONE)])
def test_a_session_that_begins_with_a_topic_of_the_zero_id(profile: str, code: ErrorCode) -> None:
    asked = FetchRequest(max_wait_ms=0, session_epoch=0, topics=(FetchTopic(partitions=(FetchPartition(),)),))
    assert of(profile).call(fetch, asked, 17).error_code == code


@pytest.mark.parametrize(
    ("before", "after", "code"),
    [("t", "", ErrorCode.NONE), ("", "t", ErrorCode.NONE), ("", "x", ErrorCode.UNKNOWN_SERVER_ERROR)],
)
def test_what_follows_a_topic_of_the_zero_id_in_an_answer(before: str, after: str, code: ErrorCode) -> None:
    """Partitions with an error come behind those that were read: only there something can follow it."""
    broker = BrokerInMemory()
    ids = {"": ZERO_UUID, "t": broker.create("t"), "x": Uuid(b"x" * 16)}
    topics = tuple(FetchTopic(topic_id=ids[name], partitions=(FetchPartition(),)) for name in (before, after))
    assert broker.call(fetch, FetchRequest(max_wait_ms=0, session_epoch=-1, topics=topics), 17).error_code == code


def test_the_offsets_of_no_group() -> None:
    old, new = (BrokerWithGroups(release=RELEASES[profile]) for profile in ("4.0", "4.1"))
    assert old.call(offset_fetch, OffsetFetchRequest(), 9) is NO_RESPONSE
    assert new.call(offset_fetch, OffsetFetchRequest(), 9).groups == ()
