"""The flush of a log that flush.messages asks for: what it is for may be acknowledged only when it has ended.

Source: Kafka documentation, topic configuration flush.messages. Kafka flushes within the append; here the append is
over at once, the flush is an effect, and the acknowledgement waits for it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reference_broker.log.partition_log import PartitionLog


def _pass_over() -> None:
    """Tell nobody."""


@dataclass(slots=True)
class AwaitedFlush:
    """Of one log. `begin` has it flushed, and `end` called afterwards; without it the flush is done at once.

    `on_ended` is called each time when one has ended.
    """

    is_on_its_way: bool = False
    begin: Callable[[PartitionLog], None] | None = None
    on_ended: Callable[[], None] = _pass_over

    def ask(self, log: PartitionLog, now_ms: int) -> None:
        """So many records were appended that the log has to be flushed."""
        if self.begin is None:
            log.flush(now_ms)
        elif not self.is_on_its_way:
            self.is_on_its_way, log.last_flush_ms = True, now_ms
            self.begin(log)

    def end(self, log: PartitionLog) -> None:
        """A flush of the log has ended well. Where as many records have come meanwhile, another one begins."""
        if not self.is_on_its_way:
            return
        if log.log_end_offset - log.recovery_point >= log.config.flush_messages and self.begin is not None:
            self.begin(log)
        else:
            self.is_on_its_way = False
        self.on_ended()

    def sure_end(self, log: PartitionLog) -> int:
        """The end of what may be acknowledged: the log's, or that of what is flushed while a flush is awaited."""
        return log.recovery_point if self.is_on_its_way else log.log_end_offset
