"""The quorum-state file: the epoch this node has seen, its leader, and whom the node voted for.

Source: KIP-595 (version 0) and KIP-853 (version 1, written once kraft.version is 1).
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from reference_broker.environment import Disk
from reference_broker.wire.primitives import ZERO_UUID, Uuid, parse_uuid, uuid_text

FILE_NAME = "quorum-state"
VERSIONS = (0, 1)
MOST = (1 << 31) - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class QuorumState:
    """What an election must not forget. -1 is nobody."""

    leader_id: int = -1
    leader_epoch: int = 0
    voted_id: int = -1
    voted_directory_id: Uuid = ZERO_UUID


def read_quorum_state(disk: Disk, directory: str) -> QuorumState:
    """The stored state; a new one where there is none. ValueError where the file is not readable as such."""
    path = f"{directory}/{FILE_NAME}"
    try:
        return _state_of(json.loads(disk.read(path)))
    except FileNotFoundError:
        return QuorumState()
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def _state_of(stored: object) -> QuorumState:
    if not isinstance(stored, dict):
        raise ValueError("it is not a JSON object")
    version = _number(stored, "data_version")
    if version not in VERSIONS:
        raise ValueError(f"data_version {version} is not known: {VERSIONS[0]} to {VERSIONS[-1]}")
    voted = stored.get("votedDirectoryId")
    if voted is not None and not isinstance(voted, str):
        raise ValueError("votedDirectoryId is not a text")
    return QuorumState(
        leader_id=_number(stored, "leaderId"),
        leader_epoch=_number(stored, "leaderEpoch"),
        voted_id=_number(stored, "votedId"),
        voted_directory_id=parse_uuid(voted) if voted else ZERO_UUID,
    )


def _number(stored: dict[str, object], name: str) -> int:
    """A whole number of 32 bits. The greatest is refused: no epoch could follow it."""
    value = stored.get(name)
    if type(value) is not int or not -MOST - 1 <= value < MOST:
        raise ValueError(f"{name} is not a whole number of 32 bits")
    return value


def write_quorum_state(
    disk: Disk, directory: str, state: QuorumState, *, kraft_version: int, voter_ids: tuple[int, ...]
) -> None:
    """Replace the file."""
    if kraft_version == 0:
        content = {
            "clusterId": "",
            "leaderId": state.leader_id,
            "leaderEpoch": state.leader_epoch,
            "votedId": state.voted_id,
            "appliedOffset": 0,
            "currentVoters": [{"voterId": voter} for voter in voter_ids],
            "data_version": 0,
        }
    else:
        content = {
            "leaderId": state.leader_id,
            "leaderEpoch": state.leader_epoch,
            "votedId": state.voted_id,
            "votedDirectoryId": uuid_text(state.voted_directory_id),
            "data_version": 1,
        }
    disk.write_atomically(f"{directory}/{FILE_NAME}", json.dumps(content, separators=(",", ":")).encode())
