"""Allure's configuration for a run: environments, categories, known issues, one file that opens from disk.

It is a module that npm's `allure` reads (`allurerc.mjs`), so texts of ours go in as JSON, which JavaScript understands.
"""

from __future__ import annotations

import json
from typing import Any

from reports.results import Results

CONFIGURATION = "allurerc.mjs"
REPORT = "allure-report"
HISTORY = "allure-history.jsonl"
"""Beside the runs, so that a report shows how the earlier ones went."""
KNOWN_ISSUES = "known-issues.json"
ISSUE_LINK = "https://issues.apache.org/jira/browse/%s"
"""Where Apache Kafka's issues are told."""

CATEGORIES: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("Broken promise", "^Broken promise", ("failed",)),
    ("Differs between targets", "^Differs", ("failed",)),
    ("Unknown: nothing was proved", "^Unknown", ("broken",)),
    ("Harness trouble", "^Harness trouble", ("broken",)),
    ("Known bug of Apache Kafka", "^Known bug", ("failed",)),
)
"""(name, how its messages start, Allure's statuses)."""


def categories() -> list[dict[str, Any]]:
    """The categories as `categories.json` wants them, for Allure of an older version."""
    return [
        {"name": name, "messageRegex": f"{start}[\\s\\S]*", "matchedStatuses": list(statuses)}
        for name, start, statuses in CATEGORIES
    ]


def configuration(results: Results) -> str:
    """The text of allurerc.mjs."""
    return f"""// Written by `python -m harness report` for this run.
export default {{
  name: {_json(_report_name(results))},
  historyPath: {_json(f"../{HISTORY}")},
  appendHistory: {"false" if (results.path / REPORT).exists() else "true"},
  environments: {{
{_environments(results)}
  }},
  categories: [
{_category_rules()}
  ],
  resolutions: {_json(_resolutions(results))},
  plugins: {{
    awesome: {{
      options: {{ singleFile: true, reportLanguage: "en", theme: "auto", groupBy: ["epic", "feature", "story"] }},
    }},
  }},
}};
"""


def _environments(results: Results) -> str:
    names = dict.fromkeys([*results.targets, *(result.meta.target for result in results.results)])
    rows = [
        '    "run": { name: "the run as a whole", matcher: ({ labels }) => '
        '!labels.some((label) => label.name === "target") },'
    ]
    rows += [
        f"    {_json(f'target_{number}')}: {{ name: {_json(name)}, matcher: ({{ labels }}) => "
        f'labels.some((label) => label.name === "target" && label.value === {_json(name)}) }},'
        for number, name in enumerate(name for name in names if name)
    ]
    return "\n".join(rows)


def _category_rules() -> str:
    return "\n".join(
        f"    {{ name: {_json(name)}, matchers: {{ statuses: {_json(list(statuses))}, message: /{start}/ }}, "
        'groupBy: ["environment"] },'
        for name, start, statuses in CATEGORIES
    )


def _resolutions(results: Results) -> dict[str, Any]:
    """The known bugs behind failures, as issues with their links; one without a link is "known" by its result alone.

    Allure makes an issue's address from its id. A page that is not named by the id has it as its fragment.
    """
    rules: dict[str, dict[str, Any]] = {}
    links = {"kafka": {"nameTemplate": "%s", "urlTemplate": ISSUE_LINK}}
    for result in results.results:
        bug = result.known_bug
        if bug is None or not bug.link.startswith("https://"):
            continue
        kind = "kafka" if bug.link == ISSUE_LINK % bug.id else bug.id
        if kind != "kafka":
            links[kind] = {"nameTemplate": "%s", "urlTemplate": f"{bug.link.partition('#')[0]}#%s"}
        rule = rules.setdefault(
            bug.id,
            {
                "resolution": "issue",
                "issue": {"id": bug.id, "type": kind},
                "messageRegexp": "^Known bug",
                "testCaseId": [],
                "comment": bug.sentence,
            },
        )
        if result.meta.check not in rule["testCaseId"]:
            rule["testCaseId"].append(result.meta.check)
    return {"knownIssuesPath": KNOWN_ISSUES, "links": links, "rules": list(rules.values())}


def _report_name(results: Results) -> str:
    return f"Apache Kafka verification: {', '.join(results.targets) or 'no target'}, seed {results.seed}"


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
