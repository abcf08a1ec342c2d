"""matrix.html as a file; what it does in a browser is tested in tests/real."""

from __future__ import annotations

import json
import re
import tomllib
from importlib.resources import files
from pathlib import Path

import pytest

from harness.history.store import Run, StoreTrouble
from reports import build, matrix, summary
from tests.unit.reports import accounts


def page(run: Run) -> str:
    accounts.keep(run)
    summary.write(run.path)
    return (run.path / "matrix.html").read_text(encoding="utf-8")


def test_the_data_reads_back_as_it_was_whatever_stands_in_it(run: Run) -> None:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page(run), re.S)

    assert found
    assert accounts.HOSTILE in json.dumps(json.loads(found[1]), ensure_ascii=False)


def test_nothing_of_a_run_can_end_the_script_element() -> None:
    said = matrix.embedded({"request": accounts.HOSTILE + "&"})

    assert not set("<>&") & set(said)


def test_the_page_names_nothing_outside(run: Run) -> None:
    assert not re.findall(r"(?:https?:)?//[a-z]+\.[a-z]+", page(run))


def test_the_page_is_kept_from_the_network_by_the_browser(run: Run) -> None:
    assert "default-src &#x27;none&#x27;" in page(run) or "default-src 'none'" in page(run)


def test_without_scripts_the_page_leads_to_the_summary(run: Run) -> None:
    assert re.search(r'<noscript>.*href="index.html".*</noscript>', page(run))


def test_summary_and_matrix_lead_to_each_other(run: Run) -> None:
    html = page(run)

    assert 'href="matrix.html"' in (run.path / "index.html").read_text(encoding="utf-8")
    assert 'href="index.html"' in html


def test_a_run_without_an_account_has_no_matrix_and_no_link(whole_run: Run) -> None:
    summary.write(whole_run.path)

    assert not (whole_run.path / "matrix.html").exists()
    assert "matrix.html" not in (whole_run.path / "index.html").read_text(encoding="utf-8")


def test_a_damaged_account_costs_the_matrix_and_not_the_summary(run: Run) -> None:
    (run.path / "account.json").write_text('{"apis": [', encoding="utf-8")

    with pytest.raises(StoreTrouble, match=r"no compatibility matrix: .*account\.json: cannot be read"):
        summary.write(run.path)
    assert (run.path / "index.html").is_file()


def test_the_command_names_the_matrix(run: Run) -> None:
    accounts.keep(run)
    said: list[str] = []

    assert build.main([str(run.path), "--no-allure"], said.append) == 0
    assert said[1] == f"matrix        {run.path}/matrix.html"


def test_the_command_says_why_there_is_no_matrix(run: Run) -> None:
    (run.path / "account.json").write_text("[]", encoding="utf-8")
    said: list[str] = []

    assert build.main([str(run.path), "--no-allure"], said.append) == 0
    assert "not an account of a run" in said[1]


def test_an_installed_copy_brings_every_part_of_the_page(root: Path) -> None:
    settings = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    patterns = settings["tool"]["setuptools"]["package-data"]["reports"]
    brought = {found.name for pattern in patterns for found in (root / "reports").glob(pattern)}

    assert {one.name for one in (files("reports") / "assets").iterdir()} == brought
    assert {f"{part}.js" for part in matrix.SCRIPTS} | {"matrix.css"} == brought


@pytest.mark.parametrize("part", matrix.SCRIPTS)
def test_a_part_of_the_script_is_short_enough_to_read(part: str) -> None:
    assert matrix.asset(f"{part}.js").count("\n") <= 400
