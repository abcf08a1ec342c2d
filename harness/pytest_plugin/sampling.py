"""--sample SHARE: of the checks of single answers a share, chosen by the seed.

Most checks of `protocol`, `metadata` and `groups` ask one question and compare one answer. Where a target is the same
software as another that is asked all of them, a share is enough. The seed chooses, so that a run can be repeated; each
file of checks keeps at least one, and each target gets the same ones. What was left out is said in the last lines, and
the run's account does not count it as missing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from hashlib import sha256
from math import ceil
from typing import Any, Final

import pytest

from harness.pytest_plugin.record import record_of

AREAS: Final = ("protocol", "metadata", "groups")
"""The folders of checks whose items are sampled; of the others all are run."""
NAME: Final = "harness.pytest_plugin.sampling"
"""Under which the plugin object is registered."""
_SHARE: Final = re.compile(r"(?P<number>\d+|\d*\.\d+)\s*(?:(?P<percent>%)|/\s*(?P<of>\d+))?")


@dataclass(frozen=True, slots=True)
class Sample:
    """How many of the items of the sampled areas were run."""

    taken: int
    of: int
    seed: int

    def __str__(self) -> str:
        return f"sampled {self.taken:,} of {self.of:,} items of {', '.join(AREAS)} (--sample, seed {self.seed})"


def add_option(group: pytest.OptionGroup) -> None:
    """--sample."""
    group.addoption(
        "--sample",
        metavar="SHARE",
        help=f"run a share, chosen by the seed, of the checks of {', '.join(AREAS)}: 25%%, 0.25 or 1/4; at least one a "
        "file",
    )


def read_share(text: str) -> float:
    """ "25%", "25", "0.25" or "1/4" as 0.25. pytest.UsageError for what is above 1, or is nothing."""
    share = 0.0
    if found := _SHARE.fullmatch(text.strip()):
        number, of = float(found["number"]), int(found["of"] or 1)
        is_part = found["of"] is not None or (found["percent"] is None and "." in text and number <= 1)
        share = (number / of if is_part else number / 100) if of else 0.0
    if not 0 < share <= 1:
        raise pytest.UsageError(
            f"harness: --sample: must be a share of at most 100%, not {text!r} (for instance --sample 25%, 0.25 or 1/4)"
        )
    return share


def chosen(checks: Iterable[str], share: float, seed: int) -> set[str]:
    """The ids of checks that are run: of each file the share, rounded up."""
    by_file: dict[str, set[str]] = {}
    for check in checks:
        by_file.setdefault(check.partition("::")[0].partition("[")[0], set()).add(check)
    found: set[str] = set()
    for of_file in by_file.values():
        ranked = sorted(of_file, key=lambda check: sha256(f"{seed}/{check}".encode()).digest())
        found.update(ranked[: ceil(len(ranked) * share)])
    return found


class Sampling:
    """The plugin object: leaves out what is not in the sample, and says how much that was."""

    def __init__(self, share: float, seed: int) -> None:
        self.share = share
        self.seed = seed
        self.sample: Sample | None = None
        """Known once items are collected."""

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        """Deselects the others, before difference items are made of what is left."""
        checks = [record_of(item).check for item in items if record_of(item).area in AREAS]
        kept = chosen(checks, self.share, self.seed)
        left_out: list[pytest.Item] = []
        taken: list[pytest.Item] = []
        for item in items:
            is_taken = record_of(item).area not in AREAS or record_of(item).check in kept
            (taken if is_taken else left_out).append(item)
        self.sample = Sample(taken=len(checks) - len(left_out), of=len(checks), seed=self.seed)
        if left_out:
            items[:] = taken
            config.hook.pytest_deselected(items=left_out)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """A worker of pytest-xdist tells its controller, which collects nothing."""
        output: dict[str, Any] | None = getattr(session.config, "workeroutput", None)
        if output is not None and self.sample is not None:
            output["sample"] = asdict(self.sample)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """All workers collect the same items, so any one's word will do."""
        told: Mapping[str, int] | None = getattr(node, "workeroutput", {}).get("sample")
        if told is not None:
            self.sample = Sample(**told)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """How much was run."""
        if self.sample is not None:
            terminalreporter.write_line("")
            terminalreporter.write_line(str(self.sample))


def register(config: pytest.Config, seed: int) -> None:
    """Turns it on where --sample is given."""
    text = config.getoption("--sample")
    if text is not None:
        config.pluginmanager.register(Sampling(read_share(text), seed), NAME)


def sample_of(config: pytest.Config) -> Sample | None:
    """What was sampled; None where everything that was asked for is run."""
    plugin = config.pluginmanager.get_plugin(NAME)
    return plugin.sample if isinstance(plugin, Sampling) else None
