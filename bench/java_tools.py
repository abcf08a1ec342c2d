"""Kafka's own performance tools, run from its jars against any broker."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

_TIMEOUT_S = 300


class ToolFailed(Exception):
    """A tool ended with an error, or printed no figure; the text says which."""


def _run(libs: Path, main_class: str, *arguments: str) -> str:
    command = ["java", "-Xmx512m", "-cp", f"{libs}/*", f"org.apache.kafka.tools.{main_class}", *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired:
        raise ToolFailed(f"{main_class} was not done after {_TIMEOUT_S} s") from None
    if done.returncode:
        raise ToolFailed(f"{main_class} ended with {done.returncode}: {(done.stderr or done.stdout).strip()[-400:]}")
    return done.stdout


def _figure(pattern: str, out: str) -> float:
    """The figure in the last line, which sums up."""
    lines = out.strip().splitlines()
    match = re.search(pattern, lines[-1]) if lines else None
    if match is None:
        raise ToolFailed(f"there is no figure in what the tool printed: {out.strip()[-400:]}")
    return float(match.group(1))


def produce(libs: Path, bootstrap: str, topic: str, *, records: int, size: int, acks: str) -> float:
    """Records a second that ProducerPerformance reports, from its first to its last record."""
    out = _run(
        libs,
        "ProducerPerformance",
        *("--bootstrap-server", bootstrap, "--topic", topic, "--num-records", str(records)),
        *("--record-size", str(size), "--throughput", "-1", "--command-property", f"acks={acks}"),
    )
    return _figure(r"([\d.]+) records/sec", out)


def produce_latency_p99_ms(libs: Path, bootstrap: str, topic: str, *, rate: int, seconds: int, acks: str) -> float:
    """p99 latency in ms that ProducerPerformance reports at a fixed rate of 1 KB records, warmed up, without linger."""
    warm_up = 3 * rate
    out = _run(
        libs,
        "ProducerPerformance",
        *("--bootstrap-server", bootstrap, "--topic", topic, "--num-records", str(rate * seconds + warm_up)),
        *("--record-size", "1000", "--throughput", str(rate), "--warmup-records", str(warm_up)),
        *("--command-property", f"acks={acks}", "linger.ms=0"),
    )
    return _figure(r"([\d.]+) ms 99th", out)


def consume(libs: Path, bootstrap: str, topic: str, *, records: int) -> float:
    """Records a second that ConsumerPerformance reports for its fetch time (without the join)."""
    out = _run(
        libs,
        "ConsumerPerformance",
        *("--bootstrap-server", bootstrap, "--topic", topic, "--num-records", str(records), "--timeout", "60000"),
    )
    try:
        header, figures = (line.split(", ") for line in out.strip().splitlines()[-2:])
        return float(dict(zip((name.strip() for name in header), figures, strict=True))["fetch.nMsg.sec"])
    except (ValueError, KeyError) as trouble:
        raise ToolFailed(f"ConsumerPerformance printed no figures: {out.strip()[-400:]}") from trouble
