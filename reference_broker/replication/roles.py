"""Which role of a broker in a partition follows which.

Source: KIP-631 (roles by metadata), KIP-112 (failed folders).
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, auto
from typing import Final

from reference_broker.replication.follower import Follower
from reference_broker.replication.leader import Leader
from reference_broker.replication.offline import Dropped, Loaded, Offline

Role = Loaded | Leader | Follower | Offline | Dropped


class Event(Enum):
    """What happens to a hosted partition."""

    MADE_LEADER = auto()
    MADE_FOLLOWER = auto()
    FOLDER_FAILED = auto()
    DROPPED = auto()


TRANSITIONS: Final[Mapping[tuple[type[Role], Event], type[Role]]] = {
    (Loaded, Event.MADE_LEADER): Leader,
    (Loaded, Event.MADE_FOLLOWER): Follower,
    (Loaded, Event.FOLDER_FAILED): Offline,
    (Loaded, Event.DROPPED): Dropped,
    (Leader, Event.MADE_LEADER): Leader,
    (Leader, Event.MADE_FOLLOWER): Follower,
    (Leader, Event.FOLDER_FAILED): Offline,
    (Leader, Event.DROPPED): Dropped,
    (Follower, Event.MADE_LEADER): Leader,
    (Follower, Event.MADE_FOLLOWER): Follower,
    (Follower, Event.FOLDER_FAILED): Offline,
    (Follower, Event.DROPPED): Dropped,
    (Offline, Event.DROPPED): Dropped,
}


class WrongTransition(RuntimeError):
    """An event that cannot happen in a role: a fault of ours."""
