"""Writes what the releases of Kafka advertise and know, as they say it themselves: `--check` only compares.

.venv/bin/python -m tests.vectors.make_releases [--check]

Each release's node is formatted by its own tool and started; ReleaseTable.java is run on its class path. Writes
releases/release_table.py, settings/config_table.py (the baseline's configs) and settings/release_changes.py (the
others', against it) in reference_broker/. Needs Java, and Maven for releases that are not in the cache yet.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from harness.clients.connection import RawConnection
from harness.targets import jars
from harness.targets.kafka_process import KafkaProcessTarget
from harness.targets.target import ClusterSpec
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.messages.api_versions_request import ApiVersionsRequest
from tests.vectors.setting_source import literal, setting, text_literal

RELEASES: Final = {"4.0": "4.0.2", "4.1": "4.1.2", "4.2": "4.2.1", "4.3": "4.3.1", "4.4": "4.4.0"}
"""Profile -> the patch release that is recorded for it."""
BASELINE: Final = "4.3"
BROKER_FOLDER: Final = Path(__file__).resolve().parents[2] / "reference_broker"
PROGRAM: Final = Path(__file__).with_name("ReleaseTable.java")
SCOPES: Final = ("broker", "topic", "group", "client-metrics")
_JAVA: Final = ("java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp")
_TIMEOUT_S: Final = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """What one release says. `configs` are rows by scope and name."""

    apis: Mapping[str, str]
    supported: str
    finalized: str
    configs: Mapping[str, Mapping[str, str]]
    metadata_versions: str
    first_metadata_versions: Mapping[str, tuple[int, ...]]
    known: str


def record(version: str) -> Recording:
    """Starts a release and asks it. TargetTrouble or CalledProcessError where that cannot be done."""
    target = KafkaProcessTarget(f"kafka@{version}", version)
    command = [*_JAVA, f"{target.libs()}/*", str(PROGRAM)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=_TIMEOUT_S, check=True)
    lines = [line.split(" ", 2) for line in done.stdout.splitlines()]
    levels: dict[str, list[int]] = {}
    for kind, name, rest in lines:
        if kind == "level" and name != "kraft.version" and not rest.startswith("0 "):
            levels.setdefault(name, []).append(int(rest.split()[1]))
    cluster = target.open(ClusterSpec())
    try:
        broker = ask(cluster.bootstrap)
        controller = ask(controller_address(cluster.folder / "server.properties"))
    finally:
        cluster.close()
    return Recording(
        apis={"broker": ranges(broker), "controller": ranges(controller)},
        supported=words((one.name, one.min_version, one.max_version) for one in broker.supported_features),
        finalized=" ".join(sorted(f"{one.name}:{one.max_version_level}" for one in broker.finalized_features)),
        configs={
            scope: {rest.partition("|")[0]: rest for kind, of, rest in lines if (kind, of) == ("config", scope)}
            for scope in SCOPES
        },
        metadata_versions=" ".join(f"{number}:{rest}" for kind, number, rest in lines if kind == "metadata"),
        known=" ".join(sorted({name for kind, name, _ in lines if kind == "level"})),
        first_metadata_versions={name: tuple(firsts) for name, firsts in sorted(levels.items())},
    )


def controller_address(properties: Path) -> str:
    """host:port of the listener CONTROLLER in a node's settings."""
    text = properties.read_text(encoding="utf-8")
    return text.partition("CONTROLLER://")[2].split()[0].split(",")[0]


def ask(address: str) -> Any:
    """ApiVersions, in the version that tells everything."""
    with RawConnection.to(address) as connection:
        asked = ApiVersionsRequest(client_software_name="recorder", client_software_version="1")
        answer = connection.request(ApiKey.API_VERSIONS, 4, asked)
    assert answer.error_code == 0, f"{address} answers with error {answer.error_code}"
    return answer


def ranges(answer: Any) -> str:
    """key:first-last of each API."""
    return words((one.api_key, one.min_version, one.max_version) for one in answer.api_keys)


