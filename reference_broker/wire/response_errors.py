"""The error codes in a response, wherever its schema has them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from reference_broker.wire.errors import ErrorCode

CODE: Final = "error_code"


def error_codes(message: Any) -> Iterator[int]:
    """Every error code of a message and of the structs in it, 0 for success among them."""
    for field in message.FIELDS:
        value = getattr(message, field.name)
        if field.kind == "struct" and value is not None:
            for one in value if field.is_array else (value,):
                yield from error_codes(one)
        elif field.name == CODE:
            yield value


def has_error(message: Any, code: ErrorCode) -> bool:
    """Whether a response says `code` about anything."""
    return code in error_codes(message)
