"""Our storage tool and Kafka's print the same lines and end with the same status, and refuse for the same reason."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

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
FILES = {
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
    "with a level that is none": [("static", (*FORMAT, "--feature", "group.version=7"))],
}


@dataclass(frozen=True, slots=True)
class Said:
    """What a tool did."""

    status: int
    lines: list[str]
    reason: str


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
        return Said(done.returncode, sorted(self._plain(done.stdout, folder).splitlines()), self._reason(done, folder))

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


@pytest.mark.parametrize("lines", CASES)
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
