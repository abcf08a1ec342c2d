"""UpdateFeatures (key 57) makes the fixed voters of a quorum changeable: it raises kraft.version to 1.

**Claim** Once kraft.version is raised to 1, the quorum tells each voter with its directory id. A request only to
validate that changes nothing. The level is raised once; it cannot be lowered again, not even by an unsafe downgrade.
**Why it matters** Only a quorum with kraft.version 1 can replace a controller without a stop of the cluster.
**Kafka says** KIP-853, "kraft.version"; Kafka documentation, "Upgrade to dynamic controller quorum": from 4.1 on.
**Cannot see** A voter that does not support the level. Of 4.0, which acknowledges the change and does not make it, only
the answers are compared.
**Rejects** tests/plants/says_that_kraft_version_is_raised.py
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from checks.metadata.quorum_requests import voters
from checks.metadata.test_update_features import SAFE_DOWNGRADE, UNSAFE_DOWNGRADE, UPGRADE, levels, update
from harness.comparing.exchange import Exchange
from harness.comparing.observation import Plain
from harness.comparing.request_forms import is_since
from harness.judging.outcome import require
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.primitives import ZERO_UUID

pytestmark = [
    # A separate cluster: what is raised stays raised.
    pytest.mark.cluster(config={"controller.quorum.append.linger.ms": "20"}),
    pytest.mark.feature("UpdateFeatures"),
    pytest.mark.kip(853),
    pytest.mark.document("KIP-853", "https://cwiki.apache.org/confluence/display/KAFKA/KIP-853"),
]
FEATURE = "kraft.version"
CAN_SINCE = "4.1"


def are_fixed(exchange: Exchange) -> bool:
    """Whether the quorum tells its voters without directory ids."""
    return all(directory == ZERO_UUID for _, directory in voters(exchange))


def test_fixed_voters_become_changeable(exchange: Exchange, observe: Callable[[str, Plain], None]) -> None:
    """The voters get directory ids; nothing of the level is told before, and it stays from then on."""
    if not are_fixed(exchange):
        pytest.skip("the voters of this quorum are not fixed by controller.quorum.voters")
    answer = exchange.ask("kraft.version 1, to validate only", update((FEATURE, 1, UPGRADE)), 2)
    assert answer.error_code == ErrorCode.NONE
    require((are_fixed(exchange), levels(exchange).get(FEATURE, 0)), (True, 0), "(fixed voters, level) as before")

    raised = update((FEATURE, 1, UPGRADE), is_validated_only=False)
    assert exchange.ask("kraft.version 1", raised, 2).error_code == ErrorCode.NONE
    if not is_since(exchange, CAN_SINCE):
        observe("fixed voters, after the level was raised", are_fixed(exchange))
        return
    is_raised = any(not are_fixed(exchange) for _ in exchange.patience())
    assert is_raised, "the voters should have directory ids once kraft.version is 1"
    require(levels(exchange).get(FEATURE), 1, "the level of kraft.version")
    assert exchange.ask("kraft.version 1 again", raised, 2).error_code == ErrorCode.NONE
    for kind in (UPGRADE, SAFE_DOWNGRADE, UNSAFE_DOWNGRADE):
        lower = update((FEATURE, 0, kind), is_validated_only=False)
        answer = exchange.ask(f"kraft.version 0, upgrade type {kind}", lower, 2)
        assert answer.error_code == ErrorCode.INVALID_UPDATE_VERSION
    assert not are_fixed(exchange)
