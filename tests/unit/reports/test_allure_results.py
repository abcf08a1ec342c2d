"""Allure's results: labels, statuses, steps, attachments, one environment a target."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.history.store import Item, Run
from harness.hosts.lack import Lack, Means
from harness.pytest_plugin.lacking import skip_for
from reports.allure import results as allure
from reports.allure.configuration import CONFIGURATION
from reports.results import load

Store = Callable[..., Item]


def written(run: Run) -> list[dict[str, Any]]:
    allure.write(load(run.path))
    files = sorted((run.path / allure.RESULTS).glob("*-result.json"))
    return [json.loads(file.read_text(encoding="utf-8")) for file in files]


def labels(result: dict[str, Any]) -> dict[str, str]:
    return {label["name"]: label["value"] for label in result["labels"]}


def broken(run: Run) -> dict[str, Any]:
    found = [result for result in written(run) if result["status"] == "failed" and "steps" in result]
    assert len(found) == 1
    return found[0]


def test_every_check_on_every_target_is_a_result(whole_run: Run) -> None:
    assert len(written(whole_run)) == 14


def test_a_result_carries_its_labels(whole_run: Run) -> None:
    wanted = {"epic": "Durability", "feature": "Produce", "severity": "critical", "target": "reference"}
    wanted |= {"client": "confluent", "seed": "20261122", "tag": "D1"}

    assert wanted.items() <= labels(broken(whole_run)).items()
    assert labels(broken(whole_run))["story"].startswith("A record acknowledged with acks=all")


@pytest.mark.parametrize(
    ("outcome", "status"),
    [
        ("held", "passed"),
        ("broken", "failed"),
        ("differs", "failed"),
        ("unknown", "broken"),
        ("known bug", "failed"),
        ("observed", "unknown"),
        ("skipped", "skipped"),
    ],
)
def test_an_outcome_has_its_status(run: Run, store: Store, outcome: str, status: str) -> None:
    store("durability/x", outcome=outcome)

    assert written(run)[0]["status"] == status


def test_a_result_stands_in_the_suites_of_its_folder_file_and_function(whole_run: Run) -> None:
    found = labels(broken(whole_run))

    assert [found[name] for name in ("parentSuite", "suite", "subSuite")] == [
        "Durability",
        "Acknowledged records survive",
        "Acknowledged records survive",
    ]


def test_the_links_of_a_check_are_links_and_tags(run: Run, store: Store) -> None:
    link = {"name": "KIP-98", "url": "https://example.org/KIP-98", "kind": "link"}
    store("durability/x", links=[link])
    result = written(run)[0]

    assert result["links"] == [{"name": "KIP-98", "url": "https://example.org/KIP-98", "type": "link"}]
    assert {"name": "tag", "value": "KIP-98"} in result["labels"]


def known_bug(run: Run, store: Store, link: str) -> dict[str, Any]:
    """A check that a known bug broke, as Allure gets it."""
    bug = {"id": link.rpartition("/")[2], "sentence": "Old settings stay.", "releases": ["4.3"], "link": link}
    store("metadata/x", "kafka@4.3.1", "known bug", known_bug=bug, failure="  What happened: It has settings.")
    (found,) = written(run)
    return found


def test_a_known_bug_is_a_known_failure_with_its_link(run: Run, store: Store) -> None:
    result = known_bug(run, store, "https://issues.apache.org/jira/browse/KAFKA-19367")

    assert result["statusDetails"]["known"] is True
    assert result["statusDetails"]["message"] == "Known bug KAFKA-19367: It has settings."
    assert result["links"][-1] == {
        "name": "KAFKA-19367",
        "url": "https://issues.apache.org/jira/browse/KAFKA-19367",
        "type": "issue",
    }


@pytest.mark.parametrize(
    ("link", "kind"),
    [("https://issues.apache.org/jira/browse/KAFKA-19367", "kafka"), ("https://example.org/bugs/7", "7")],
)
def test_a_known_bug_resolves_its_failure_as_that_issue(run: Run, store: Store, link: str, kind: str) -> None:
    known_bug(run, store, link)
    text = (run.path / CONFIGURATION).read_text(encoding="utf-8")

    rule = {
        "resolution": "issue",
        "issue": {"id": link.rpartition("/")[2], "type": kind},
        "messageRegexp": "^Known bug",
        "testCaseId": ["metadata/x"],
        "comment": "Old settings stay.",
    }
    assert json.dumps(rule) in text


def test_the_faults_of_a_phase_are_steps_within_it(whole_run: Run) -> None:
    steps = {step["name"]: step for step in broken(whole_run)["steps"]}

    assert [inner["name"].partition(":")[0] for inner in steps["run"]["steps"]] == ["fault"]


def test_results_may_go_to_a_folder_that_was_named(whole_run: Run, tmp_path: Path) -> None:
    allure.write(load(whole_run.path), tmp_path / "results")

    assert len(list((tmp_path / "results").glob("*-result.json"))) == 14
    assert (tmp_path / "results" / "allurerc.mjs").is_file()


def test_phases_are_steps_with_their_times(whole_run: Run) -> None:
    steps = broken(whole_run)["steps"]

    assert [(step["name"], step["stop"] - step["start"]) for step in steps] == [("run", 8_100), ("final read", 900)]


@pytest.mark.parametrize(
    ("claim", "shown"),
    [("Water runs downhill, and is wet.", "**All claims of its file.** Water"), ("Water runs downhill.", "")],
)
def test_a_description_tells_the_claims_of_the_file_where_they_say_more(
    run: Run, store: Store, claim: str, shown: str
) -> None:
    store("durability/x", sentence="Water runs downhill.", file_claim=claim)

    (found,) = written(run)
    assert shown in found["description"]
    assert ("All claims" in found["description"]) is bool(shown)


def test_the_phase_in_which_a_check_failed_is_the_one_that_is_told_as_failed(run: Run, store: Store) -> None:
    phases = [{"name": "kill", "stop_s": 1}, {"name": "wait", "start_s": 1, "stop_s": 3, "failed": True}]
    store("durability/x", outcome="unknown", phases=phases)

    (found,) = written(run)
    assert [(step["name"], step["status"]) for step in found["steps"]] == [("kill", "passed"), ("wait", "broken")]


def test_what_failed_after_all_phases_makes_none_of_them_failed(whole_run: Run) -> None:
    assert {step["status"] for step in broken(whole_run)["steps"]} == {"passed"}


def test_the_first_anomalies_have_their_evidence_and_the_others_are_one_list(whole_run: Run) -> None:
    (item,) = [item for item in whole_run.items() if item.meta().verdict == "invalid"]
    meta = item.meta()
    (lost,) = [verdict for verdict in meta.verdicts if verdict["anomalies"]]
    lost["anomalies"] = list(lost["anomalies"])[:1] * 5
    item.write_meta(meta)

    names = [attachment["name"] for attachment in broken(whole_run)["attachments"]]
    assert [name for name in names if "itness" in name] == ["Witness 1", "Witness 2", "Witness 3", "2 more witnesses"]


def test_a_broken_claim_brings_its_evidence(whole_run: Run) -> None:
    names = [attachment["name"] for attachment in broken(whole_run)["attachments"]]

    wanted = ["Witness", "Picture: log", "Picture: order", "History around the anomaly", "Picture: timeline", "Figures"]
    assert names == [*wanted, "Log: node-2.log", "Run it again"]


def test_every_attachment_is_a_file(whole_run: Run) -> None:
    sources = [attachment["source"] for attachment in broken(whole_run)["attachments"]]

    assert all((whole_run.path / allure.RESULTS / source).stat().st_size for source in sources)


def test_one_test_has_the_same_identity_on_each_target(whole_run: Run) -> None:
    killed = [result for result in written(whole_run) if result["fullName"].endswith("survive[kill]")]

    assert len(killed) == 2
    assert len({result["testCaseId"] for result in killed}) == 1


def test_each_target_and_client_has_a_history_of_its_own(whole_run: Run) -> None:
    told = [
        sorted(parameter["name"] for parameter in result["parameters"] if not parameter.get("excluded"))
        for result in written(whole_run)
        if result["fullName"].endswith("survive[kill]")
    ]

    assert told == [["client", "target"]] * 2


def test_trouble_of_the_harness_is_told_from_a_verdict_that_is_unknown(whole_run: Run) -> None:
    unknown = next(result for result in written(whole_run) if result["status"] == "broken")

    assert unknown["statusDetails"]["message"].startswith("Harness trouble: ")


def test_the_categories_tell_promises_differences_unknown_and_trouble_apart(whole_run: Run) -> None:
    written(whole_run)
    found = json.loads((whole_run.path / allure.RESULTS / "categories.json").read_text(encoding="utf-8"))

    assert [one["name"].split()[0] for one in found] == ["Broken", "Differs", "Unknown:", "Harness", "Known"]


def test_the_environment_names_versions_and_seed(whole_run: Run) -> None:
    written(whole_run)
    text = (whole_run.path / allure.RESULTS / "environment.properties").read_text(encoding="utf-8")

    assert "seed=20261122\n" in text
    assert "version.kafka@4.3.1=4.3.1\n" in text


def test_writing_again_replaces_the_results(whole_run: Run) -> None:
    assert len(written(whole_run)) == len(written(whole_run))


def test_the_configuration_is_a_module_that_node_reads(whole_run: Run, tmp_path: Path) -> None:
    if shutil.which("node") is None:
        skip_for(Lack(Means.NODE_JS, "Node is not installed"))
    written(whole_run)
    script = tmp_path / "show.mjs"
    configuration = (whole_run.path / CONFIGURATION).as_uri()
    script.write_text(
        f'import all from "{configuration}";\n'
        'const labels = [{ name: "target", value: "kafka@4.3.1" }];\n'
        "const fits = (labels) => Object.values(all.environments).filter((one) => one.matcher({ labels }));\n"
        "console.log(JSON.stringify([...fits(labels), ...fits([])].map((one) => one.name)));\n",
        encoding="utf-8",
    )
    done = subprocess.run(["node", str(script)], capture_output=True, text=True, timeout=60, check=True)

    assert json.loads(done.stdout) == ["kafka@4.3.1", "the run as a whole"]
