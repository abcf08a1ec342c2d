"""A broker's life, told by a scripted controller."""

from __future__ import annotations

from typing import Any

import pytest
from scripted_controller import FIRST, ScriptedController

from reference_broker.broker.lifecycle import BrokerLifecycle, LifecycleSettings
from reference_broker.broker.states import BrokerState
from reference_broker.environment import Now
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.broker_heartbeat_request import BrokerHeartbeatRequest
from reference_broker.wire.messages.broker_heartbeat_response import BrokerHeartbeatResponse
from reference_broker.wire.messages.broker_registration_request import BrokerRegistrationRequest
from reference_broker.wire.messages.broker_registration_response import BrokerRegistrationResponse
from reference_broker.wire.primitives import BrokerId, Uuid

INTERVAL_MS = 2000
FOLDER, OTHER_FOLDER = Uuid(bytes(15) + b"\1"), Uuid(bytes(15) + b"\2")
REGISTRATION = BrokerRegistrationRequest(
    broker_id=BrokerId(1), cluster_id="c", incarnation_id=Uuid(bytes(15) + b"\7"), previous_broker_epoch=5
)
REGISTERED = BrokerRegistrationResponse(broker_epoch=42)
DUPLICATE = BrokerRegistrationResponse(error_code=ErrorCode.DUPLICATE_BROKER_REGISTRATION)
BEHIND = BrokerHeartbeatResponse(is_caught_up=False)
CAUGHT_UP = BrokerHeartbeatResponse(is_caught_up=True, is_fenced=True)
UNFENCED = BrokerHeartbeatResponse(is_caught_up=True, is_fenced=False)
MAY_STOP = BrokerHeartbeatResponse(is_caught_up=True, is_fenced=False, should_shut_down=True)


class Life(ScriptedController):
    """One broker. `events` are what its listener was told."""

    def __init__(self) -> None:
        super().__init__(retry_timeout_ms=INTERVAL_MS)
        self.events: list[Any] = []
        self.offset = 10
        self.may_cordon = False
        self.broker = BrokerLifecycle(
            registration=REGISTRATION,
            settings=LifecycleSettings(
                heartbeat_interval_ms=INTERVAL_MS, registration_timeout_ms=60_000, log_dir_failure_timeout_ms=30_000
            ),
            channel=self.channel,
            metadata_offset=lambda: self.offset,
            may_cordon=lambda: self.may_cordon,
            listener=self,
            log=lambda level, text: None,
        )

    def on_registered(self, broker_epoch: int, now: Now) -> None:
        self.events.append(("registered", broker_epoch))

    def on_caught_up(self, now: Now) -> None:
        self.events.append("caught up")

    def on_unfenced(self, now: Now) -> None:
        self.events.append("unfenced")

    def on_stopped(self, failure: str | None, now: Now) -> None:
        self.events.append(("stopped", failure))

    def pass_time(self, time_ms: int) -> None:
        self.sleep(time_ms)
        if self.monotonic_ms >= self.broker.next_deadline_ms:
            self.broker.on_time(self.now)

    def registered(self) -> Life:
        self.broker.start(self.now)
        self.answer(REGISTERED)
        return self

    def recovering(self) -> Life:
        self.registered().answer(CAUGHT_UP)
        return self

    def running(self) -> Life:
        self.recovering().broker.ready_to_unfence(self.now)
        self.answer(UNFENCED)
        return self

    def stopping(self, timeout_ms: int = 300_000) -> Life:
        self.running().broker.stop(timeout_ms, self.now)
        return self


def test_a_broker_registers_first() -> None:
    life = Life()
    life.broker.start(life.now)

    assert life.asked() == REGISTRATION


def test_a_registered_broker_sends_a_heartbeat_at_once() -> None:
    life = Life().registered()

    assert life.asked() == BrokerHeartbeatRequest(
        broker_id=BrokerId(1), broker_epoch=42, current_metadata_offset=10, want_fence=True
    )


