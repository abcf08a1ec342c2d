"""Takes a broker out of the metadata, and leaves it the leadership of its partitions.

**Bug** UnregisterBroker removes the registration only: whoever still knows the broker goes on writing to one that the
cluster has forgotten.

**Rejected by**
`checks/metadata/test_unregistered_brokers.py::test_it_takes_nothing`: still leads
"""

from __future__ import annotations

from reference_broker.apis import unregister_broker
from reference_broker.controller import broker_lifecycle
from reference_broker.controller.controller import Controller
from reference_broker.metadata.brokers import BrokerImage
from reference_broker.wire.metadata_records import VersionedRecord


def plant() -> None:
    """Puts it in."""

    def only_the_registration(controller: Controller, broker: BrokerImage) -> tuple[VersionedRecord, ...]:
        return broker_lifecycle.unregistration_records(controller, broker)[-1:]

    unregister_broker.unregistration_records = only_the_registration
