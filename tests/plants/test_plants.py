"""Each planted bug is rejected by the checks that its header names, for the reason that it names; and the reference
without a bug passes the same checks. So the judge is known to convict the guilty, and them only.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from pathlib import Path

import pytest

from tests.plants._judged_runs import AT_ONCE, Case, Judged, begun, cases, require_accepted, require_rejected

PARTS = tuple(range(AT_ONCE))
"""The checks that plants name, all on the reference without a bug, in as many runs."""
CASES = cases(Path(__file__).resolve().parent)


@pytest.fixture(scope="module")
def runs(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Mapping[str | int, Future[Judged]]]:
    """All runs, by plant or part."""
    with begun(request, tmp_path_factory.mktemp("plants"), CASES, len(PARTS)) as found:
        yield found


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_planted_bug_is_rejected(runs: Mapping[str | int, Future[Judged]], case: Case) -> None:
    require_rejected(runs, case)


@pytest.mark.parametrize("part", PARTS)
def test_the_reference_without_a_bug_passes(runs: Mapping[str | int, Future[Judged]], part: int) -> None:
    require_accepted(runs[part].result())
