"""What a decider gives back: the records to append, and the answer once they are committed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic, TypeVar

RecordT = TypeVar("RecordT")


@dataclass(frozen=True, slots=True)
class Decision(Generic[RecordT]):
    """Records and the response that goes with them; without records nothing is appended."""

    records: tuple[RecordT, ...] = ()
    response: Any = None
