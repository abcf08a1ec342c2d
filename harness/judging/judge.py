"""Judges stored histories again: `python -m harness judge RUN [--check ID]`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from harness.history.files import HistoryTrouble
from harness.history.history import AnyHistory
from harness.history.store import Item, StoreTrouble, open_items
from harness.judging.activity import Needs
from harness.judging.guarantees import Guarantees
from harness.judging.measures import loss_sentences
from harness.judging.periods import rules_of
from harness.judging.verdicts import Validity, Verdict, merged
from harness.workloads import queue
from reference_broker.command_line import Parser, as_typed

BAD_INPUT = 2
"""Exit status for wrong input, or if there is nothing to judge."""

WORKLOADS: Mapping[str, Callable[[AnyHistory, Guarantees, Needs], tuple[Verdict, ...]]] = {"queue": queue.judge}
"""Name of a workload in stored runs → its judge."""


def judge_item(item: Item) -> tuple[Verdict, ...]:
    """Judges a stored history with the current checkers of its workload. StoreTrouble if the workload is unknown."""
    meta = item.meta()
    judge = WORKLOADS.get(meta.workload)
    if judge is None:
        known = ", ".join(WORKLOADS)
        raise StoreTrouble(f"{item.path}: its workload {meta.workload!r} has no checkers here (known: {known})")
    history = item.stream()
    stored = meta.rules()
    return judge(history, rules_of(history, stored.client, stored.topic), meta.least())


def describe(check: str, target: str, verdicts: tuple[Verdict, ...]) -> list[str]:
    """Lines that report verdicts: the merged one, reasons and witnesses of invalid and unknown ones, tolerated
    anomalies."""
    validity = merged(verdict.validity for verdict in verdicts)
    lines = [f"{validity.upper():<8} {check} [{target}]"]
    for verdict in verdicts:
        if verdict.validity is not Validity.VALID:
            count = f", {verdict.count:,} found" if verdict.count else ""
            lines.append(f"  {verdict.checker}: {verdict.validity}{count}; {verdict.reason}")
            if verdict.rests_on:
                lines.append(f"    looked at: {verdict.rests_on}")
            for anomaly in verdict.anomalies[:2]:
                lines.append(f"    {anomaly.claim}  {anomaly.sentence}")
                lines += [f"      {witness}" for witness in anomaly.witness_lines]
        elif verdict.tolerated:
            lines.append(f"  {verdict.checker}: {verdict.count:,} found, {verdict.reason}")
    return lines


def main(arguments: list[str], say: Callable[[str], None] = print) -> int:
    """Exit status: 0 valid, 1 invalid, 2 wrong input, 3 unknown."""
    parser = Parser(
        prog=as_typed("harness judge"),
        description="Judges the stored histories of a run again. Exit status: 0 valid, 1 invalid, 3 unknown.",
        epilog=f"example: {as_typed('harness judge reports/out/latest')}",
    )
    parser.add_argument("run", type=Path, help="folder of a run, or of one check in it")
    parser.add_argument("--check", help="only checks whose id contains this")
    try:
        options = parser.parse_args(arguments)
    except SystemExit as leaving:
        return BAD_INPUT if leaving.code else 0
    try:
        found = [item for item in open_items(options.run) if item.history_path.is_file()]
        chosen = [item for item in found if not options.check or options.check in item.meta().check]
        if not chosen:
            raise StoreTrouble(f"{options.run}: no stored history of a check named {options.check or '(any)'}")
        validities = []
        for item in chosen:
            meta = item.meta()
            verdicts = judge_item(item)
            validities.append(merged(verdict.validity for verdict in verdicts))
            for line in describe(meta.check, meta.target, verdicts):
                say(line)
            for sentence in loss_sentences(meta.measures, only_lost=True):
                say(f"  lost: {sentence}")
    except (StoreTrouble, HistoryTrouble) as trouble:
        print(f"harness: {trouble}", file=sys.stderr)
        return BAD_INPUT
    return merged(validities).exit_code
