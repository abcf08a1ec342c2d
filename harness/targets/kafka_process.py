"""The target `kafka@VERSION`: Apache Kafka's own jars in one local JVM."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

from harness.hosts.lack import Lack, Means
from harness.targets import class_archive, jars, local_cluster
from harness.targets.java import version_text
from harness.targets.local_cluster import LocalCluster, open_local_cluster
from harness.targets.local_node import Software
from harness.targets.target import ClusterSpec, TargetKind, TargetTrouble

LOWEST_JAVA = 17
"""Kafka 4.x brokers need Java 17 (KIP-1013)."""
_MOST_NODES = 12
QUICK_START = ("-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData")
"""JVM options for checks: a second less to the first answer. Measurements give their own."""
_LOGGING = """\
status = error
appender.stdout.type = Console
appender.stdout.name = STDOUT
appender.stdout.layout.type = PatternLayout
appender.stdout.layout.pattern = %d{ISO8601} %-5p %m (%c{1})%n
rootLogger.level = info
rootLogger.appenderRef.stdout.ref = STDOUT
"""


def lack_of_java() -> Lack | None:
    """Why there is no Java that runs Kafka here; None when there is."""
    why = _trouble_with_java()
    return None if why is None else Lack(Means.JAVA, f"Java {LOWEST_JAVA} or newer is needed: {why}")


def _trouble_with_java() -> str | None:
    java = shutil.which("java")
    if java is None:
        return "no `java` on the PATH"
    try:
        said = version_text(java)
    except (OSError, subprocess.TimeoutExpired) as trouble:
        return f"`java -version` failed: {trouble}"
    found = re.search(r'version "(\d+)', said)
    if found is None or int(found.group(1)) < LOWEST_JAVA:
        return f"`java -version` says {said.splitlines()[:1]}"
    return None


class KafkaProcessTarget:
    """Apache Kafka as a process (Target)."""

    def __init__(self, name: str, version: str | None, *, java_options: tuple[str, ...] = QUICK_START) -> None:
        """Without a version, $KAFKA_HOME's; UnknownTarget for a release that cannot be had."""
        self._name = name
        self._version = version
        self._java_options = java_options
        if version is not None and self._home_version() != version:
            jars.require_known(version, f"--target {name}")

    @property
    def name(self) -> str:
        """The name given with `--target`."""
        return self._name

    @property
    def kind(self) -> TargetKind:
        """Processes of Apache Kafka."""
        return TargetKind.KAFKA

    @property
    def release(self) -> str | None:
        """That of its name; None where $KAFKA_HOME decides."""
        return self._version

    def lack(self, spec: ClusterSpec | None = None) -> Lack | None:
        """Why the target cannot be used here, and what to do about it; None when it can."""
        found = local_cluster.lack_for(spec, most_nodes=_MOST_NODES) or lack_of_java() or self._lack_of_jars()
        return None if found is None else found.of(self.name)

    def _lack_of_jars(self) -> Lack | None:
        try:
            home = jars.home_libs()
        except TargetTrouble as trouble:
            return Lack(Means.JAVA, str(trouble))
        if home is not None and self._version in (None, jars.version_in(home)):
            return None
        if self._version is None:
            return Lack(Means.JAVA, "name a release (kafka@4.3.1), or set KAFKA_HOME")
        if jars.version_in(jars.libs_folder(self._version)) is None and shutil.which("mvn") is None:
            why = "its jars are not in the cache, and Maven (mvn), which fetches them, is not installed"
            return Lack(Means.JAVA, why)
        return None

    def lack_for_fault(self, kind: str) -> Lack | None:
        """Why faults of this kind cannot be injected on its clusters; None when they can."""
        found = local_cluster.lack_for_fault(kind)
        return None if found is None else found.of(self.name)

    def libs(self) -> Path:
        """The folder with its jars, fetched first when need be. TargetTrouble when that fails."""
        home = jars.home_libs()
        if home is not None and self._version in (None, jars.version_in(home)):
            return home
        if self._version is None:
            raise TargetTrouble(f"{self.name}: name a release (kafka@4.3.1), or set KAFKA_HOME")
        return jars.fetch(self._version, lambda line: print(line, file=sys.stderr, flush=True))

    def open(self, spec: ClusterSpec) -> LocalCluster:
        """Opens a healthy cluster. TargetTrouble, with the end of its log, when it does not start."""
        if (lack := self.lack(spec)) is not None:
            raise TargetTrouble(lack.reason)
        return open_local_cluster(self.name, (self.software(),), spec)

    def software(self, metadata_release: str | None = None) -> Software:
        """What runs its nodes; a new cluster begins with the features of `metadata_release`, if that is given.

        The jars are fetched first when need be; TargetTrouble when that fails.
        """
        libs = self.libs()
        features = [] if metadata_release is None else ["--release-version", metadata_release]
        options = (*self._java_options, *class_archive.options(libs))

        def java(properties: Path) -> list[str]:
            # Native libraries are unpacked into the node's folder: a JVM that is killed would leave them in /tmp.
            return ["java", *options, f"-Djava.io.tmpdir={properties.parent}", "-cp", f"{libs}/*"]

        return Software(
            version=jars.version_in(libs) or "unknown",
            format_command=lambda properties, cluster_id: [
                *java(properties),
                "kafka.tools.StorageTool",
                "format",
                "-t",
                cluster_id,
                "-c",
                str(properties),
                *features,
            ],
            start_command=lambda properties: [
                *java(properties),
                f"-Dlog4j2.configurationFile={properties.parent / 'log4j2.properties'}",
                "kafka.Kafka",
                str(properties),
            ],
            environment={},
            prepare=_write_logging,
        )

    def _home_version(self) -> str | None:
        try:
            home = jars.home_libs()
        except TargetTrouble:
            return None
        return None if home is None else jars.version_in(home)


def _write_logging(folder: Path) -> None:
    (folder / "log4j2.properties").write_text(_LOGGING, encoding="utf-8")
