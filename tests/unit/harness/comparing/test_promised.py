"""What it means that a target does not list an API or a version."""

from __future__ import annotations

import datetime

from harness.comparing.gaps import Gap
from harness.comparing.known_differences import KnownDifferences
from harness.comparing.promised import NONE, Promised
from harness.hosts.lack import Means
from reference_broker.wire.api_keys import ApiKey

GAP = Gap(api="EndTxn", target="reference*", reason="no transactions", review_by=datetime.date(2030, 1, 1))
LISTED = {int(ApiKey.FETCH): (4, 18), int(ApiKey.END_TXN): (0, 5)}


def promised(target: str = "reference") -> Promised:
    return Promised(target=target, release="4.3.1", listed=LISTED, known=KnownDifferences(gaps=(GAP,)))


def test_what_the_release_has_and_the_target_does_not_list_is_no_lack() -> None:
    assert promised().lack(ApiKey.FETCH, 18, (4, 17)) is None


def test_a_version_that_the_release_has_not_is_lacking() -> None:
    lack = promised().lack(ApiKey.FETCH, 19, (4, 18))

    assert lack is not None
    assert (lack.means, lack.reason) == (Means.SOFTWARE, "Fetch v19 is not in release 4.3.1 (it has 4 to 18)")


def test_an_api_in_a_gap_is_lacking_for_the_gaps_reason() -> None:
    assert str(promised().lack(ApiKey.END_TXN, 3, NONE)) == "reference does not serve EndTxn: no transactions"


def test_a_gap_of_one_target_is_none_of_another() -> None:
    assert promised("kafka@4.3.1").lack(ApiKey.END_TXN, 3, NONE) is None


def test_a_version_that_is_missing_of_an_api_that_is_served_stands_in_no_gap() -> None:
    assert promised().lack(ApiKey.END_TXN, 5, (0, 4)) is None


def test_a_cluster_that_does_not_say_its_release_lacks_what_it_does_not_list() -> None:
    lack = Promised(target="at:localhost:9092").lack(ApiKey.FETCH, 18, (4, 17))

    assert lack is not None
    assert lack.means is Means.API


def test_all_that_is_missing_is_told_with_its_gap() -> None:
    missing = promised().missing({ApiKey.FETCH: (4, 17)})

    assert [(found.api, dict(found.values), gap) for found, gap in missing] == [
        ("Fetch", {"release 4.3.1": "4 to 18", "reference": "4 to 17"}, None),
        ("EndTxn", {"release 4.3.1": "0 to 5", "reference": "(missing)"}, GAP),
    ]


def test_a_mixed_cluster_lacks_what_one_of_its_nodes_lacks() -> None:
    assert promised("mixed:kafka@4.3.1,reference").lack(ApiKey.END_TXN, 3, NONE) is not None
    assert promised("mixed:kafka@4.2.1,kafka@4.3.1").lack(ApiKey.END_TXN, 3, NONE) is None
