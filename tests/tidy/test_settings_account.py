"""Every setting of a topic and of the log is seen in force by a check, or there is a reason why it is not."""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator

from source_tree import ROOT, Source, sources

from reference_broker.settings import config_table

FILE = ROOT / "checks" / "unchecked_settings.toml"


def all_settings() -> set[str]:
    """The settings of topics, those of brokers that give them their defaults, and all that begin with log."""
    names = {key.name for key in config_table.TOPIC}
    defaults = {synonym.name for key in config_table.TOPIC for synonym in key.synonyms}
    return names | defaults | {key.name for key in config_table.BROKER if key.name.startswith("log.")}


def claimed(check: Source) -> Iterator[str]:
    """The settings that a file of checks says to see in force."""
    for node in ast.walk(check.tree):
        if not isinstance(node, ast.Call):
            continue
        if isinstance(node.func, ast.Attribute) and node.func.attr == "setting":
            yield from (str(word.value) for word in node.args if isinstance(word, ast.Constant))
        if isinstance(node.func, ast.Name) and node.func.id == "Setting":
            values = {word.arg: word.value for word in node.keywords}
            found = (values.get("name"), values.get("broker"))
            yield from (str(value.value) for value in found if isinstance(value, ast.Constant))


def excused() -> dict[str, str]:
    """Setting → reason."""
    found = {}
    for entry in tomllib.loads(FILE.read_text(encoding="utf-8"))["unchecked"]:
        assert set(entry) == {"name", "reason"}, (
            f"{FILE.name}: an entry must have name and reason, and has {set(entry)}"
        )
        assert entry["reason"].strip(), f"{FILE.name}: {entry['name']} has no reason"
        names = entry["name"] if isinstance(entry["name"], list) else [entry["name"]]
        found.update(dict.fromkeys(names, entry["reason"]))
    return found


def test_every_setting_of_a_log_has_a_check_or_a_reason() -> None:
    checked = {name: source.path for source in sources("checks") for name in claimed(source)}
    reasons, known = excused(), all_settings()
    wrong = [
        f"{name}: no check sees it, and {FILE.name} gives no reason" for name in known - checked.keys() - reasons.keys()
    ]
    wrong += [
        f"{name}: {checked[name]} sees it, and {FILE.name} says that none does" for name in checked.keys() & reasons
    ]
    wrong += [f"{name}: {FILE.name} excuses it, and it is no setting of a log" for name in reasons.keys() - known]
    names = {key.name for key in (*config_table.TOPIC, *config_table.BROKER)}
    wrong += [
        f"{name}: {path} sees it, and there is no such setting" for name, path in checked.items() if name not in names
    ]
    assert not wrong, "\n".join(sorted(wrong))
