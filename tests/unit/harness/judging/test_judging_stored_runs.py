"""`python -m harness judge`: exit status and words for valid, invalid, unknown and unreadable runs."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import pytest

from harness.history.history import History
from harness.history.store import Meta, Run
from harness.judging.guarantees import ClientSettings
from harness.judging.judge import main
from harness.judging.verdicts import Validity, merged
from harness.workloads.synthetic import Script


def stored(root: Path, history: History) -> Path:
    run = Run.create(root=root, about={"seed": 1})
    item = run.item("durability/acknowledged_records_survive[kill]", "reference")
    with item.history_writer() as writer:
        for operation in history:
            writer.append(operation.process, operation.kind, operation.f, operation.value, of=operation.of)
    item.write_meta(Meta(check="durability/x", target="reference", client_settings=asdict(ClientSettings())))
    return run.path


def history(final: dict[int, str], reached: int | None = None) -> History:
    script = Script()
    script.send("a", 0)
    script.send("b", 1)
    script.final_read(final, end=2, reached=2 if reached is None else reached)
    return script.history()


@pytest.mark.parametrize(
    ("found", "status"),
    [(history({0: "a", 1: "b"}), 0), (history({1: "b"}), 1), (history({0: "a"}, reached=1), 2)],
    ids=["valid", "invalid", "unknown"],
)
def test_the_exit_status_tells_the_verdict(tmp_path: Path, found: History, status: int) -> None:
    assert main([str(stored(tmp_path, found))], lambda line: None) == status


def test_a_broken_promise_is_shown_with_its_witness(tmp_path: Path) -> None:
    lines: list[str] = []

    main([str(stored(tmp_path, history({1: "b"})))], lines.append)

    assert any("value a → acknowledged, offset 0" in line for line in lines)


def test_a_folder_without_a_run_is_bad_input(tmp_path: Path) -> None:
    assert main([str(tmp_path)], lambda line: None) == 3


def test_a_check_that_is_not_there_is_bad_input(tmp_path: Path) -> None:
    path = stored(tmp_path, history({0: "a", 1: "b"}))

    assert main([str(path), "--check", "nothing"], lambda line: None) == 3


def test_latest_points_at_the_last_run(tmp_path: Path) -> None:
    path = stored(tmp_path, history({0: "a", 1: "b"}))

    assert (tmp_path / "latest").resolve() == path.resolve()


def test_invalid_outweighs_unknown_and_unknown_outweighs_valid() -> None:
    assert merged([Validity.VALID, Validity.INVALID, Validity.UNKNOWN]) is Validity.INVALID


def test_nothing_judged_is_unknown() -> None:
    assert merged([]) is Validity.UNKNOWN