def test_the_epoch_is_the_controllers() -> None:
    life = Life().registered()

    assert (life.broker.broker_epoch, life.events) == (42, [("registered", 42)])


def test_a_registration_that_the_last_session_stands_against_is_repeated_until_that_is_over() -> None:
    life = Life()
    life.broker.start(life.now)
    for _ in range(4):
        life.answer(DUPLICATE)
        life.pass_time(INTERVAL_MS - 1)
        assert life.taken() == []
        life.pass_time(1)
        assert life.asked() == REGISTRATION

    life.answer(REGISTERED)

    assert life.broker.broker_epoch == 42


def test_a_broker_that_no_controller_registers_gives_up() -> None:
    life = Life()
    life.channel.follow(None, life.now)
    life.broker.start(life.now)

    life.pass_time(60_000)

    ((what, failure),) = life.events
    assert (what, "initial.broker.registration.timeout.ms" in failure) == ("stopped", True)


def test_a_registration_that_found_no_controller_goes_to_the_first_one_at_once() -> None:
    life = Life()
    life.channel.follow(None, life.now)
    life.broker.start(life.now)
    life.pass_time(INTERVAL_MS)
    life.pass_time(1)

    life.channel.follow(FIRST, life.now)

    assert life.asked() == REGISTRATION


def test_a_broker_that_is_behind_asks_again_soon() -> None:
    life = Life().registered()
    life.answer(BEHIND)
    life.offset = 11

    life.pass_time(10)

    assert (life.broker.state, life.asked().current_metadata_offset) == (BrokerState.STARTING, 11)


def test_a_broker_that_has_caught_up_loads_its_logs() -> None:
    life = Life().recovering()

    assert (life.broker.state, life.events[-1]) == (BrokerState.RECOVERING, "caught up")


def test_a_broker_stays_fenced_until_its_logs_are_loaded() -> None:
    life = Life().recovering()
    life.pass_time(10)

    assert life.asked().want_fence


def test_a_broker_with_loaded_logs_asks_to_be_unfenced_at_once() -> None:
    life = Life().recovering()
    life.broker.ready_to_unfence(life.now)

    assert not life.asked().want_fence


def test_an_unfenced_broker_runs() -> None:
    life = Life().running()

    assert (life.broker.state, life.events[-1]) == (BrokerState.RUNNING, "unfenced")


def test_a_running_broker_sends_heartbeats_at_their_interval() -> None:
    life = Life().running()
    life.pass_time(INTERVAL_MS - 1)
    assert life.taken() == []

    life.pass_time(1)

    assert isinstance(life.asked(), BrokerHeartbeatRequest)


def test_one_heartbeat_is_on_its_way_at_a_time() -> None:
    life = Life().recovering()
    life.pass_time(10)
    life.taken()
    life.broker.ready_to_unfence(life.now)
    assert life.taken() == []

    life.answer(CAUGHT_UP)
    life.pass_time(0)

    assert not life.asked().want_fence


def test_a_refused_heartbeat_is_repeated_after_the_interval() -> None:
    life = Life().running()
    life.pass_time(INTERVAL_MS)
    life.answer(BrokerHeartbeatResponse(error_code=ErrorCode.STALE_BROKER_EPOCH))
    life.pass_time(INTERVAL_MS)

    assert (life.broker.state, isinstance(life.asked(), BrokerHeartbeatRequest)) == (BrokerState.RUNNING, True)


def test_a_broker_registers_again_when_it_is_told_to() -> None:
    life = Life().running()
    life.broker.register_again(life.now)

    assert life.asked() == REGISTRATION


def test_a_failed_folder_is_reported_at_once() -> None:
    life = Life().running()
    life.broker.on_directory_failed(FOLDER, life.now)

    assert life.asked().offline_log_dirs == (FOLDER,)


def test_a_broker_whose_failed_folder_no_controller_hears_of_gives_up() -> None:
    life = Life().running()
    life.broker.on_directory_failed(FOLDER, life.now)
    life.channel.follow(None, life.now)

    life.pass_time(30_000)

    what, failure = life.events[-1]
    assert (what, "log.dir.failure.timeout.ms" in failure) == ("stopped", True)


