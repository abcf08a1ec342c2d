"""A node in a container: the command `container`, which takes its settings as Kafka's published images do.

KAFKA_* variables are settings, CLUSTER_ID is the cluster that the log folders are formatted for. What was not said so
comes from a file that was mounted; where nothing was said at all, from the defaults of the image.

Source: KIP-975; the answers of Kafka 4.3.1's own class for it (kafka.docker.KafkaDockerWrapper).
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from reference_broker.server.clock import now
from reference_broker.server.disk import OsDisk
from reference_broker.server.main import FAILED, Options, start
from reference_broker.settings.properties import format_properties
from reference_broker.storage import run as run_storage

PREFIX: Final = "KAFKA_"
CLUSTER_ID: Final = "CLUSTER_ID"
NO_SETTINGS: Final = (
    *("KAFKA_VERSION", "KAFKA_OPTS", "KAFKA_HEAP_OPTS", "KAFKA_JMX_OPTS", "KAFKA_JVM_PERFORMANCE_OPTS"),
    *("KAFKA_GC_LOG_OPTS", "KAFKA_LOG4J_", "KAFKA_TOOLS_LOG4J_"),
)
"""How variables begin that are for a JVM, its logging, or the image."""
FILE: Final = "server.properties"
DEFAULTS: Final = "/etc/kafka/docker"
MOUNTED: Final = "/mnt/shared/config"
FINAL: Final = "/opt/kafka/config"


def settings_of(environment: Mapping[str, str]) -> dict[str, str]:
    """Settings by name. KAFKA_LOG_DIRS is log.dirs; two underscores stand for one, three for a hyphen."""
    found: dict[str, str] = {}
    for name, value in sorted(environment.items()):
        if not name.startswith(PREFIX) or name.startswith(NO_SETTINGS):
            continue
        key = name.removeprefix(PREFIX).lower()
        key = key.replace("___", "-").replace("__", "\0").replace("_", ".").replace("\0", "_")
        found[key] = value
    return found


def chosen_text(defaults: Path, mounted: Path, settings: Mapping[str, str]) -> str:
    """The node's server.properties: what was mounted with the settings after it, or these alone, or the defaults.

    OSError where the one that is needed cannot be read.
    """
    own = format_properties(settings) if settings else ""
    if (mounted / FILE).is_file():
        return f"{(mounted / FILE).read_text(encoding='utf-8').rstrip()}\n{own}"
    return own or (defaults / FILE).read_text(encoding="utf-8")


def run(
    environment: Mapping[str, str],
    options: Options,
    say: Callable[[str], None],
    complain: Callable[[str], None],
    *,
    defaults: str = DEFAULTS,
    mounted: str = MOUNTED,
    final: str = FINAL,
) -> int:
    """Write the node's server.properties, format what is not formatted, and run it until SIGTERM; the exit status."""
    cluster_id = environment.get(CLUSTER_ID)
    if not cluster_id:
        complain(f"{CLUSTER_ID} is not set: give each node of a cluster the same id (storage random-uuid makes one)")
        return FAILED
    file = Path(final) / FILE
    try:
        text = chosen_text(Path(defaults), Path(mounted), settings_of(environment))
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        complain(f"{error.filename}: {error.strerror}")
        return FAILED
    form = ["format", "-g", "-t", cluster_id, "-c", str(file), "--profile", options.release.profile]
    chance = random.Random(os.urandom(16))
    status = run_storage(form, disk=OsDisk(), random=chance, now_ms=now().wall_ms, say=say, complain=complain)
    return status or start(str(file), options, complain)
