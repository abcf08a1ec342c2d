"""What a setting's rule takes, and what it says where it refuses."""

from __future__ import annotations

import pytest

from reference_broker.releases import RELEASES
from reference_broker.settings.config_key import ConfigType
from reference_broker.settings.config_keys import config_keys
from reference_broker.settings.validators import (
    NON_EMPTY,
    THROTTLED_REPLICAS,
    ConfigInvalid,
    LoadableClass,
    OffsetReset,
    OneOf,
    Range,
    Validator,
    Value,
)
from tests.vectors.setting_source import setting, validator


@pytest.mark.parametrize(
    ("rule", "value"),
    [
        (Range(1), 1),
        (Range(1, 9), 9),
        (Range(1, 9, or_minus_one=True), -1),
        (Range(0, 0.5), 0.25),
        (OneOf(("a", "b")), "b"),
        (OneOf(("a", "b")), ("a", "b")),
        (NON_EMPTY, None),
        (OffsetReset(), "by_duration:PT1H"),
        (THROTTLED_REPLICAS, ("0:1", "1:2")),
        (LoadableClass(("one.Class",)), "one.Class"),
    ],
)
def test_a_value_that_fits_is_taken(rule: Validator, value: Value) -> None:
    rule.check("a.setting", value)


@pytest.mark.parametrize(
    ("rule", "value", "reason"),
    [
        (Range(1), 0, "Value must be at least 1"),
        (Range(1, 9), 10, "Value must be no more than 9"),
        (Range(1, 9, or_minus_one=True), 0, "Value must be between 1 and 9 or equal to -1"),
        (Range(1), None, "Value must be non-null"),
        (OneOf(("a", "b")), "c", "String must be one of: a, b"),
        (NON_EMPTY, "", "String must be non-empty"),
        (OffsetReset(), "by_duration:1H", "of the format 'by_duration:<PnDTnHnMn.nS>'"),
        (THROTTLED_REPLICAS, ("0",), r"must be the literal '\*' or a list of replicas"),
        (LoadableClass(("one.Class",)), "other.Class", "Class other.Class could not be found"),
    ],
)
def test_a_refusal_says_what_would_fit(rule: Validator, value: Value, reason: str) -> None:
    with pytest.raises(ConfigInvalid, match=reason):
        rule.check("a.setting", value)


def test_a_row_of_kafka_becomes_a_setting() -> None:
    source = setting("compression.gzip.level|INT|-1|[1,...,9] or -1|dynamic")

    assert source == (
        'ConfigKey(name="compression.gzip.level", type=INT, default="-1", valid=Range(1, 9, or_minus_one=True), '
        "mode=CLUSTER_WIDE)"
    )


def test_a_rule_that_is_not_known_stops_the_generator() -> None:
    with pytest.raises(ValueError, match=r"no rule of .* says 'odd numbers'"):
        validator("INT", "odd numbers")


@pytest.mark.parametrize("release", RELEASES.values(), ids=str)
def test_every_default_is_valid(release: object) -> None:
    keys = config_keys(next(one for one in RELEASES.values() if one is release))
    for key in (*keys.broker.values(), *keys.topic.values(), *keys.group.values(), *keys.client_metrics.values()):
        if key.default is not None and not (key.type is ConfigType.LIST and key.default == ""):
            key.parse(key.default)
