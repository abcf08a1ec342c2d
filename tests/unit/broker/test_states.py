"""Every pair of state and event: what is listed leads on, what is not raises."""

from __future__ import annotations

from itertools import product

import pytest

from reference_broker.broker.states import TRANSITIONS, BrokerEvent, BrokerState, IllegalTransition, after

PAIRS = list(product(BrokerState, BrokerEvent))


@pytest.mark.parametrize(("state", "event"), [pair for pair in PAIRS if pair in TRANSITIONS], ids=str)
def test_what_the_table_lists_leads_on(state: BrokerState, event: BrokerEvent) -> None:
    assert after(state, event) is TRANSITIONS[state, event]


@pytest.mark.parametrize(("state", "event"), [pair for pair in PAIRS if pair not in TRANSITIONS], ids=str)
def test_what_the_table_does_not_list_raises(state: BrokerState, event: BrokerEvent) -> None:
    with pytest.raises(IllegalTransition):
        after(state, event)


def test_nothing_leads_out_of_the_last_state() -> None:
    assert [event for state, event in TRANSITIONS if state is BrokerState.STOPPED] == []
