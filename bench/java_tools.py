"""Kafka's own performance tools, run from its jars against any broker."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path


class ToolFailed(Exception):
    """A tool ended with an error, or printed no figure; the text says which."""


def _run(libs: Path, main_class: str, *arguments: str) -> str:
    command = ["java", "-Xmx512m", "-cp", f"{libs}/*", f"org.apache.kafka.tools.{main_class}", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    if done.returncode:
        raise ToolFailed(f"{main_class} ended with {done.returncode}: {(done.stderr or done.stdout).strip()[-400:]}")
    return done.stdout


def produce(libs: Path, bootstrap: str, topic: str, *, records: int, size: int, acks: str) -> float:
    """Records a second that ProducerPerformance reports."""
    out = _run(
        libs,
        "ProducerPerformance",
        *("--topic", topic, "--num-records", str(records), "--record-size", str(size), "--throughput", "-1"),
        *("--producer-props", f"bootstrap.servers={bootstrap}", f"acks={acks}"),
    )
    match = re.search(r"([\d.]+) records/sec \([\d.]+ MB/sec\).*?([\d.]+) ms 99th", out.splitlines()[-1])
    if match is None:
        raise ToolFailed(f"ProducerPerformance printed no figure: {out.strip()[-400:]}")
    return float(match.group(1))


def produce_latency_p99_ms(libs: Path, bootstrap: str, topic: str, *, rate: int, seconds: int, acks: str) -> float:
    """p99 latency in ms that ProducerPerformance reports at a fixed rate of 1 KB records."""
    out = _run(
        libs,
        "ProducerPerformance",
        *("--topic", topic, "--num-records", str(rate * seconds), "--record-size", "1000", "--throughput", str(rate)),
        *("--producer-props", f"bootstrap.servers={bootstrap}", f"acks={acks}"),
    )
    match = re.search(r"([\d.]+) ms 99th", out.splitlines()[-1])
    if match is None:
        raise ToolFailed(f"ProducerPerformance printed no figure: {out.strip()[-400:]}")
    return float(match.group(1))


def consume(libs: Path, bootstrap: str, topic: str, *, records: int) -> float:
    """Records a second that ConsumerPerformance reports for its fetch time (without the join)."""
    out = _run(
        libs,
        "ConsumerPerformance",
        *("--bootstrap-server", bootstrap, "--topic", topic, "--num-records", str(records), "--timeout", "60000"),
    )
    header, figures = (line.split(", ") for line in out.splitlines()[-2:])
    return float(dict(zip((name.strip() for name in header), figures, strict=True))["fetch.nMsg.sec"])
