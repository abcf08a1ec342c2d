"""This node's settings as they count now: dynamic ones are metadata (KIP-226)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reference_broker.metadata.configs import BROKER, TOPIC
from reference_broker.metadata.delta import MetadataDelta
from reference_broker.metadata.image import MetadataImage
from reference_broker.metadata.publishing import Publisher
from reference_broker.settings.broker_config import BrokerConfig

if TYPE_CHECKING:
    from reference_broker.environment import Now


class NodeConfig:
    """The settings of the node's file, `static`, with the cluster's and its own dynamic ones laid over them: `current`.

    It subscribes when it is made, so that whoever subscribes later finds the settings as they are then.
    """

    def __init__(self, static: BrokerConfig, publisher: Publisher) -> None:
        self.static = self.current = static
        self._publisher = publisher
        self._lay_over(publisher.image)
        publisher.subscribe(self.on_metadata)

    def on_metadata(self, delta: MetadataDelta, now: Now) -> None:
        """A broker's dynamic settings may have changed."""
        if any(resource_type == BROKER for resource_type, _ in delta.changed_configs):
            self._lay_over(delta.after)

    def _lay_over(self, image: MetadataImage) -> None:
        known = self.static.keys.broker
        layers = [
            {name: text for name, text in image.config(BROKER, resource).items() if name in known}
            for resource in ("", str(self.static.node_id))
        ]
        self.current = self.static.with_dynamic(*layers)

    def log_settings(self, topic: str) -> dict[str, str]:
        """Every topic configuration of a topic, defaults filled in: what LogConfig.of takes."""
        return self.current.topic_settings(self._publisher.image.config(TOPIC, topic))
