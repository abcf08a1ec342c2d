"""How any part of the broker says no."""

from __future__ import annotations

from reference_broker.wire.errors import ErrorCode


class KafkaError(Exception):
    """A request refused with one of Kafka's error codes.

    `detail` says what happened, for the response's error message where it has one and for the log.
    """

    def __init__(self, code: ErrorCode, detail: str | None = None) -> None:
        super().__init__(f"{code.name}: {detail}" if detail else code.name)
        self.code = code
        self.detail = detail
