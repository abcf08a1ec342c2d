"""The catalogue names plants that are there; the table of tests/plants/README.md is made from it and measured.json."""

from __future__ import annotations

from tests.plants._catalogue import README, bugs, measured, places, rejecting_checks, said_by_simulation, with_table

LEAST_BUGS = 30
"""How many bugs of the catalogue have a plant at least."""


def test_the_catalogue_names_plants_that_are_there() -> None:
    wrong = [f"{bug.number}: there is no plant {name}" for bug in bugs() for name in bug.plants if name not in places()]
    wrong += [f"{bug.number}: no plant" for bug in bugs() if not bug.plants]
    assert not wrong, "\n".join(wrong)


def test_each_bug_has_a_number_of_its_own() -> None:
    numbers = [bug.number for bug in bugs()]
    assert numbers == sorted(set(numbers))
    assert len(numbers) >= LEAST_BUGS


def test_what_was_measured_is_there_and_says_what_the_header_says() -> None:
    wrong = []
    for name, found in measured().items():
        evidence = said_by_simulation(name) if name in places() else []
        if name not in places():
            wrong.append(f"{name}: no such plant; run python -m tests.plants measure")
        elif "seed" in found and not any(words in found["said"] for words in evidence):
            wrong.append(f"{name}: the header says {evidence}, and the simulation said {found['said']!r}")
        elif "check" in found and found["check"] not in dict(rejecting_checks(name)):
            wrong.append(f"{name}: its header does not name {found['check']}")
    assert not wrong, "\n".join(wrong)


def test_the_table_is_made_from_the_catalogue() -> None:
    text = README.read_text(encoding="utf-8")
    assert text == with_table(text), "run python -m tests.plants table"
