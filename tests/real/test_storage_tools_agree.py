"""Our storage tool and Kafka's print the same lines and end with the same status, and refuse for the same reason."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest

from reference_broker.raft.snapshots import read_snapshot
from reference_broker.raft.voters import VoterSet
from reference_broker.server.disk import OsDisk
from reference_broker.wire.messages.voters_record import VotersRecord

ROOT = Path(__file__).resolve().parents[2]
ID = "MkU3OEVBNTcwNTJENDM2Qg"
OTHER_ID = "AAAAAAAAAAAAAAAAAAAAAA"
DYNAMIC = """\
process.roles=broker,controller
node.id=1
listeners=PLAINTEXT://127.0.0.1:19092,CONTROLLER://127.0.0.1:19093
controller.listener.names=CONTROLLER
controller.quorum.bootstrap.servers=127.0.0.1:19093
log.dirs={folder}/data
"""
BROKER = """\
process.roles=broker
node.id=4
listeners=PLAINTEXT://127.0.0.1:19095
advertised.listeners=PLAINTEXT://127.0.0.1:19095
controller.listener.names=CONTROLLER
controller.quorum.bootstrap.servers=127.0.0.1:19093
log.dirs={folder}/data
"""
VOTERS = ",".join(f"{node}@127.0.0.1:1909{node + 2}:{chr(74 + node) * 20}Aw" for node in (1, 2, 3))
FILES = {
    "broker": BROKER,
    "dynamic": DYNAMIC,
    "static": DYNAMIC.replace("controller.quorum.bootstrap.servers=", "controller.quorum.voters=1@"),
    "three": DYNAMIC.replace("/data", "/a,{folder}/b\nmetadata.log.dir={folder}/m"),
}
FORMAT = ("format", "-t", ID)
CASES: dict[str, list[tuple[str, tuple[str, ...]]]] = {
    "info before the format": [("dynamic", ("info",))],
    "info after it": [("dynamic", (*FORMAT, "--standalone")), ("dynamic", ("info",))],
    "info of three folders": [("three", (*FORMAT, "-s")), ("three", ("info",))],
    "no word on the voters": [("dynamic", FORMAT)],
    "standalone": [("dynamic", (*FORMAT, "--standalone"))],
    "no initial controllers": [("dynamic", (*FORMAT, "--no-initial-controllers"))],
    "static voters": [("static", FORMAT)],
    "static voters and standalone": [("static", (*FORMAT, "--standalone"))],
    "twice": [("static", FORMAT), ("static", FORMAT)],
    "twice, which is allowed": [("static", FORMAT), ("static", (*FORMAT, "--ignore-formatted"))],
    "for another cluster": [("static", FORMAT), ("static", ("format", "-t", OTHER_ID, "--ignore-formatted"))],
    "of an older release": [("static", (*FORMAT, "--release-version", "4.1"))],
    "of a release that is none": [("static", (*FORMAT, "--release-version", "9.9"))],
    "of an older metadata version": [("static", (*FORMAT, "--feature", "metadata.version=25"))],
    "of two versions at once": [("static", (*FORMAT, "--feature", "metadata.version=25", "-r", "4.1"))],
    "with a feature turned off": [("static", (*FORMAT, "--feature", "group.version=0"))],
    "with a feature that is none": [("static", (*FORMAT, "--feature", "x=1"))],
    "one of three": [("dynamic", (*FORMAT, "--initial-controllers", VOTERS))],
    "one of three, in three folders": [("three", (*FORMAT, "-I", VOTERS))],
    "a controller that joins three": [("dynamic", (*FORMAT, "-I", VOTERS.partition(",")[2]))],
    "a broker": [("broker", FORMAT)],
    "a broker of three controllers": [("broker", (*FORMAT, "-I", VOTERS))],
    "a broker that joins": [("broker", (*FORMAT, "--no-initial-controllers"))],
    "a standalone broker": [("broker", (*FORMAT, "--standalone"))],
    "static voters, without initial ones": [("static", (*FORMAT, "--no-initial-controllers"))],
    "static voters and initial ones": [("static", (*FORMAT, "-I", VOTERS))],
    "a static quorum of kraft.version 1": [("static", (*FORMAT, "-f", "kraft.version=1"))],
    "a dynamic quorum of kraft.version 0": [("dynamic", (*FORMAT, "-s", "-f", "kraft.version=0"))],
    "a dynamic quorum of kraft.version 1": [("dynamic", (*FORMAT, "-s", "-f", "kraft.version=1"))],
    "a voter twice": [("dynamic", (*FORMAT, "-I", f"{VOTERS},{VOTERS.partition(',')[0]}"))],
    **{
        f"the voter {text!r}": [("dynamic", (*FORMAT, "-I", text))]
        for text in (
            *("", ",", "1", "x@h:1:A", "1@", "1@h", "1@[::1", "1@[::1]x", "1@h:1", "1@h:x:A"),
            *("1@h:65536:A", "1@h:1:A", f"1@[::1]:19093:{'A' * 20}Aw"),
        )
    },
    "with a level that is none": [("static", (*FORMAT, "--feature", "group.version=7"))],
}


OF_QUORUMS = list(CASES)[list(CASES).index("one of three, in three folders") : -1]
"""Each takes a start of Java or two, and most of them tell of the parser of voters."""


def _is_quick(name: str) -> bool:
    return name not in OF_QUORUMS or name == "a broker"


@dataclass(frozen=True, slots=True)
class Said:
    """What a tool did."""

    status: int
    lines: list[str]
    reason: str
    written: dict[str, object]


class Tools:
    """Both tools, each with a folder of its own."""

    def __init__(self, kafka: Any, folder: Path, *more: str) -> None:
        """`more` are arguments that only ours takes."""
        self._kafka = kafka
        self._folder = folder
        self._more = more

    def run(self, who: str, file: str, arguments: tuple[str, ...]) -> Said:
        """Runs one of them; ids and the folder's name are taken out of what it says."""
        folder = self._folder / who
        folder.mkdir(exist_ok=True)
        path = folder / f"{file}.properties"
        path.write_text(FILES[file].format(folder=folder), encoding="utf-8")
        words = [*arguments, "-c", str(path)]
        if who == "kafka":
            done = self._kafka.run("kafka.tools.StorageTool", *words)
        else:
            command = [sys.executable, "-m", "reference_broker", "storage", *words, *self._more]
            done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
        lines = sorted(self._plain(done.stdout, folder).splitlines())
        return Said(done.returncode, lines, self._reason(done, folder), self._written(folder))

    def _written(self, folder: Path) -> dict[str, object]:
        """What stands in the folders now: the properties without comments and own ids, what snapshots say."""
        found: dict[str, object] = {}
        for path in sorted(path for path in folder.rglob("*") if path.is_file() and path.parent != folder):
            name = path.relative_to(folder).as_posix()
            if path.suffix == ".checkpoint":
                said = read_snapshot(OsDisk(), str(path))
                found[name] = (said.records, said.kraft_version, self._voters(said.voters))
            else:
                lines = path.read_text(encoding="utf-8").splitlines()
                found[name] = sorted(line for line in lines if not line.startswith(("#", "directory.id=")))
        return found

    def _voters(self, record: VotersRecord | None) -> object:
        """The voters of a snapshot; the folder of a standalone one is chosen anew each time."""
        voters = () if record is None else VoterSet.from_record(record).voters
        return [
            (
                voter.node_id,
                len(voters) == 1 or voter.key.directory_id,
                [(one.listener, ip_address(one.host), one.port) for one in voter.endpoints],
                voter.max_kraft_version,
            )
            for voter in voters
        ]

    def _plain(self, text: str, folder: Path) -> str:
        return re.sub(r"directory\.id=[\w-]{22}", "directory.id=…", text.replace(str(folder), "FOLDER"))

    def _reason(self, done: subprocess.CompletedProcess[str], folder: Path) -> str:
        """The sentence on stderr, without the words in front that differ."""
        first = (self._plain(done.stderr, folder).splitlines() or [""])[0]
        return re.sub(r"^(Exception in thread \"main\" [\w.]+: |reference_broker: )", "", first)