def words(found: Iterable[tuple[Any, int, int]]) -> str:
    """name:first-last of each, sorted."""
    return " ".join(f"{what}:{low}-{high}" for what, low, high in sorted(found))


# -- the files ----------------------------------------------------------------------------------------------------


def wrapped(text: str, indent: str) -> str:
    """Words as literals that stand one under another, as the formatter would have them."""
    if len(text) < 104:
        return f'"{text}"'
    if len(text) <= 110:
        return f'(\n{indent}    "{text}"\n{indent})'
    lines: list[str] = []
    for word in text.split():
        if lines and len(lines[-1]) + len(word) < 100:
            lines[-1] += " " + word
        else:
            lines.append(word)
    parts = [line + " " for line in lines[:-1]] + lines[-1:]
    return "(\n" + "".join(f'{indent}    "{part}"\n' for part in parts) + f"{indent})"


def table_of(title: str, doc: str, found: Mapping[str, str]) -> str:
    """A mapping from profile to words."""
    rows = "".join(f'    "{profile}": {wrapped(text, "    ")},\n' for profile, text in found.items())
    return f'\n{title}: Final[Mapping[str, str]] = {{\n{rows}}}\n"""{doc}"""\n'


HEAD: Final = """\
{doc}
Generated by tests/vectors/make_releases.py from Kafka itself; do not edit.
{more}\"\"\"

from __future__ import annotations

"""


def release_table(found: Mapping[str, Recording]) -> str:
    """release_table.py."""
    newest = list(found.values())[-1]
    head = HEAD.format(doc='"""What each release of Kafka advertises: API versions and features.\n', more="")
    recorded = ", ".join(f'"{profile}": "{version}"' for profile, version in RELEASES.items())
    firsts = "".join(f'    "{one}": {numbers},\n' for one, numbers in newest.first_metadata_versions.items())
    return (
        head
        + "from collections.abc import Mapping\nfrom typing import Final\n\n"
        + f"RECORDED: Final[Mapping[str, str]] = {{{recorded}}}\n"
        + '"""Profile -> the patch release whose answers these are."""\n\n'
        + f"METADATA_VERSIONS: Final = {wrapped(newest.metadata_versions, '')}\n"
        + '"""level:name of each metadata version."""\n\n'
        + f"FIRST_METADATA_VERSION: Final[Mapping[str, tuple[int, ...]]] = {{\n{firsts}}}\n"
        + '"""Feature -> the metadata version from which a new cluster has each of its levels 1, 2 ..."""\n'
        + table_of(
            "BROKER_APIS",
            "Profile -> key:first-last version of each API on a broker's listener.",
            {profile: one.apis["broker"] for profile, one in found.items()},
        )
        + table_of(
            "CONTROLLER_APIS",
            "Profile -> the same on a controller's listener.",
            {profile: one.apis["controller"] for profile, one in found.items()},
        )
        + table_of(
            "SUPPORTED_FEATURES",
            "Profile -> feature:smallest-largest level that a node supports.",
            {profile: one.supported for profile, one in found.items()},
        )
        + table_of(
            "KNOWN_FEATURES",
            "Profile -> the features beside metadata.version that its tools know, those to come included.",
            {profile: one.known for profile, one in found.items()},
        )
        + table_of(
            "NEWEST_METADATA_VERSION",
            "Profile -> the newest metadata version that is known, though not yet used.",
            {profile: one.metadata_versions.split()[-1].partition(":")[2] for profile, one in found.items()},
        )
        + table_of(
            "FINALIZED_FEATURES",
            "Profile -> feature:level that a cluster formatted with its defaults has.",
            {profile: one.finalized for profile, one in found.items()},
        )
    )


