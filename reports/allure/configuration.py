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
    """What is known of failures: an issue of Apache Kafka that a check names and that it fails by on this run's target.

    A check that was written for a known bug carries its id as a link of type "issue"; where it does not hold, the
    failure is that bug's.
    """
    rules: dict[str, dict[str, Any]] = {}
    for result in results.results:
        for link in result.links:
            if link.is_known_bug:
                rule = rules.setdefault(
                    link.name,
                    {"resolution": "issue", "issue": {"id": link.name, "type": "kafka"}, "testCaseId": []},
                )
                if result.meta.check not in rule["testCaseId"]:
                    rule["testCaseId"].append(result.meta.check)
    return {
        "knownIssuesPath": KNOWN_ISSUES,
        "links": {"kafka": {"nameTemplate": "%s", "urlTemplate": ISSUE_LINK}},
        "rules": list(rules.values()),
    }


def _report_name(results: Results) -> str:
    return f"Apache Kafka verification: {', '.join(results.targets) or 'no target'}, seed {results.seed}"


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
