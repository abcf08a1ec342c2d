"""A headless Chromium driven by selenium, for tests that open pages from disk as their readers do."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from selenium import webdriver

from harness.hosts.lack import Lack, Means
from harness.pytest_plugin.lacking import skip_for

START_S = 60


def lack() -> Lack | None:
    """What stands in the way of a headless Chromium here; None when nothing does."""
    for program, package in (("chromium", "chromium"), ("chromedriver", "chromium-driver")):
        if shutil.which(program) is None:
            return Lack(Means.CHROMIUM, f"{program} is not installed (Debian's package {package})")
    return None


@contextmanager
def opened(profile: Path) -> Iterator[Any]:
    """A browser with a profile of its own, ended afterwards; the test is skipped where there is none."""
    if (found := lack()) is not None:
        skip_for(found)
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium")
    options.add_argument("--headless=new")
    options.add_argument("--disable-dev-shm-usage")
    options.add_argument(f"--user-data-dir={profile}")
    if os.geteuid() == 0:
        options.add_argument("--no-sandbox")  # root has none
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    service = webdriver.ChromeService(executable_path=shutil.which("chromedriver"))
    driver = webdriver.Chrome(options=options, service=service)
    driver.set_page_load_timeout(START_S)
    try:
        yield driver
    finally:
        driver.quit()
