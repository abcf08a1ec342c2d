"""`accidents.html`: what Apache Kafka does by accident, from those entries of checks/known_differences.toml.

One file that opens from disk, without scripts. The entries stand in the run's account, as they were when it ran.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.history.whole_file import write_whole
from reports.document import listing
from reports.markup import element, facts, text
from reports.matrix_data import read_account
from reports.results import Results

PAGE = "accidents.html"
REFERENCE = "reference"

Json = Mapping[str, Any]

_MEANING = (
    "Apache Kafka does by accident what this page lists: it follows from how its code is written (the words of a Java "
    "exception, the order of a hash map), none of its documents says so, and no client may rely on it. The reference "
    "broker does what the documents say instead. Such a difference breaks no promise, and no check fails for it."
)


def accidents_of(results: Results) -> Sequence[Json]:
    """The accidents in a run's account, each once; none where it has no account. StoreTrouble: it cannot be used."""
    account = read_account(results)
    found = account.get("accidents") if account is not None else None
    entries = [entry for entry in found if isinstance(entry, dict)] if isinstance(found, list) else []
    merged: dict[tuple[str, ...], dict[str, Any]] = {}
    for entry in entries:  # several checks may have an entry for the same
        key = tuple(str(entry.get(name)) for name in ("api", "field", "values"))
        first = merged.setdefault(key, {**entry, "found_by": []})
        first["found_by"].append(str(entry.get("check", "")))
    return list(merged.values())


def write(results: Results) -> bool:
    """Writes the page into the run's folder; False where there is nothing to tell. StoreTrouble, OSError."""
    path = results.path / PAGE
    path.unlink(missing_ok=True)  # of an account that is no more
    if not (accidents := accidents_of(results)):
        return False
    write_whole(path, page(accidents, results.path))
    return True


def page(accidents: Sequence[Json], path: Path) -> str:
    """The page of the run in a folder, as HTML."""
    return listing("Kafka's accidents", _MEANING, [_accident(entry) for entry in accidents], "accident", path)


def _accident(entry: Json) -> str:
    values = entry.get("values")
    said = {str(target): str(value) for target, value in values.items()} if isinstance(values, Mapping) else {}
    reference = next((target for target in said if target.startswith(REFERENCE)), "")
    kafka = [value for target, value in said.items() if target != reference]
    return element(
        "section",
        element("h2", text(entry.get("api", ""))),
        element("p", "field ", element("code", text(entry.get("field", "")))),
        facts(
            [
                ("what the documents say", text(entry.get("documents", ""))),
                ("what Kafka does", "<br>".join(element("code", text(value)) for value in kafka)),
                ("what the reference does", element("code", text(said.get(reference, ""))) if reference else ""),
                ("why it is an accident", text(entry.get("reason", ""))),
                ("evidence", text(entry.get("evidence", ""))),
                ("found by", "<br>".join(element("code", text(check)) for check in entry["found_by"])),
                ("review by", text(entry.get("review_by", ""))),
            ]
        ),
    )
