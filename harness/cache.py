"""Where things stay from run to run: Apache Kafka's jars, and examples that failed."""

from __future__ import annotations

import os
from pathlib import Path


def cache_folder() -> Path:
    """$KAFKA_VERIFICATION_CACHE, else a folder under the user's cache. A CI does well to keep it between runs."""
    chosen = os.environ.get("KAFKA_VERIFICATION_CACHE")
    return Path(chosen) if chosen else Path.home() / ".cache" / "kafka-verification"
