"""What every run leaves, from the stored run alone: `summary.json` for programs, pages for people."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from harness.history.store import StoreTrouble
from harness.history.whole_file import write_whole
from reports import accidents, known_bugs, matrix
from reports.page import page
from reports.results import Result, Results, load

DATA = "summary.json"
PAGE = "index.html"


def write(run: Path) -> None:
    """Writes the files into the run's folder, each whole. StoreTrouble when there is no run, or an unusable account."""
    if trouble := write_results(load(run)):
        raise StoreTrouble(f"no compatibility matrix: {trouble}")


def write_results(results: Results) -> str:
    """The same for a run that was read already; what went wrong of the matrix, "" when nothing was."""
    data = json.dumps(summary(results), indent=1, ensure_ascii=False, default=str)
    write_whole(results.path / DATA, data + "\n")
    trouble = ""
    try:
        matrix.write(results)
        accidents.write(results)
        known_bugs.write(results)
    except StoreTrouble as found:
        trouble = str(found)
    write_whole(results.path / PAGE, page(results))  # after the matrix, to which it links
    return trouble


def summary(results: Results) -> dict[str, Any]:
    """The content of summary.json: `counts` by verdict, `targets`, `seed`, `checks`."""
    return {
        "counts": results.counts(),
        "targets": list(results.targets),
        "versions": results.versions,
        "seed": results.seed,
        "verdict": results.worst.value,
        "duration": round(results.total("duration_s"), 3),
        "operations": int(results.total("operations")),
        "faults": int(results.total("faults")),
        "checks": [_check(result) for result in results.results],
    }


def _check(result: Result) -> dict[str, Any]:
    meta = result.meta
    return {
        "id": meta.check,
        "claim": meta.claim or result.sentence,
        "sentence": result.sentence,
        "target": meta.target,
        "client": meta.client,
        "verdict": result.outcome.value,
        "reason": result.reason,
        "known_bug": None if result.known_bug is None else asdict(result.known_bug),
        "happened": result.happened,
        "anomalies": [anomaly.sentence for anomaly in result.anomalies],
        "differences": [asdict(difference) for difference in result.differences],
        "duration": meta.duration_s,
        "operations": meta.operations,
        "faults": meta.faults,
        "observations": result.observations,
        "rerun": meta.rerun,
        "folder": result.anchor,
    }
