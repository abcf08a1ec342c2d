"""Every served API has its header, every check a claim and what it must reject, every fault how it heals."""

from __future__ import annotations

import ast
import re

import pytest
from source_tree import ROOT, Source, sources

API_HEADER = ("**Promises**", "**Refuses**", "**Versions**", "**Departs from Kafka**")
CHECK_HEADER = ("**Claim**", "**Why it matters**", "**Kafka says**", "**Cannot see**", "**Rejects**")
FAULT_HEADER = ("**Does**", "**Needs**", "**Heals**")


def api_files() -> list[Source]:
    return [source for source in sources("reference_broker") if "\nAPI: " in source.text or "\nAPI = " in source.text]


def check_files() -> list[Source]:
    return [source for source in sources("checks") if source.path.rpartition("/")[2].startswith("test_")]


def fault_files() -> list[Source]:
    """Files with a fault in them; the Protocol of all faults is none."""
    healing = [source for source in sources("nemesis") if re.search(r"def heal\(", source.text)]
    return [source for source in healing if source.path != "nemesis/fault.py"]


def missing_parts(source: Source, parts: tuple[str, ...]) -> list[str]:
    header = ast.get_docstring(source.tree) or ""
    return [part for part in parts if part not in header]


@pytest.mark.parametrize("source", api_files(), ids=lambda source: source.path)
def test_an_api_states_its_contract_in_its_header(source: Source) -> None:
    assert not missing_parts(source, API_HEADER), f"{source.path}: the header lacks {missing_parts(source, API_HEADER)}"


@pytest.mark.parametrize("source", check_files(), ids=lambda source: source.path)
def test_a_check_states_its_claim_and_what_it_rejects(source: Source) -> None:
    missing = missing_parts(source, CHECK_HEADER)
    assert not missing, f"{source.path}: the header lacks {missing}"


@pytest.mark.parametrize("source", check_files(), ids=lambda source: source.path)
def test_what_a_check_says_it_rejects_exists(source: Source) -> None:
    header = ast.get_docstring(source.tree) or ""
    line = header.partition("**Rejects**")[2].partition("\n\n")[0]
    named = re.findall(r"tests/[\w/]+\.py(?:::\w+)?", line)
    assert named, f"{source.path}: **Rejects** must name a plant or a test (tests/….py::test_…) that it rejects"
    for name in named:
        path, _, test = name.partition("::")
        assert (ROOT / path).is_file(), f"{source.path}: {path} is not there"
        assert not test or f"def {test}(" in (ROOT / path).read_text(encoding="utf-8"), f"{path} has no {test}"


@pytest.mark.parametrize("source", fault_files(), ids=lambda source: source.path)
def test_a_fault_says_what_it_does_needs_and_how_it_heals(source: Source) -> None:
    assert not missing_parts(source, FAULT_HEADER), (
        f"{source.path}: the header lacks {missing_parts(source, FAULT_HEADER)}"
    )
