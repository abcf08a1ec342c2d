"""Each bug among brokers is rejected by the checks that its header names, for the reason that it names, on clusters of
three nodes; and three nodes without a bug pass the same checks.

The checks play a fourth broker themselves (harness/clients/guest_broker.py), or kill and stop nodes. A few of the bugs
are looked for by every `make test`, on one node and the broker that the check plays; all of them by `make nightly`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from pathlib import Path

import pytest

from tests.plants._judged_runs import Case, Judged, begun, cases, require_accepted, require_rejected

CASES = cases(Path(__file__).resolve().parent)
FEW = (
    "acknowledges_before_replication",
    "counts_a_diverging_fetch",
    "elects_who_was_not_in_sync",
    "takes_lagging_followers_into_the_isr",
    "truncates_to_its_high_watermark",
)
OF_TWO = [case for case in CASES if case.plant in FEW and case.check.partition("::")[2]]
"""Those with a check of one node and a guest."""
THREE = ("--nodes", "3")


@pytest.fixture(scope="module")
def runs(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Mapping[str | int, Future[Judged]]]:
    """All runs, by plant or part: on three nodes where all plants are looked for."""
    is_all = any(item.name.startswith("test_a_bug_of_three") for item in request.session.items)
    options = THREE if is_all else ()
    with begun(request, tmp_path_factory.mktemp("plants"), CASES if is_all else OF_TWO, 1, *options) as found:
        yield found


@pytest.mark.parametrize("case", OF_TWO, ids=str)
def test_a_bug_of_two_brokers_is_rejected(runs: Mapping[str | int, Future[Judged]], case: Case) -> None:
    require_rejected(runs, case)


@pytest.mark.long
@pytest.mark.parametrize("case", [case for case in CASES if case not in OF_TWO], ids=str)
def test_a_bug_of_three_nodes_is_rejected(runs: Mapping[str | int, Future[Judged]], case: Case) -> None:
    require_rejected(runs, case)


@pytest.mark.parametrize("part", [0])
def test_brokers_without_a_bug_pass(runs: Mapping[str | int, Future[Judged]], part: int) -> None:
    require_accepted(runs[part].result())
