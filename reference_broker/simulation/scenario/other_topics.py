"""Topics that come and go, each with a producer: what was acknowledged of a topic is judged while it is there.

A topic that is created again is another one, with another id and logs of its own. So what clients were told is kept by
the id, too.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from reference_broker.metadata.image import MetadataImage
from reference_broker.simulation.scenario.ledger import Ledger, Place
from reference_broker.simulation.scenario.producer import Producer
from reference_broker.simulation.world import World
from reference_broker.wire.primitives import Uuid


def place_of(topic: str, topic_id: Uuid, partition: int) -> Place:
    """Where a ledger keeps what it is told of one of these topics."""
    return f"{topic} {topic_id.hex()}", partition


class OtherTopics:
    """Their producers. A topic may be absent at any time."""

    def __init__(self, world: World, ledger: Ledger, producers: Sequence[Producer]) -> None:
        self._world, self._ledger = world, ledger
        self.producers = tuple(producers)

    def are_written(self, since_us: int) -> bool:
        """Whether each that any node knows of has had something acknowledged since then."""
        images = [process.parts.publisher.image for _, process in self._world.running()]
        return all(
            one.acked_at_us > since_us or not any(image.topics.get(one.place[0]) for image in images)
            for one in self.producers
        )

    def there(self, image: MetadataImage) -> dict[Place, Place]:
        """The partitions that are written to and are there: how the ledger names each."""
        found: dict[Place, Place] = {}
        for producer in self.producers:
            name, partition = producer.place
            topic = image.topics.get(name)
            if topic is not None:
                found[producer.place] = place_of(name, topic.id, partition)
        return found

    def lost(self, there: Iterable[Place], deleted: Iterable[str]) -> str | None:
        """A topic that has acknowledged values and is gone, although nobody asked for its deletion; None for none."""
        kept, may_go = set(there), set(deleted)
        for name, partition in self._ledger.acknowledged:
            topic, _, topic_id = name.partition(" ")
            if topic_id and (name, partition) not in kept and topic not in may_go:
                return f"{topic} has acknowledged values and is gone, and nobody asked for that"
        return None
