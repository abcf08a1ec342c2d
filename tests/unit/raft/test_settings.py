"""What the quorum and its log are told by a configuration of each release."""

from __future__ import annotations

import pytest

from reference_broker.raft.settings import QuorumSettings, StoreSettings
from reference_broker.releases import RELEASES
from reference_broker.settings.broker_config import BrokerConfig

SETTINGS = {
    "process.roles": "controller",
    "node.id": "1",
    "listeners": "CONTROLLER://127.0.0.1:9093",
    "controller.listener.names": "CONTROLLER",
    "controller.quorum.voters": "1@127.0.0.1:9093",
    "log.dirs": "/data",
}


@pytest.mark.parametrize("profile", RELEASES)
def test_a_release_without_a_setting_does_as_it_did_before_there_was_one(profile: str) -> None:
    config = BrokerConfig.of(SETTINGS, release=RELEASES[profile])
    quorum, store = QuorumSettings.of(config), StoreSettings.of(config)
    assert quorum.fetch_max_bytes == (1 << 20 if profile >= "4.3" else 8 << 20)
    assert (quorum.auto_join, store.max_batch_bytes) == (False, 8 << 20)
