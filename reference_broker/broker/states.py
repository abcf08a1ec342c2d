"""The states of a broker's life, and what leads from one to the other. Source: KIP-631."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, auto
from typing import Final


class BrokerState(Enum):
    """How far this broker is.

    STARTING: it registers, and catches up with the metadata. RECOVERING: it loads its logs; the controller keeps it
    fenced. RUNNING: it is unfenced, and may lead. STOPPING: the controller moves its leaderships away (controlled
    shutdown). STOPPED: the controller has let it go, or it gave up.
    """

    STARTING = auto()
    RECOVERING = auto()
    RUNNING = auto()
    STOPPING = auto()
    STOPPED = auto()


class BrokerEvent(Enum):
    """What changes the state. GAVE_UP: the broker cannot reach what it must reach, and ends."""

    CAUGHT_UP = auto()
    UNFENCED = auto()
    STOP_ASKED = auto()
    MAY_STOP = auto()
    GAVE_UP = auto()


TRANSITIONS: Final[Mapping[tuple[BrokerState, BrokerEvent], BrokerState]] = {
    (BrokerState.STARTING, BrokerEvent.CAUGHT_UP): BrokerState.RECOVERING,
    (BrokerState.STARTING, BrokerEvent.STOP_ASKED): BrokerState.STOPPED,
    (BrokerState.STARTING, BrokerEvent.GAVE_UP): BrokerState.STOPPED,
    (BrokerState.RECOVERING, BrokerEvent.UNFENCED): BrokerState.RUNNING,
    (BrokerState.RECOVERING, BrokerEvent.STOP_ASKED): BrokerState.STOPPED,
    (BrokerState.RECOVERING, BrokerEvent.GAVE_UP): BrokerState.STOPPED,
    (BrokerState.RUNNING, BrokerEvent.STOP_ASKED): BrokerState.STOPPING,
    (BrokerState.RUNNING, BrokerEvent.GAVE_UP): BrokerState.STOPPED,
    (BrokerState.STOPPING, BrokerEvent.MAY_STOP): BrokerState.STOPPED,
    (BrokerState.STOPPING, BrokerEvent.GAVE_UP): BrokerState.STOPPED,
}
"""What is not listed is a fault of ours."""


class IllegalTransition(Exception):
    """An event that its state does not know."""


def after(state: BrokerState, event: BrokerEvent) -> BrokerState:
    """The state that an event leads to. IllegalTransition where there is none."""
    found = TRANSITIONS.get((state, event))
    if found is None:
        raise IllegalTransition(f"a broker that is {state.name} cannot go on with {event.name}")
    return found
