"""An account of a run made by hand, as harness/comparing/account writes them: little, and everything that can occur."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from harness.history.store import Run

TARGETS = ("reference", "kafka@4.3.1")
HOSTILE = "</script><script>document.title = 'taken over'</script><!--"
RERUN = "pytest checks/protocol/test_offset_fetch.py -k unknown_group --target reference --target kafka@4.3.1"

Json = dict[str, Any]


def exchange(request: str, answer: Any, *, check: str = "protocol/produce::a_batch", **more: Any) -> Json:
    """An exchange as an account keeps it."""
    sent = {"acks": -1, "topic_data": [{"name": "orders"}]}
    return {"check": check, "request": request, "sent": sent, "answer": answer} | {
        "outcome": "answered",
        "pace": "at once",
        **more,
    }


def cell(exchanges: Sequence[Json] = (), *, times: int = 0, **more: Any) -> Json:
    """What an account says of one version on one target; it is listed and served unless told otherwise."""
    return {
        "listed": True,
        "served": True,
        "exercised": times or len(exchanges),
        "error_codes": {"0": len(exchanges)} if exchanges else {},
        "fields": ["acks"] if exchanges else [],
        "answer_fields": [],
        "exchanges": list(exchanges),
        **more,
    }


def version(number: int, *cells: Json) -> Json:
    """One version on both targets."""
    return {"version": number, "targets": dict(zip(TARGETS, cells, strict=False))}


def api(name: str, key: int, versions: Sequence[Json], **more: Any) -> Json:
    """One API."""
    fields = {str(one["version"]): ["acks", "timeout_ms", "topic_data[].name"] for one in versions}
    return {"api": name, "key": key, "versions": versions, "refusals": [], "differences": []} | {
        "all_fields": fields,
        **more,
    }


def refusal(code: int, name: str, when: str, times: int = 0, reason: str | None = None) -> Json:
    """A code that an API may refuse with, provoked so often on each target."""
    provoked = dict.fromkeys(TARGETS, times)
    return {"code": code, "name": name, "when": when, "provoked": provoked, "unprovoked_reason": reason}


def difference(field: str, ours: str, theirs: str, accepted_by: str | None = None) -> Json:
    """One of OffsetFetch v8."""
    return {
        "check": "protocol/offset_fetch::unknown_group",
        "api": "OffsetFetch",
        "version": 8,
        "field": field,
        "values": dict(zip(TARGETS, (ours, theirs), strict=True)),
        "exchange": 'group "g-17", never seen',
        "rerun": RERUN,
        "accepted_by": accepted_by,
    }


def produce() -> Json:
    """Exercised in two versions, without a difference; one error code is not provoked and one cannot be."""
    good = exchange("two records", {"responses": [{"name": "orders", "error_code": 0, "base_offset": 2**63 - 1}]})
    bad = exchange(f"a batch named {HOSTILE}", {"responses": [{"name": HOSTILE, "error_code": 2}]})
    codes = {"error_codes": {"0": 30, "2": 4}, "fields": ["acks", "topic_data[].name"], "times": 41}
    refusals = [
        refusal(2, "CORRUPT_MESSAGE", "per partition: a batch whose CRC is wrong", 4),
        refusal(19, "NOT_ENOUGH_REPLICAS", "per partition: too few replicas in sync", 0, "needs a second broker"),
        refusal(87, "INVALID_RECORD", "per partition: records that cannot be"),
    ]
    rows = [
        version(8, cell([good], times=2), cell([good], times=2)),
        version(9, cell([good, bad], **codes), cell([good, bad], **codes)),
    ]
    return api("Produce", 0, rows, refusals=refusals)


def offset_fetch() -> Json:
    """Differs in v8: once openly, once as accepted."""
    check = "protocol/offset_fetch::unknown_group"
    words = 'group "g-17", never seen'
    ours = {"throttle_time_ms": 0, "groups": [{"group_id": "g-17", "error_code": 69}]}
    theirs = {"throttle_time_ms": 1, "groups": [{"group_id": "g-17", "error_code": 0}]}
    found = [
        difference("throttle_time_ms", "0", "1", "departure: quotas come later"),
        difference("groups[0].error_code", "69 GROUP_ID_NOT_FOUND", "0 NONE"),
    ]
    cells = (cell([exchange(words, answer, check=check)]) for answer in (ours, theirs))
    return api("OffsetFetch", 9, [version(8, *cells)], differences=found)


def account() -> Json:
    """The whole: exercised, differing, idle, absent and refused versions."""
    absent = cell(listed=False, served=False)
    asked = cell([exchange("a version that is not there", {"error_code": 35})], listed=False, served=False)
    apis = [
        produce(),
        api("Fetch", 1, [version(4, cell(), cell())]),
        offset_fetch(),
        api("ApiVersions", 18, [version(5, asked, asked)]),
        api("AddOffsetsToTxn", 25, [version(0, absent, cell())]),
    ]
    return {"run": "20261124-231644", "targets": list(TARGETS), "apis": apis}


def keep(run: Run, said: Json | None = None) -> None:
    """Stores an account in a run's folder."""
    (run.path / "account.json").write_text(json.dumps(said or account()), encoding="utf-8")
