"""`python -m harness report RUN`: what it says and how it ends."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.history.store import Run
from reference_broker.command_line import as_typed
from reports import build


def test_the_summary_is_built_and_named(whole_run: Run) -> None:
    said: list[str] = []

    assert build.main([str(whole_run.path), "--no-allure"], said.append) == 0
    assert said == [f"summary       {whole_run.path}/index.html"]
    assert (whole_run.path / "index.html").is_file()


def test_a_run_below_the_current_folder_is_named_from_there(whole_run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.chdir(whole_run.path.parents[2])

    assert build.main([str(whole_run.path), "--no-allure"], said.append) == 0
    assert said == [f"summary       reports/out/{whole_run.path.name}/index.html"]


def test_latest_stands_for_the_last_run(whole_run: Run) -> None:
    said: list[str] = []

    assert build.main([str(whole_run.path.parent / "latest"), "--no-allure"], said.append) == 0
    assert whole_run.path.name in said[0]


def test_a_folder_that_is_no_run_is_one_line_and_status_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert build.main([str(tmp_path / "nowhere")]) == 2

    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("harness: report: ")
    assert "reports/out" in lines[0]


def test_an_unknown_option_is_status_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert build.main(["--frobnicate"]) == 2
    assert "--frobnicate" in capsys.readouterr().err


def test_help_shows_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    assert build.main(["--help"]) == 0
    assert f"example: {as_typed('harness report reports/out/latest')}" in capsys.readouterr().out


def test_without_node_the_summary_is_the_report(whole_run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    said: list[str] = []

    assert build.main([str(whole_run.path)], said.append) == 0
    assert "Node.js is not installed" in said[-1]
    assert said[-1].endswith("The summary page is the report.")


def test_an_old_node_is_told(whole_run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("node", "npx"):
        (tmp_path / name).write_text("#!/bin/sh\necho v16.20.2\n", encoding="utf-8")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))

    assert build.node_trouble() == "Node.js 20 or newer is needed, this is v16.20.2"


def test_a_generator_that_fails_is_told_with_its_last_words(
    whole_run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "node").write_text("#!/bin/sh\necho v20.0.0\n", encoding="utf-8")
    (tmp_path / "npx").write_text("#!/bin/sh\necho no network\nexit 7\n", encoding="utf-8")
    for name in ("node", "npx"):
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    said: list[str] = []

    assert build.main([str(whole_run.path)], said.append) == 0
    assert said[-1].endswith("ended with 7: no network. The summary page is the report.")


def test_a_generator_that_hangs_is_ended(whole_run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "npx").write_text("#!/bin/sh\n/bin/sleep 60 &\n/bin/sleep 60\n", encoding="utf-8")
    (tmp_path / "npx").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(build, "node_trouble", lambda: "")
    monkeypatch.setattr(build, "GENERATE_S", 0.3)
    said: list[str] = []

    assert build.main([str(whole_run.path)], said.append) == 0
    assert "did not end within 0.3 s" in said[-1]


def test_allures_page_tells_nobody_that_it_is_read(
    whole_run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tracker = '<script async src="https://www.googletagmanager.com/gtag/js?id=G-1"></script>'
    tracker += "\n<script>\n  window.dataLayer = window.dataLayer || [];\n</script>"
    (tmp_path / "page.html").write_text(f"<p>before</p>{tracker}<script>data()</script>", encoding="utf-8")
    script = f'#!/bin/sh\n/bin/mkdir allure-report.new\n/bin/cp "{tmp_path}/page.html" allure-report.new/index.html\n'
    (tmp_path / "npx").write_text(script, encoding="utf-8")
    (tmp_path / "npx").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(build, "node_trouble", lambda: "")

    assert build.main([str(whole_run.path)], lambda said: None) == 0
    made = (whole_run.path / "allure-report" / "index.html").read_text(encoding="utf-8")
    assert made == "<p>before</p><script>data()</script>"


def test_an_empty_run_gets_no_allure_report(run: Run) -> None:
    said: list[str] = []

    assert build.main([str(run.path)], said.append) == 0
    assert "the run has no results" in said[-1]
