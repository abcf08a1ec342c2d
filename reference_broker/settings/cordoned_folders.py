"""Log folders that take no new replicas: cordoned.log.dirs. Source: KIP-1066."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from reference_broker.settings.broker_config import BrokerConfig

CORDONED: Final = "cordoned.log.dirs"
ALL_FOLDERS: Final = "*"


def cordoned_folders(config: BrokerConfig) -> tuple[str, ...]:
    """Those of a node, as log.dirs names them; none in releases that know no such setting."""
    if CORDONED not in config.values:
        return ()
    listed = config.items(CORDONED)
    return config.log_dirs if ALL_FOLDERS in listed else listed


def reason_refused(wanted: Sequence[str], folders: Sequence[str]) -> str | None:
    """What is wrong with a list, in Kafka's words; None for nothing. `folders` are the node's log.dirs."""
    if ALL_FOLDERS in wanted:
        is_alone = len(set(wanted)) == 1
        return None if is_alone else f"When {CORDONED} is set to {ALL_FOLDERS}, it must not contain other values"
    missing = list(dict.fromkeys(one for one in wanted if one not in folders))
    if not missing:
        return None
    return f"All entries in {CORDONED} must be present in log.dirs or log.dir. Missing entries : {', '.join(missing)}"
