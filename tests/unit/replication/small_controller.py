"""A controller of one partition: it decides as Kafka's does without eligible leader replicas, and is never lost."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace as with_fields
from replica_node import TOPIC_ID

from reference_broker.metadata.brokers import BrokerImage
from reference_broker.metadata.topics import PartitionImage
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages import alter_partition_response as altered
from reference_broker.wire.messages.alter_partition_request import AlterPartitionRequest
from reference_broker.wire.messages.register_broker_record import BrokerEndpoint, RegisterBrokerRecord
from reference_broker.wire.primitives import BrokerId

if TYPE_CHECKING:
    from replica_world import World


@dataclass
class SmallController:
    """`image` is the partition; `brokers` are all that came."""

    world: World
    brokers: dict[int, BrokerImage] = field(default_factory=dict)
    image: PartitionImage = field(default=None)  # type: ignore[assignment]
    epochs: int = 0
    told: int = 0
    allows_unclean: bool = False

    def register(self, node_id: int) -> int:
        """A broker comes, fenced: it leads nothing and is in no ISR. Its epoch."""
        self.epochs += 10
        endpoint = BrokerEndpoint(name="PLAINTEXT", host=f"node{node_id}", port=9092)
        record = RegisterBrokerRecord(
            broker_id=BrokerId(node_id), broker_epoch=self.epochs, fenced=True, end_points=(endpoint,)
        )
        self.brokers[node_id] = BrokerImage(record)
        if self.image is not None:
            self.leave_isr(node_id)
        return self.epochs

    def fence(self, node_id: int, *, is_fenced: bool = True) -> None:
        known = self.brokers[node_id].registration
        self.brokers[node_id] = BrokerImage(with_fields(known, fenced=is_fenced))
        if is_fenced:
            self.leave_isr(node_id)
        else:
            self.elect()
        self.publish()

    def is_active(self, node_id: int) -> bool:
        return node_id in self.brokers and not self.brokers[node_id].is_fenced

    def leave_isr(self, node_id: int) -> None:
        """The last of the ISR stays in it, without leading."""
        isr = tuple(one for one in self.image.isr if one != node_id) or self.image.isr
        if isr != self.image.isr or self.image.leader == node_id:
            self.change(isr=isr)
        self.elect()

    def elect(self, preferred: int | None = None) -> None:
        image = self.image
        if preferred is None and self.is_active(image.leader) and image.leader in image.isr:
            return
        if preferred is not None and not (preferred in image.isr and self.is_active(preferred)):
            return
        order = [preferred] if preferred is not None else list(image.replicas)
        chosen = next((one for one in order if one in image.isr and self.is_active(one)), -1)
        isr = image.isr
        if chosen < 0 and self.allows_unclean and preferred is None:
            chosen = next((one for one in order if self.is_active(one)), -1)
            isr = (chosen,) if chosen >= 0 else isr
        if chosen != image.leader:
            self.change(leader=chosen, leader_epoch=image.leader_epoch + 1, isr=isr)

    def change(self, **fields: Any) -> None:
        self.image = replace(self.image, partition_epoch=self.image.partition_epoch + 1, **fields)

    def publish(self) -> None:
        image, brokers = self.image, dict(self.brokers)
        for node_id in list(self.world.nodes):
            self.tell(node_id, image, brokers)

    def tell(self, node_id: int, image: PartitionImage, brokers: dict[int, BrokerImage]) -> None:
        node = self.world.nodes.get(node_id)
        if node is None:
            return

        self.told += 1
        number = self.told

        def arrive() -> None:
            if node_id in self.world.cut_off:
                self.world.after(50, arrive)
            elif number > node.last_told:  # metadata is a log: nobody goes back in it
                node.last_told = number
                self.world.on_node(node, lambda: node.on_metadata(image, brokers))

        self.world.after(self.world.latency(), arrive)

    def on_alter_partition(self, request: AlterPartitionRequest) -> altered.AlterPartitionResponse:
        broker = self.brokers.get(request.broker_id)
        if broker is None or broker.epoch != request.broker_epoch:
            return altered.AlterPartitionResponse(error_code=ErrorCode.STALE_BROKER_EPOCH)
        (asked,) = request.topics[0].partitions
        code, image = self._judge(request.broker_id, asked), self.image
        if code == ErrorCode.NONE:
            self.change(isr=tuple(one.broker_id for one in asked.new_isr_with_epochs))
            image = self.image
            self.publish()
        data = altered.PartitionData(
            error_code=code,
            leader_id=BrokerId(image.leader),
            leader_epoch=image.leader_epoch,
            isr=tuple(map(BrokerId, image.isr)),
            partition_epoch=image.partition_epoch,
        )
        return altered.AlterPartitionResponse(topics=(altered.TopicData(topic_id=TOPIC_ID, partitions=(data,)),))

    def _judge(self, broker_id: int, asked: Any) -> ErrorCode:
        image = self.image
        if asked.leader_epoch < image.leader_epoch:
            return ErrorCode.FENCED_LEADER_EPOCH
        if broker_id != image.leader:
            return ErrorCode.INVALID_REQUEST
        if asked.partition_epoch < image.partition_epoch:
            return ErrorCode.INVALID_UPDATE_VERSION
        for one in asked.new_isr_with_epochs:
            is_other = one.broker_epoch not in (-1, self.brokers[one.broker_id].epoch)
            if not self.is_active(one.broker_id) or is_other:
                return ErrorCode.INELIGIBLE_REPLICA
        return ErrorCode.NONE
