"""A plant says what the bug is and which checks, or the simulation, reject it; those checks say the same of the plant.
A planted difference says what differs, and which writer's sequences show it at which level.
"""

from __future__ import annotations

import ast
import re

from source_tree import Source, sources

PLANT_HEADER = ("**Bug**", "**Rejected by**")
REJECTS = re.compile(r"`(checks/[\w/]+\.py[^`]*|python -m harness simulate)`:\s\S")
FOUND_BY = re.compile(r"\*\*Found by\*\* `\w+`, level [\w ]+:\s`[^`]+`$", re.MULTILINE)


def plants() -> list[Source]:
    place = r"tests/plants/((brokers|quorum|power)/)?(?!test_|_)\w+\.py"
    return [source for source in sources("tests") if re.fullmatch(place, source.path)]


def planted_differences() -> list[Source]:
    return [
        source for source in sources("tests") if re.fullmatch(r"tests/plants/differences/(?!_)\w+\.py", source.path)
    ]


def header_of(source: Source) -> str:
    return ast.get_docstring(source.tree) or ""


def rejecting_checks(plant: Source) -> set[str]:
    """The files of checks that a plant's header names."""
    return set(re.findall(r"^`(checks/[\w/]+\.py)", header_of(plant).partition("**Rejected by**")[2], re.MULTILINE))


def rejected_plants(check: Source) -> set[str]:
    """The plants that a check's header names."""
    part = header_of(check).partition("**Rejects**")[2].partition("\n\n")[0]
    return set(re.findall(r"tests/plants/(?:(?:brokers|quorum|power)/)?(?!test_)\w+\.py", part))


def test_a_plant_has_its_header() -> None:
    wrong = []
    for plant in plants():
        wrong += [f"{plant.path}: the header lacks {part}" for part in PLANT_HEADER if part not in header_of(plant)]
        entries = re.split(r"^(?=`)", header_of(plant).partition("**Rejected by**")[2], flags=re.MULTILINE)[1:]
        if not entries or not all(REJECTS.match(entry) for entry in entries):
            form = "`checks/….py::….`: words, or `python -m harness simulate`: words"
            wrong.append(f"{plant.path}: **Rejected by** needs entries in the form {form}")
    assert not wrong, "\n".join(wrong)


def test_the_checks_that_a_plant_names_name_the_plant() -> None:
    by_path = {source.path: source for source in sources("checks")}
    wrong = []
    for plant in plants():
        for path in sorted(rejecting_checks(plant)):
            if path not in by_path:
                wrong.append(f"{plant.path}: there is no {path}")
            elif plant.path not in rejected_plants(by_path[path]):
                wrong.append(f"{path}: **Rejects** does not name {plant.path}")
    assert not wrong, "\n".join(wrong)


def test_the_plants_that_a_check_names_name_the_check() -> None:
    by_path = {source.path: source for source in plants()}
    wrong = []
    for check in sources("checks"):
        for path in sorted(rejected_plants(check)):
            if path not in by_path:
                wrong.append(f"{check.path}: there is no plant {path}")
            elif check.path not in rejecting_checks(by_path[path]):
                wrong.append(f"{path}: **Rejected by** does not name {check.path}")
    assert not wrong, "\n".join(wrong)


def test_a_planted_difference_says_what_differs_and_what_finds_it() -> None:
    wrong = []
    for plant in planted_differences():
        if "**Differs** " not in header_of(plant):
            wrong.append(f"{plant.path}: the header lacks **Differs**")
        if not FOUND_BY.search(header_of(plant)):
            wrong.append(f"{plant.path}: write **Found by** `writer`, level words: `API field`")
    assert not wrong, "\n".join(wrong)


def test_no_two_plants_have_the_same_name() -> None:
    names = [source.path.rpartition("/")[2] for source in (*plants(), *planted_differences())]
    assert len(names) == len(set(names))
