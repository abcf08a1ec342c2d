"""Runs Kafka's own tools, and small Java programs, on Kafka's jars."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from harness.hosts.host import CommandResult, HostTrouble
from harness.hosts.lack import Lack, Means
from harness.targets import class_archive, jars
from harness.targets.kafka_process import lack_of_java
from harness.targets.target import TargetTrouble
from reference_broker.command_line import as_typed

TOOLS_VERSION = "4.3.1"
"""Of the release whose tools are used, unless $KAFKA_HOME names another."""
_QUICK = ("-Xmx256m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Dfile.encoding=UTF-8", "-Duser.language=en")
_TIMEOUT_S = 60.0


def lack() -> Lack | None:
    """Why no Java program can be run on Kafka's jars here; None when it can."""
    if (found := lack_of_java()) is not None:
        return found
    try:
        if jars.home_libs() is not None or jars.version_in(jars.libs_folder(TOOLS_VERSION)) is not None:
            return None
    except TargetTrouble as trouble:
        return Lack(Means.JAVA, str(trouble))
    return Lack(
        Means.JAVA, f"Kafka's jars are not in the cache; fetch them with: {as_typed(f'harness kafka {TOOLS_VERSION}')}"
    )


def may_fetch() -> bool:
    """Whether what is missing can be fetched: Java is there, and Maven."""
    return lack_of_java() is None and shutil.which("mvn") is not None


class Java:
    """Programs on Kafka's jars. HostTrouble when one cannot be run, or takes too long."""

    def __init__(self) -> None:
        self._libs = jars.home_libs() or jars.fetch(TOOLS_VERSION, lambda line: None)

    def tool(self, name: str, *arguments: str, stdin: str = "", timeout_s: float = _TIMEOUT_S) -> CommandResult:
        """A tool by its class below org.apache.kafka.tools: "TopicCommand"."""
        main = name if name.startswith(("kafka.", "org.")) else f"org.apache.kafka.tools.{name}"
        return self._run([main, *arguments], stdin, timeout_s)

    @property
    def config_command(self) -> str:
        """The class of kafka-configs, which has moved in 4.4."""
        version = jars.version_in(self._libs) or TOOLS_VERSION
        number = tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
        return "ConfigCommand" if number >= (4, 4) else "kafka.admin.ConfigCommand"

    def source(self, file: Path, *arguments: str, timeout_s: float = _TIMEOUT_S) -> CommandResult:
        """A program of one source file; Java compiles it by itself."""
        return self._run([str(file), *arguments], "", timeout_s)

    def _run(self, words: Sequence[str], stdin: str, timeout_s: float) -> CommandResult:
        command = ["java", *_QUICK, *class_archive.options(self._libs), "-cp", f"{self._libs}/*", *words]
        try:
            done = subprocess.run(
                command, input=stdin, capture_output=True, text=True, encoding="utf-8", timeout=timeout_s, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as trouble:
            raise HostTrouble(f"{words[0]}: {trouble}") from trouble
        if "Could not find or load main class" in done.stderr:
            raise HostTrouble(f"{words[0]} is not in the jars in {self._libs}")
        return CommandResult(done.returncode, done.stdout, done.stderr)


def succeed(result: CommandResult, what: str) -> str:
    """The output of a command that must succeed. AssertionError, with what it said, when it did not."""
    said = (result.errors or result.output).strip()[-600:]
    assert result.status == 0, f"{what} ended with status {result.status}: {said}"
    return result.output
