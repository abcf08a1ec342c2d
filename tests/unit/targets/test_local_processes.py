"""A local process can be started, stopped, killed, paused, and is never left behind."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.hosts import plain
from harness.hosts.host import HostTrouble, ProcessState, state_in_stat, wait_until
from harness.hosts.plain import LocalProcess, PlainHost

OBEDIENT = "import signal; print('up', flush=True); signal.pause()"
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + OBEDIENT


@pytest.fixture
def started(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[LocalProcess]:
    program = getattr(request, "param", OBEDIENT)
    process = LocalProcess([sys.executable, "-c", program], folder=tmp_path, log=tmp_path / "log", environment={})
    process.start()
    wait_until(lambda: "up" in process.log.read_text(), 20, "the test's process did not start")
    yield process
    process.kill()


def test_a_stop_ends_it_by_sigterm(started: LocalProcess) -> None:
    started.stop(20)
    assert started.exit_status == -15


@pytest.mark.parametrize("started", [STUBBORN], indirect=True)
def test_one_that_ignores_sigterm_is_killed_and_that_is_said(started: LocalProcess) -> None:
    with pytest.raises(HostTrouble, match="did not end within"):
        started.stop(0.1)
    assert started.exit_status == -9


def test_a_pause_stops_it_and_a_resume_continues_it(started: LocalProcess) -> None:
    started.pause()
    paused = started.state
    started.resume()
    assert (paused, started.state) == (ProcessState.STOPPED, ProcessState.RUNNING)


def test_a_paused_one_can_be_stopped_cleanly(started: LocalProcess) -> None:
    started.pause()
    started.stop(20)
    assert started.exit_status == -15


def test_a_paused_one_counts_as_alive(started: LocalProcess) -> None:
    started.pause()
    assert started.is_alive


def test_after_a_kill_it_starts_again_and_its_log_goes_on(started: LocalProcess) -> None:
    started.kill()
    started.start()
    wait_until(lambda: started.log.read_text().count("up") == 2, 20, "the log does not go on")
    assert started.is_alive


def test_a_second_start_is_refused(started: LocalProcess) -> None:
    with pytest.raises(HostTrouble, match="is already running"):
        started.start()


def test_a_dead_one_cannot_be_paused(started: LocalProcess) -> None:
    started.kill()
    with pytest.raises(HostTrouble, match="does not run"):
        started.pause()


def test_a_program_that_is_not_there_is_named(tmp_path: Path) -> None:
    process = LocalProcess(["/no/such/program"], folder=tmp_path, log=tmp_path / "log", environment={})
    with pytest.raises(HostTrouble, match="cannot start /no/such/program"):
        process.start()


def test_one_that_its_owner_forgot_dies_with_the_owner(tmp_path: Path) -> None:
    owner = f"""
from pathlib import Path
from harness.hosts.plain import LocalProcess
here = Path({str(tmp_path)!r})
process = LocalProcess([{sys.executable!r}, "-c", {OBEDIENT!r}], folder=here, log=here / "log", environment={{}})
process.start()
print(process.pid)
"""
    said = subprocess.run([sys.executable, "-c", owner], capture_output=True, text=True, check=True)
    assert PlainHost().state_of(int(said.stdout)) is ProcessState.GONE


@pytest.mark.parametrize(
    ("stat", "state"),
    [
        ("7 (a) T) S 1 7", ProcessState.RUNNING),
        ("7 (java) T 1 7", ProcessState.STOPPED),
        ("7 (java) Z 1 7", ProcessState.GONE),
    ],
)
def test_the_state_is_read_behind_a_name_that_may_hold_brackets(stat: str, state: ProcessState) -> None:
    assert state_in_stat(stat) is state


def test_what_libfaketime_keeps_of_a_killed_process_is_removed(
    started: LocalProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plain, "_SHARED_MEMORY", tmp_path)
    own, other = tmp_path / f"faketime_shm_{started.pid}", tmp_path / "faketime_shm_1"
    own.touch()
    other.touch()

    started.kill()

    assert (own.exists(), other.exists()) == (False, True)
