"""Every served API has its header, every check a claim and what it must reject, every fault how it heals."""

from __future__ import annotations

import ast
import re

from source_tree import ROOT, Source, sources

from harness.catalogue import CLAIMS_FILE, Header, claims
from harness.catalogue import check_files as listed_checks
from harness.judging.guarantees import ANOMALIES

API_HEADER = ("**Promises**", "**Refuses**", "**Versions**", "**Departs from Kafka**")
CHECK_HEADER = ("**Claim**", "**Why it matters**", "**Kafka says**", "**Cannot see**", "**Rejects**")
NAMED_CHECK = re.compile(
    r"(?<![\w/])((?:durability|groups|metadata|ordering|protocol|retention|walkthrough)/[a-z0-9_]+)(?![\w./])"
)
FAULT_HEADER = ("**Does**", "**Needs**", "**Heals**")


def api_files() -> list[Source]:
    return [source for source in sources("reference_broker") if "\nAPI: " in source.text or "\nAPI = " in source.text]


def check_files() -> list[Source]:
    return [source for source in sources("checks") if source.path.rpartition("/")[2].startswith("test_")]


def fault_files() -> list[Source]:
    """Files with a fault in them; the Protocol of all faults is none."""
    healing = [source for source in sources("nemesis") if re.search(r"def heal\(", source.text)]
    return [source for source in healing if source.path != "nemesis/fault.py"]


def lacking(files: list[Source], parts: tuple[str, ...]) -> str:
    """A line for each file whose header lacks some of the parts."""
    lines = []
    for source in files:
        header = ast.get_docstring(source.tree) or ""
        missing = [part for part in parts if part not in header]
        lines += [f"{source.path}: the header lacks {', '.join(missing)}"] if missing else []
    return "\n".join(lines)


def test_an_api_states_its_contract_in_its_header() -> None:
    assert not lacking(api_files(), API_HEADER)


def test_a_check_states_its_claim_and_what_it_rejects() -> None:
    assert not lacking(check_files(), CHECK_HEADER)


def test_another_check_that_a_header_names_is_there() -> None:
    wrong = []
    for source in check_files():
        header = ast.get_docstring(source.tree) or ""
        wrong += [f"{source.path}: {name}" for name in NAMED_CHECK.findall(header) if not is_check(name)]
    assert not wrong, "named in a header, and not there: " + ", ".join(wrong)


def is_check(name: str) -> bool:
    """Whether there is a file of checks of an id, such as durability/power_loss."""
    area, _, file = name.partition("/")
    return (ROOT / "checks" / area / f"test_{file}.py").is_file()


def test_what_the_id_of_a_claim_means_is_listed() -> None:
    told = claims()
    unknown = [f"{file.path}: {name}" for file in listed_checks() for name in file.claims if name not in told]
    unknown += [f"{anomaly}: {name}" for anomaly, (name, _) in ANOMALIES.items() if name not in told]
    assert not unknown, f"not in {CLAIMS_FILE.name}, which says what each id means: {', '.join(unknown)}"


def test_a_check_links_to_the_proposals_that_its_header_names() -> None:
    wrong = []
    for source in check_files():
        says = Header.of(ast.get_docstring(source.tree)).kafka_says
        named, marked = set(re.findall(r"KIP-(\d+)", says)), proposals(source)
        if named != marked:
            wrong.append(f"{source.path}: **Kafka says** names KIP {sorted(named)}, and kip(…) {sorted(marked)}")
    assert not wrong, "\n".join(wrong)


def proposals(source: Source) -> set[str]:
    """The numbers given to pytest.mark.kip in a file."""
    calls = (node for node in ast.walk(source.tree) if isinstance(node, ast.Call))
    marks = (call for call in calls if isinstance(call.func, ast.Attribute) and call.func.attr == "kip")
    return {str(word.value) for mark in marks for word in mark.args if isinstance(word, ast.Constant)}


def test_a_fault_says_what_it_does_needs_and_how_it_heals() -> None:
    assert not lacking(fault_files(), FAULT_HEADER)


def test_what_a_check_says_it_rejects_exists() -> None:
    wrong = []
    for source in check_files():
        header = ast.get_docstring(source.tree) or ""
        line = header.partition("**Rejects**")[2].partition("\n\n")[0]
        named = re.findall(r"tests/[\w/]+\.py(?:::\w+)?", line)
        if not any(name.startswith("tests/plants/") for name in named):
            wrong.append(f"{source.path}: **Rejects** must name a plant (tests/plants/….py) that its assertions reject")
        for name in named:
            path, _, test = name.partition("::")
            if not (ROOT / path).is_file():
                wrong.append(f"{source.path}: {path} is not there")
            elif test and not re.search(rf"^(def {test}\(|{test} = )", (ROOT / path).read_text(encoding="utf-8"), re.M):
                wrong.append(f"{source.path}: {path} has no {test}")
    assert not wrong, "\n".join(wrong)