NAMES: Final = """\
from reference_broker.settings.config_key import ConfigKey, ConfigType, Synonym, UpdateMode
from reference_broker.settings.validators import (
    NON_EMPTY,
    THROTTLED_REPLICAS,
    LoadableClass,
    OffsetReset,
    OneOf,
    OneOfAnyCase,
    Range,
)

BOOLEAN, STRING, INT, SHORT, LONG, DOUBLE, LIST, CLASS, PASSWORD = ConfigType
PER_BROKER, CLUSTER_WIDE = UpdateMode.PER_BROKER, UpdateMode.CLUSTER_WIDE
"""


def config_table(found: Recording) -> str:
    """config_table.py."""
    doc = (
        f'# ruff: noqa: E501, F401, I001\n# fmt: off\n"""Every configuration of Kafka {RELEASES[BASELINE]}, '
        "with its type, default and valid values, and how it may change.\n"
    )
    text = HEAD.format(doc=doc, more="") + "from typing import Final\n\n" + NAMES
    rows = [row.split("|") for scope in SCOPES for row in found.configs[scope].values()]
    classes = dict.fromkeys(row[2] for row in rows if row[1] == "CLASS" and row[2] not in ("~", "!"))
    text += f"LOADABLE_CLASS: Final = LoadableClass({literal(classes)})\n"
    for scope in SCOPES:
        keys = "".join(f"    {setting(row)},\n" for row in found.configs[scope].values())
        text += f"\n{scope.upper().replace('-', '_')}: Final[tuple[ConfigKey, ...]] = (\n{keys})\n"
    return text


def release_changes(found: Mapping[str, Recording]) -> str:
    """release_changes.py."""
    base = found[BASELINE].configs
    doc = (
        f'# ruff: noqa: E501, F401, I001\n# fmt: off\n"""How the configurations of other releases differ from those of '
        f"{RELEASES[BASELINE]} in config_table.py.\n"
    )
    text = HEAD.format(doc=doc, more="") + "from collections.abc import Mapping\nfrom typing import Final\n\n"
    text += NAMES.replace("\nfrom", "\nfrom reference_broker.settings.config_table import LOADABLE_CLASS\nfrom", 1)
    text += "\nCHANGES: Final[Mapping[str, Mapping[str, tuple[tuple[str, ...], tuple[ConfigKey, ...]]]]] = {\n"
    for profile, recording in found.items():
        if profile == BASELINE:
            continue
        text += f'    "{profile}": {{\n'
        for scope in SCOPES:
            gone = sorted(one for one in base[scope] if one not in recording.configs[scope])
            rows = sorted(row for one, row in recording.configs[scope].items() if base[scope].get(one) != row)
            if gone or rows:
                names = "".join(f"            {text_literal(name)},\n" for name in gone)
                keys = "".join(f"            {setting(row)},\n" for row in rows)
                text += f'        "{scope}": ((\n{names}        ), (\n{keys}        )),\n'
        text += "    },\n"
    return text + '}\n"""Profile -> scope -> (names that are gone, keys that are new or otherwise)."""\n'


def made(found: Mapping[str, Recording]) -> dict[Path, str]:
    """Every file with its content."""
    return {
        BROKER_FOLDER / "releases" / "release_table.py": release_table(found),
        BROKER_FOLDER / "settings" / "config_table.py": config_table(found[BASELINE]),
        BROKER_FOLDER / "settings" / "release_changes.py": release_changes(found),
    }


def main(arguments: list[str]) -> int:
    """0; with --check 1 where a file is stale."""
    for version in RELEASES.values():
        jars.fetch(version, lambda line: print(line, file=sys.stderr))
    stale = 0
    for path, content in made({profile: record(version) for profile, version in RELEASES.items()}).items():
        if path.is_file() and path.read_text(encoding="utf-8") == content:
            continue
        stale += 1
        if "--check" in arguments:
            print(f"reference_broker/{path.name} is stale: run python -m tests.vectors.make_releases")
        else:
            path.write_text(content, encoding="utf-8")
            print(f"wrote reference_broker/{path.name}")
    return int(bool(stale) and "--check" in arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