@pytest.fixture
def tools(kafka: Any, tmp_path: Path) -> Tools:
    """Both tools on empty folders."""
    return Tools(kafka, tmp_path)


@pytest.mark.parametrize(
    "lines", [pytest.param(name, marks=() if _is_quick(name) else pytest.mark.long, id=name) for name in CASES]
)
def test_both_tools_say_the_same(tools: Tools, lines: str) -> None:
    theirs = [tools.run("kafka", file, arguments) for file, arguments in CASES[lines]]
    ours = [tools.run("reference", file, arguments) for file, arguments in CASES[lines]]
    assert ours == theirs


@pytest.mark.long
@pytest.mark.parametrize("lines", ["standalone", "of a release that is none", "with a feature that is none"])
@pytest.mark.parametrize("profile", ["4.0", "4.1", "4.2", "4.4"])
def test_a_profiles_tool_says_what_its_releases_does(
    kafka_of: Callable[[str], Any], tmp_path: Path, profile: str, lines: str
) -> None:
    tools = Tools(kafka_of(profile), tmp_path, "--profile", profile)
    theirs = [tools.run("kafka", file, arguments) for file, arguments in CASES[lines]]
    ours = [tools.run("reference", file, arguments) for file, arguments in CASES[lines]]
    assert ours == theirs


def test_both_print_a_random_uuid_of_22_characters(kafka: Any) -> None:
    theirs = kafka.say("kafka.tools.StorageTool", "random-uuid")
    command = [sys.executable, "-m", "reference_broker", "storage", "random-uuid"]
    ours = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True).stdout
    assert [bool(re.fullmatch(r"[\w-]{22}\n", said)) for said in (theirs, ours)] == [True, True]
