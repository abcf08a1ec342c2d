"""What the broker does as one release does it, and not as another."""

from __future__ import annotations

import pytest
from broker_in_memory import BrokerInMemory

from reference_broker.apis import describe_configs, incremental_alter_configs
from reference_broker.releases import RELEASES
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.describe_configs_request import DescribeConfigsRequest, DescribeConfigsResource
from reference_broker.wire.messages.incremental_alter_configs_request import (
    AlterableConfig,
    AlterConfigsResource,
    IncrementalAlterConfigsRequest,
)

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
