"""Logs around a moment, and history around an operation."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from harness.workloads.synthetic import Script
from reports.excerpt import LINES, history_lines, log_excerpts, moment_of

MOMENT_MS = 1_764_000_005_250.0


def stamp(milliseconds: float, form: str) -> str:
    moment = datetime.fromtimestamp(milliseconds / 1000).astimezone()
    return moment.strftime(form) + f",{moment.microsecond // 1000:03d}"


@pytest.mark.parametrize(
    "line",
    [
        "2025-11-24T16:00:05,250 INFO x",
        "[2025-11-24 16:00:05,250] INFO x (kafka.log.Log)",
        "2025-11-24T16:00:05.250Z INFO x",
        "2025-11-24T17:00:05.250+01:00 INFO x",
        "INFO 2025-11-24 16:00:05.250 x",
        "16:00:05.250 INFO x",
    ],
)
def test_the_time_of_a_log_line_is_read(line: str) -> None:
    assert moment_of(line, UTC, MOMENT_MS) == MOMENT_MS


@pytest.mark.parametrize("line", ["", "\tat kafka.Kafka.main", "2025-13-41T99:00:00 x", "node 12:30"])
def test_a_line_without_a_time_has_none(line: str) -> None:
    assert moment_of(line, UTC, MOMENT_MS) is None


def test_lines_far_from_the_moment_are_left_out(tmp_path: Path) -> None:
    lines = [f"{stamp(MOMENT_MS + seconds * 1000, '%Y-%m-%dT%H:%M:%S')} s{seconds}" for seconds in range(-60, 60)]
    (tmp_path / "node-1.log").write_text("\n".join(lines), encoding="utf-8")

    found = log_excerpts(tmp_path, [MOMENT_MS])[0]
    assert [line.split()[1] for line in found.lines] == ["s-1", "s0", "s1", "s2", "s3", "s4"]


def test_a_stack_trace_stays_with_its_line(tmp_path: Path) -> None:
    text = f"{stamp(MOMENT_MS, '%Y-%m-%dT%H:%M:%S')} ERROR x\njava.io.IOException: y\n\tat kafka.log.Log"
    (tmp_path / "node-1.log").write_text(text, encoding="utf-8")

    assert len(log_excerpts(tmp_path, [MOMENT_MS])[0].lines) == 3


def test_of_a_chatty_log_the_nearest_lines_stay_in_order(tmp_path: Path) -> None:
    lines = [f"{stamp(MOMENT_MS + number, '%Y-%m-%dT%H:%M:%S')} n{number}" for number in range(-900, 900)]
    (tmp_path / "node-1.log").write_text("\n".join(lines), encoding="utf-8")

    numbers = [int(line.split()[1][1:]) for line in log_excerpts(tmp_path, [MOMENT_MS])[0].lines]
    assert (len(numbers), numbers) == (LINES, sorted(numbers))
    assert max(abs(number) for number in numbers) <= LINES / 2


def test_a_log_without_times_gives_its_end(tmp_path: Path) -> None:
    (tmp_path / "node-1.log").write_text("\n".join(f"n{number}" for number in range(1_000)), encoding="utf-8")

    found = log_excerpts(tmp_path, [MOMENT_MS])[0]
    assert (found.is_timed, found.lines[-1], found.total) == (False, "n999", 1_000)


def test_a_missing_folder_has_no_logs(tmp_path: Path) -> None:
    assert log_excerpts(tmp_path / "logs", [MOMENT_MS]) == []


def test_the_operation_itself_is_marked_in_the_history_around_it() -> None:
    script = Script("orders")
    script.send("a", 0)
    script.poll({0: "a"})

    lines = history_lines(script.history().operations, 1)
    assert [line[0] for line in lines] == [" ", ">", " ", " "]
    assert "→ acknowledged, offset 0" in lines[1]
    assert "orders-0  0 → a" in lines[3]
