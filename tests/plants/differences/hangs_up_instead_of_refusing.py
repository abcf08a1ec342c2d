"""Closes the connection where Kafka answers with an error.

**Differs** Produce with acks that do not exist gets no answer.

**Found by** `log`, level time class: `Produce (outcome)`
"""

from __future__ import annotations

from typing import Any

from reference_broker.effects import HANG_UP
from tests.plants.differences._answers import handle_otherwise


def plant() -> None:
    """Puts it in."""

    def strict(request: Any, ctx: Any, usual: Any) -> Any:
        return usual(request, ctx) if request.acks in (-1, 0, 1) else HANG_UP

    handle_otherwise("produce", strict)
