"""Allure's report of two runs in headless Chromium: a check on each target, and how it went before.

Needs Node with npm's allure, and Debian's packages chromium and chromium-driver; skipped with the reason without them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver.common.by import By

from harness.history.store import Meta, Run
from harness.hosts.lack import Lack, Means
from harness.pytest_plugin.lacking import skip_for
from reports import build
from tests.real import chromium

CHECK = "retention/delete_records::records_are_deleted[v1]"
TARGETS = ("reference", "kafka@4.3.1", "reference | kafka@4.3.1")
PATIENCE_S = 10


def stored(root: Path, seed: int) -> Run:
    """A run of one check on two targets, with their comparison."""
    run = Run.create(root=root, about={"seed": seed, "targets": list(TARGETS[:2])})
    for target in TARGETS:
        more = {"outcome": "held", "sentence": "Records below an offset are served no more."}
        meta = Meta(check=CHECK, target=target, client="confluent", seed=seed, duration_s=0.5, more=more)
        run.item(CHECK, target).write_meta(meta)
    return run


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of the second of two runs."""
    if (lack := chromium.lack()) is not None:
        skip_for(lack)
    if why := build.node_trouble():
        skip_for(Lack(Means.NODE_JS, why))
    root = tmp_path_factory.mktemp("allure") / "reports" / "out"
    said: list[str] = []
    for seed in (1, 2):
        run = stored(root, seed)
        assert build.main([str(run.path)], said.append) == 0
        if not (run.path / "allure-report" / "index.html").is_file():
            skip_for(Lack(Means.NODE_JS, f"npm's allure made no report: {said[-1]}"))
    return run.path / "allure-report" / "index.html"


@pytest.fixture(scope="module")
def page(report: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The check on the first target, opened in the report."""
    with chromium.opened(tmp_path_factory.mktemp("chromium")) as driver:
        driver.get(report.as_uri())
        for words in ("Retention", "Delete records", "Records below an offset are served no more."):
            named = f"//*[@data-testid='tree-section-title'][normalize-space()='{words}']"
            waited(lambda named=named: driver.find_elements(By.XPATH, named))[0].click()
        waited(lambda: driver.find_elements(By.CSS_SELECTOR, "[data-testid=tree-leaf]"))[0].click()
        yield driver


def waited(look: Callable[[], Any]) -> Any:
    """What comes to be there."""
    deadline = time.monotonic() + PATIENCE_S
    while not (found := look()):
        assert time.monotonic() < deadline, "the page does not show it"
        time.sleep(0.1)
    return found


def tab(driver: Any, name: str) -> str:
    """What a tab of the check shows."""
    waited(lambda: driver.find_elements(By.CSS_SELECTOR, f"[data-testid=test-result-tab-{name}]"))[0].click()
    time.sleep(0.3)
    return " ".join(driver.find_element(By.TAG_NAME, "body").text.split())


def test_a_check_shows_how_it_fared_on_each_target(page: Any) -> None:
    shown = tab(page, "environments")

    assert all(f"{target} " in shown for target in TARGETS)


def test_a_check_shows_how_it_went_in_the_run_before(page: Any) -> None:
    tab(page, "history")

    assert len(page.find_elements(By.CSS_SELECTOR, "[data-testid=test-result-history-item]")) == 1


def test_the_report_asks_nobody(page: Any) -> None:
    assert page.get_log("browser") == []
