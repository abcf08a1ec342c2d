"""`python -m harness judge`: exit status and words for valid, invalid, unknown and unreadable runs."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from harness.history.history import History
from harness.history.store import Meta, Run
from harness.judging.activity import ANYTHING
from harness.judging.guarantees import ClientSettings
from harness.judging.judge import main
from harness.judging.verdicts import Validity, merged
from harness.workloads.synthetic import Script


def stored(root: Path, history: History, **meta: object) -> Path:
    run = Run.create(root=root, about={"seed": 1})
    item = run.item("durability/acknowledged_records_survive[kill]", "reference")
    with item.history_writer() as writer:
        for operation in history:
            writer.append(operation.process, operation.kind, operation.f, operation.value, of=operation.of)
    about = {"client_settings": asdict(ClientSettings()), "needs": asdict(ANYTHING), **meta}
    item.write_meta(Meta(check="durability/x", target="reference", **about))  # type: ignore[arg-type]
    return run.path


def history(final: dict[int, str], reached: int | None = None) -> History:
    script = Script()
    script.send("a", 0)
    script.send("b", 1)
    script.final_read(final, end=2, reached=2 if reached is None else reached)
    return script.history()


@pytest.mark.parametrize(
    ("found", "status"),
    [(history({0: "a", 1: "b"}), 0), (history({1: "b"}), 1), (history({0: "a"}, reached=1), 3)],
    ids=["valid", "invalid", "unknown"],
)
def test_the_exit_status_tells_the_verdict(tmp_path: Path, found: History, status: int) -> None:
    assert main([str(stored(tmp_path, found))], lambda line: None) == status


def test_a_broken_promise_is_shown_with_its_witness(tmp_path: Path) -> None:
    lines: list[str] = []

    main([str(stored(tmp_path, history({1: "b"})))], lines.append)

    assert any("value a → acknowledged, offset 0" in line for line in lines)


def test_a_folder_without_a_run_is_bad_input(tmp_path: Path) -> None:
    assert main([str(tmp_path)], lambda line: None) == 2


def test_a_check_that_is_not_there_is_bad_input(tmp_path: Path) -> None:
    path = stored(tmp_path, history({0: "a", 1: "b"}))

    assert main([str(path), "--check", "nothing"], lambda line: None) == 2


def test_latest_points_at_the_last_run(tmp_path: Path) -> None:
    path = stored(tmp_path, history({0: "a", 1: "b"}))

    assert (tmp_path / "latest").resolve() == path.resolve()


def test_invalid_outweighs_unknown_and_unknown_outweighs_valid() -> None:
    assert merged([Validity.VALID, Validity.INVALID, Validity.UNKNOWN]) is Validity.INVALID


def test_nothing_judged_is_unknown() -> None:
    assert merged([]) is Validity.UNKNOWN


def test_a_run_is_judged_by_its_own_workload(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = stored(tmp_path, history({0: "a", 1: "b"}), workload="bank")

    assert main([str(path)]) == 2
    assert "its workload 'bank' has no checkers here (known: queue)" in capsys.readouterr().err


def test_what_a_run_needed_is_asked_of_it_again(tmp_path: Path) -> None:
    path, lines = stored(tmp_path, history({0: "a", 1: "b"}), needs={"acknowledged": 3, "reads": 1}), []

    assert main([str(path)], lines.append) == 3
    assert any("2 of 2 sends acknowledged, and 3 are needed" in line for line in lines)


def test_needs_of_another_version_are_refused_by_a_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = stored(tmp_path, history({0: "a", 1: "b"}), needs={"luck": 3})

    assert main([str(path)]) == 2
    assert "its needs are not of this version" in capsys.readouterr().err


def test_a_verdict_that_did_not_hold_says_what_was_looked_at(tmp_path: Path) -> None:
    lines: list[str] = []

    main([str(stored(tmp_path, history({1: "b"})))], lines.append)

    assert any("looked at: 2 acknowledged records" in line for line in lines)


def test_an_older_history_is_refused_by_a_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = stored(tmp_path, history({0: "a", 1: "b"}))
    (file,) = path.glob("*/history.jsonl")
    file.write_bytes(file.read_bytes().replace(b'{"history":2,', b'{"history":1,'))

    assert main([str(path)]) == 2
    assert "a history of format 1, and this version reads format 2" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("workload", ["queue"]),
        ("needs", {"acknowledged": "many"}),
        ("needs", ["acknowledged"]),
        ("topic_settings", {"retention_ms": None}),
        ("topic_settings", "abc"),
        ("client_settings", {"fetch_timeout_ms": "x"}),
        ("client_settings", {"colour": "red"}),
        ("fault_effects", {"power_losses": 1.5}),
    ],
)
def test_a_stored_setting_of_another_form_is_bad_input_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], field: str, value: object
) -> None:
    run = stored(tmp_path, history({0: "a", 1: "b"}))
    meta = next(run.glob("*/meta.json"))
    meta.write_text(json.dumps({**json.loads(meta.read_text()), field: value}))

    status = main([str(run)], lambda line: None)

    assert (status, capsys.readouterr().err.count("\n")) == (2, 1)


@pytest.mark.parametrize("nested", ["[" * 100_000, "{", "null", "\x00"], ids=["deep", "torn", "null", "zero"])
def test_a_result_that_is_no_result_is_bad_input(tmp_path: Path, nested: str) -> None:
    run = stored(tmp_path, history({0: "a", 1: "b"}))
    next(run.glob("*/meta.json")).write_text(nested)

    assert main([str(run)], lambda line: None) == 2
