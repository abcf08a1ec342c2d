"""What the settings of a running node must be together, and how far they may go at once, in Kafka's words.

Numbers of threads go to half and to double, not further (KIP-226). Kafka makes a whole new configuration of a change,
then asks the listeners, then its other parts in turn: the first that is against it is heard.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final

from reference_broker.controller.node_parts import part_refused, reporters_refused

NETWORK: Final = "num.network.threads"
POOLS: Final = ("background.threads", "num.io.threads", "num.recovery.threads.per.data.dir", "num.replica.fetchers")
REMOTE_POOLS: Final = (
    *("remote.log.reader.threads", "remote.log.manager.copier.thread.pool.size"),
    *("remote.log.manager.expiration.thread.pool.size", "remote.log.manager.follower.thread.pool.size"),
)
CONNECTIONS: Final = ("max.connections", "max.connection.creation.rate")
CLEANER: Final = "log.cleaner.threads"
CLEANER_MEMORY: Final = "log.cleaner.dedupe.buffer.size"
LEAST_CLEANER_MEMORY: Final = 1 << 20
ROLL, JITTER, RETENTION_MS = "log.roll.ms", "log.roll.jitter.ms", "log.retention.ms"
LOCAL: Final = (("log.local.retention.ms", RETENTION_MS), ("log.local.retention.bytes", "log.retention.bytes"))
"""How long the part of a log that is not in remote storage stays, and the whole (KIP-405)."""
INTERVALS: Final = tuple(f"group.{kind}.assignment.interval.ms" for kind in ("consumer", "share", "streams"))
"""Each has bounds of its own in the same configuration."""
UNLIMITED: Final = -1
AS_THE_WHOLE: Final = -2
NUMBERS: Final = (
    *(NETWORK, *POOLS, *REMOTE_POOLS, *CONNECTIONS, CLEANER, CLEANER_MEMORY),
    *(name for pair in LOCAL for name in pair),
    *INTERVALS,
)
MAY_BE_UNSET: Final = (ROLL, JITTER)
"""Numbers that need not have a value until now."""
Current = Callable[[str], int]


def reason_refused(settings: Mapping[str, str], current: Current, folders: Sequence[str] = ()) -> str | None:
    """What is wrong with the wished settings, each of which is valid by itself; None for nothing.

    `current` gives the number that counts until now, `folders` are the node's log.dirs.
    """
    wanted = {name: int(settings[name]) for name in (*NUMBERS, *MAY_BE_UNSET) if name in settings}
    if broken := _broken_requirement(wanted, current) or part_refused(settings, folders):
        return broken
    changed = {name: wanted[name] for name in NUMBERS if name in wanted and wanted[name] != current(name)}
    wrong = next(_refusals(changed, current), None) or reporters_refused(settings)
    return wrong and (
        f"Invalid value org.apache.kafka.common.config.ConfigException: {wrong} "
        "for configuration Invalid dynamic configuration"
    )


def _broken_requirement(wanted: Mapping[str, int], current: Current) -> str | None:
    """What no configuration may be."""
    threads = wanted.get(CLEANER, current(CLEANER))
    wrong = None
    if wanted.get(ROLL, 1) < 1:
        wrong = f"{ROLL} must be greater than or equal to 1"
    elif wanted.get(JITTER, 0) < 0:
        wrong = f"{JITTER} must be greater than or equal to 0"
    elif wanted.get(RETENTION_MS) == 0:
        wrong = f"{RETENTION_MS} must be unlimited (-1) or, greater than or equal to 1"
    elif threads < 1:
        wrong = f"{CLEANER} must be greater than or equal to 1"
    elif wanted.get(CLEANER_MEMORY, current(CLEANER_MEMORY)) <= LEAST_CLEANER_MEMORY * threads:
        wrong = f"{CLEANER_MEMORY} must be at least 1MB per cleaner thread."
    return f"requirement failed: {wrong}" if wrong else next(_intervals_out_of_bounds(wanted, current), None)


def _intervals_out_of_bounds(wanted: Mapping[str, int], current: Current) -> Iterator[str]:
    for name in INTERVALS:
        if name not in wanted:
            continue
        least, most = (name.replace(".assignment", f".{bound}.assignment") for bound in ("min", "max"))
        if wanted[name] < current(least):
            yield f"{name} must be greater than or equal to {least}"
        elif wanted[name] > current(most):
            yield f"{name} must be less than or equal to {most}"


def _refusals(changed: Mapping[str, int], current: Current) -> Iterator[str]:
    """What the parts of the node have against changes, in the order in which they are asked."""
    yield from _steps((NETWORK,), changed, current)
    for name in CONNECTIONS:
        if changed.get(name, 1) <= 0:
            yield f"Invalid {name} {changed[name]}"
    yield from _steps(POOLS, changed, current)
    yield from _local_retention(changed, current)
    yield from _steps(REMOTE_POOLS, changed, current)
    yield from _cleaner(changed, current)


def _steps(names: Iterable[str], changed: Mapping[str, int], current: Current) -> Iterator[str]:
    for name in names:
        if name not in changed:
            continue
        wanted, now = changed[name], current(name)
        said = f"Dynamic thread count update validation failed for {name}={wanted}, value should "
        if wanted <= 0:
            yield f"{said}be at least 1"
        elif wanted < now // 2:
            yield f"{said}be at least half the current value {now}"
        elif wanted > now * 2:
            yield f"{said}not be greater than double the current value {now}"


def _local_retention(changed: Mapping[str, int], current: Current) -> Iterator[str]:
    for local, whole in LOCAL:
        if local not in changed and whole not in changed:
            continue
        part, limit = (max(changed.get(name, current(name)), least) for name, least in ((local, -2), (whole, -1)))
        if limit == UNLIMITED or part == AS_THE_WHOLE:
            continue
        wrong = f"Invalid value {part} for configuration {local}: Value must not be "
        if part == UNLIMITED:
            yield f"{wrong}-1 as {whole} value is set as {limit}."
        elif part > limit:
            yield f"{wrong}more than {whole} property value: {limit}"


def _cleaner(changed: Mapping[str, int], current: Current) -> Iterator[str]:
    wanted, now = changed.get(CLEANER), current(CLEANER)
    if wanted is not None and wanted < now // 2:
        yield f"Log cleaner threads cannot be reduced to less than half the current value {now}"
    elif wanted is not None and wanted > now * 2:
        yield f"Log cleaner threads cannot be increased to more than double the current value {now}"
