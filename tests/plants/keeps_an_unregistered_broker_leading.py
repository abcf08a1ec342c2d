"""Takes a broker out of the metadata, and leaves it the leadership of its partitions.

**Bug** UnregisterBroker removes the registration only: whoever still knows the broker goes on writing to one that the
cluster has forgotten.

**Rejected by**
`checks/metadata/test_unregistered_brokers.py::test_it_takes_nothing`: still leads
"""

from __future__ import annotations

from dataclasses import replace

from reference_broker.apis import unregister_broker
from reference_broker.controller.decision import Decision
from reference_broker.controller.registration import decide_unregistration
from reference_broker.controller.sessions import BrokerSessions
from reference_broker.metadata.image import MetadataImage
from reference_broker.settings.broker_config import BrokerConfig


def plant() -> None:
    """Puts it in."""

    def only_the_registration(
        image: MetadataImage, config: BrokerConfig, broker_id: int, *, sessions: BrokerSessions | None = None
    ) -> Decision:
        decision = decide_unregistration(image, config, broker_id, sessions=sessions)
        return replace(decision, records=decision.records[-1:])

    unregister_broker.decide_unregistration = only_the_registration
