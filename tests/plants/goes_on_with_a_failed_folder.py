"""Refuses what a full disk does not take, and goes on with its folder.

**Bug** After an IO error the folder is used as before, although nobody knows what of it can still be trusted; and
whoever asks for the state of the folders is told that all is well.

**Rejected by**
`checks/durability/test_failed_folders.py::test_a_failed_folder_serves_nothing_until_a_restart`:
{<ErrorCode.NONE: 0>: None}
`checks/durability/test_failed_folders.py::test_a_failed_folder_is_said_to_be_one`: [0, 0] ==
"""

from __future__ import annotations

from reference_broker.log.watched_disk import Watch
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.refusal import KafkaError


def plant() -> None:
    """Puts it in."""

    def forgetful(self: Watch, error: OSError) -> KafkaError:
        return KafkaError(ErrorCode.KAFKA_STORAGE_ERROR, str(error))

    Watch.fail = forgetful