def test_a_broker_whose_failed_folder_is_known_goes_on() -> None:
    life = Life().running()
    life.broker.on_directory_failed(FOLDER, life.now)
    life.answer(UNFENCED)

    life.pass_time(30_000)

    assert (life.broker.state, life.asked().offline_log_dirs) == (BrokerState.RUNNING, (FOLDER,))


def test_a_folder_that_fails_while_a_heartbeat_is_on_its_way_is_not_taken_for_reported() -> None:
    life = Life().running()
    life.broker.on_directory_failed(FOLDER, life.now)
    life.taken()
    life.broker.on_directory_failed(OTHER_FOLDER, life.now)
    life.answer(UNFENCED)
    life.pass_time(0)
    assert life.asked().offline_log_dirs == (FOLDER, OTHER_FOLDER)
    life.channel.follow(None, life.now)

    life.pass_time(30_000)

    assert life.broker.state is BrokerState.STOPPED


def test_cordoned_folders_are_told_where_the_cluster_knows_them() -> None:
    life = Life().running()
    life.may_cordon = True
    life.broker.set_cordoned((FOLDER,), life.now)

    assert life.asked().cordoned_log_dirs == (FOLDER,)


def test_cordoned_folders_are_not_told_where_the_cluster_does_not_know_them() -> None:
    life = Life().running()
    life.broker.set_cordoned((FOLDER,), life.now)

    assert life.asked().cordoned_log_dirs is None


# -- stopping -----------------------------------------------------------------------------------------------------


def test_a_running_broker_asks_for_leave_to_stop() -> None:
    life = Life().stopping()

    assert (life.broker.state, life.asked().want_shut_down) == (BrokerState.STOPPING, True)


def test_a_broker_stops_when_the_controller_lets_it() -> None:
    life = Life().stopping()
    life.answer(MAY_STOP)

    assert (life.broker.state, life.events[-1]) == (BrokerState.STOPPED, ("stopped", None))


def test_a_broker_that_has_to_wait_asks_again_soon_and_then_at_the_interval() -> None:
    life = Life().stopping()
    life.answer(UNFENCED)
    life.pass_time(50)
    assert life.asked().want_shut_down
    life.answer(UNFENCED)
    life.pass_time(50)
    assert life.taken() == []

    life.pass_time(INTERVAL_MS - 50)

    assert life.asked().want_shut_down


def test_a_broker_stops_without_leave_when_it_takes_too_long() -> None:
    life = Life().stopping(timeout_ms=5000)
    life.answer(UNFENCED)

    life.pass_time(5000)

    assert life.events[-1] == ("stopped", None)


@pytest.mark.parametrize("code", [ErrorCode.STALE_BROKER_EPOCH, ErrorCode.BROKER_ID_NOT_REGISTERED])
def test_a_broker_that_the_controller_knows_no_more_has_nothing_to_wait_for(code: ErrorCode) -> None:
    life = Life().stopping()
    life.answer(BrokerHeartbeatResponse(error_code=code))

    assert life.broker.state is BrokerState.STOPPED


def test_a_broker_without_controlled_shutdown_asks_for_no_leave() -> None:
    life = Life().stopping(timeout_ms=0)

    assert (life.events[-1], life.taken()) == (("stopped", None), [])


def test_a_broker_that_does_not_run_yet_stops_at_once() -> None:
    life = Life().recovering()
    life.broker.stop(5000, life.now)

    assert life.events[-1] == ("stopped", None)


def test_asked_twice_a_broker_stops_once() -> None:
    life = Life().stopping()
    life.broker.stop(5000, life.now)
    life.answer(MAY_STOP)
    life.broker.stop(5000, life.now)

    assert life.events.count(("stopped", None)) == 1


def test_a_stopped_broker_asks_for_nothing() -> None:
    life = Life().stopping()
    life.answer(MAY_STOP)

    life.pass_time(INTERVAL_MS)

    assert life.taken() == []
