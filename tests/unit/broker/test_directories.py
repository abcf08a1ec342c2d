"""Replicas are assigned to folders in batches, and what fails is sent again."""

from __future__ import annotations

import random

from scripted_controller import ScriptedController

from reference_broker.broker.directories import MOST_IN_A_REQUEST, DirectoryAssignments, Replica
from reference_broker.environment import Now
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.assign_replicas_to_dirs_request import AssignReplicasToDirsRequest
from reference_broker.wire.messages.assign_replicas_to_dirs_response import (
    AssignReplicasToDirsResponse,
    DirectoryData,
    PartitionData,
    TopicData,
)
from reference_broker.wire.primitives import BrokerId, Uuid

TOPIC, OTHER_TOPIC = Uuid(bytes(15) + b"\1"), Uuid(bytes(15) + b"\2")
FOLDER, OTHER_FOLDER = Uuid(bytes(15) + b"\3"), Uuid(bytes(15) + b"\4")


def replicas(request: AssignReplicasToDirsRequest) -> dict[Replica, Uuid]:
    return {
        (topic.topic_id, one.partition_index): folder.id
        for folder in request.directories
        for topic in folder.topics
        for one in topic.partitions
    }


def response(codes: dict[Replica, ErrorCode]) -> AssignReplicasToDirsResponse:
    topics = tuple(
        TopicData(topic_id=topic, partitions=(PartitionData(partition_index=index, error_code=code),))
        for (topic, index), code in codes.items()
    )
    return AssignReplicasToDirsResponse(directories=(DirectoryData(id=FOLDER, topics=topics),))


class Assigning(ScriptedController):
    """`assigned` are the replicas whose assignment was confirmed; those in `gone` are this broker's no more."""

    def __init__(self) -> None:
        super().__init__()
        self.assigned: list[Replica] = []
        self.gone: list[Replica] = []
        self.directories = DirectoryAssignments(
            broker_id=BrokerId(1),
            broker_epoch=lambda: 42,
            is_replica=lambda replica: replica not in self.gone,
            channel=self.channel,
            random=random.Random(1),
            log=lambda level, text: None,
        )

    def assign(self, replica: Replica, folder: Uuid = FOLDER) -> None:
        def on_assigned(now: Now) -> None:
            self.assigned.append(replica)

        self.directories.assign(replica, folder, self.now, on_assigned)

    def pass_time(self, time_ms: int) -> None:
        self.sleep(time_ms)
        self.directories.on_time(self.now)


def test_assignments_are_collected_before_they_are_sent() -> None:
    assigning = Assigning()
    assigning.assign((TOPIC, 0))
    assigning.pass_time(99)
    assigning.assign((OTHER_TOPIC, 1), OTHER_FOLDER)
    assert assigning.taken() == []

    assigning.pass_time(1)

    request = assigning.asked()
    assert (request.broker_id, request.broker_epoch) == (1, 42)
    assert replicas(request) == {(TOPIC, 0): FOLDER, (OTHER_TOPIC, 1): OTHER_FOLDER}


def test_whoever_assigned_a_replica_is_told_once_the_controller_knows() -> None:
    assigning = Assigning()
    assigning.assign((TOPIC, 0))
    assigning.pass_time(100)
    assigning.answer(response({(TOPIC, 0): ErrorCode.NONE}))

    assert (assigning.assigned, assigning.directories.pending) == ([(TOPIC, 0)], 0)


def test_one_request_is_on_its_way_at_a_time() -> None:
    assigning = Assigning()
    assigning.assign((TOPIC, 0))
    assigning.pass_time(100)
    assigning.taken()
    assigning.assign((TOPIC, 1))
    assigning.pass_time(200)
    assert assigning.taken() == []

    assigning.answer(response({(TOPIC, 0): ErrorCode.NONE}))
    assigning.pass_time(100)

    assert replicas(assigning.asked()) == {(TOPIC, 1): FOLDER}


def test_a_partition_that_was_refused_is_sent_again() -> None:
    assigning = Assigning()
    assigning.assign((TOPIC, 0))
    assigning.assign((TOPIC, 1))
    assigning.pass_time(100)
    assigning.answer(response({(TOPIC, 0): ErrorCode.NONE, (TOPIC, 1): ErrorCode.NOT_LEADER_OR_FOLLOWER}))

    assigning.pass_time(100)

    assert replicas(assigning.asked()) == {(TOPIC, 1): FOLDER}


def test_a_partition_that_was_not_answered_is_sent_again() -> None:
    assigning = Assigning()
    assigning.assign((TOPIC, 0))
    assigning.pass_time(100)
    assigning.answer(response({}))

    assigning.pass_time(100)

    assert replicas(assigning.asked()) == {(TOPIC, 0): FOLDER}


def test_a_request_that_was_refused_is_sent_again_after_growing_pauses() -> None:
    assigning = Assigning()
    assigning.assign((TOPIC, 0))
    pauses = []
    assigning.pass_time(100)
    for _ in range(3):
        assigning.answer(AssignReplicasToDirsResponse(error_code=ErrorCode.STALE_BROKER_EPOCH))
        pauses.append(assigning.directories.next_deadline_ms - assigning.monotonic_ms)
        assigning.pass_time(pauses[-1])

    assert [98 <= pauses[0] <= 102, 196 <= pauses[1] <= 204, 392 <= pauses[2] <= 408] == [True, True, True]


def test_the_latest_folder_of_a_replica_counts() -> None:
    assigning = Assigning()
    assigning.assign((TOPIC, 0))
    assigning.pass_time(100)
    assigning.taken()
    assigning.assign((TOPIC, 0), OTHER_FOLDER)
    assigning.lose()
    for _ in range(40):
        assigning.pass_time(100)  # until the channel has given the first request up
        assigning.lose()
    assigning.pass_time(200)

    assert replicas(assigning.sent[-1].request) == {(TOPIC, 0): OTHER_FOLDER}


def test_a_replica_that_is_gone_is_not_sent() -> None:
    assigning = Assigning()
    assigning.assign((TOPIC, 0))
    assigning.assign((TOPIC, 1))
    assigning.gone.append((TOPIC, 0))

    assigning.pass_time(100)

    assert replicas(assigning.asked()) == {(TOPIC, 1): FOLDER}


def test_more_than_a_request_holds_is_sent_at_once_in_several() -> None:
    assigning = Assigning()
    for index in range(MOST_IN_A_REQUEST + 1):
        assigning.assign((TOPIC, index))

    assigning.pass_time(0)

    assert len(replicas(assigning.asked())) == MOST_IN_A_REQUEST
