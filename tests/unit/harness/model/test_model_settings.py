"""Any setting of Kafka's table is taken or refused by the reference; the model has no other opinion of a topic's."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.model.settings import SETTINGS, takes
from harness.search.strategies.configs import settings as any_setting
from harness.search.strategies.setting_values import BROKER, CLIENT_METRICS, GROUP, TOPIC
from reference_broker.releases import find_release
from reference_broker.settings.config_key import ConfigKey
from reference_broker.settings.config_keys import config_keys
from reference_broker.settings.validators import ConfigInvalid

KEYS = config_keys(find_release("4.3.1"))
OF = {TOPIC: KEYS.topic, BROKER: KEYS.broker, GROUP: KEYS.group, CLIENT_METRICS: KEYS.client_metrics}
QUICK = settings(max_examples=300, deadline=None, database=None)


def reason_refused(key: ConfigKey, value: str | None) -> str | None:
    """What the reference says against a value; None where it takes it."""
    try:
        key.parse(value)
    except ConfigInvalid as refusal:
        return str(refusal)
    return None


@pytest.mark.parametrize("resource_type", list(OF))
@QUICK
@given(data=st.data())
def test_any_setting_is_taken_or_refused_by_its_name(resource_type: int, data: st.DataObject) -> None:
    name, value = data.draw(any_setting(resource_type))
    reason = reason_refused(OF[resource_type][name], value)

    assert reason is None or name in reason


@QUICK
@given(setting=any_setting(TOPIC))
def test_the_model_and_the_reference_agree_on_what_a_topic_takes(setting: tuple[str, str | None]) -> None:
    name, value = setting
    opinion = takes(name, value)

    assert opinion is None or opinion == (reason_refused(KEYS.topic[name], value) is None)


def test_a_list_is_told_without_blanks() -> None:
    assert SETTINGS["cleanup.policy"].told("delete, compact") == "delete,compact"
    assert SETTINGS["retention.ms"].told("5") == "5"
