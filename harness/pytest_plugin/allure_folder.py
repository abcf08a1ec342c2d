"""`--alluredir FOLDER`: the run's results for Allure, written from the stored run when it has ended.

allure-pytest, which owns the option, would write what pytest knows of a check. The stored run knows more (witness,
pictures, logs, phases, faults, links), so its results take that place. One result a check, as Allure's users expect.
"""

from __future__ import annotations

from pathlib import Path

import pytest

_LISTENER = "allure_listener"


def take_over(config: pytest.Config) -> None:
    """Stops allure-pytest from writing results of its own; its options stay."""
    listener = config.pluginmanager.get_plugin(_LISTENER)
    if listener is not None:
        config.pluginmanager.unregister(listener)


def write_results(config: pytest.Config, run: Path) -> str:
    """Writes the results of a stored run into the folder that was asked for; what went wrong, or ""."""
    folder = config.getoption("allure_report_dir", None)
    if not folder:
        return ""
    from reports.allure import results
    from reports.results import load

    try:
        results.write(load(run), config.invocation_params.dir / folder)
    except OSError as trouble:
        return f"{folder}: Allure's results could not be written: {trouble}"
    return ""
