"""The response that carries a refusal: by the schemas, but for what an API's own file says otherwise."""

from __future__ import annotations

from typing import Any

from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.refusal_response import NO_VALUES, refusal_response


def refuse(api: Any, request: Any, version: int, code: ErrorCode, message: str | None) -> Any:
    """The response of an API's file that says no to the whole request; or HANG_UP.

    `REFUSAL_VALUES` of the file are set beside each error code; `error_response` replaces the rule.
    """
    own = getattr(api, "error_response", None)
    if own is not None:
        return own(request, version, code, message)
    return refusal_response(request, version, code, message, getattr(api, "REFUSAL_VALUES", NO_VALUES))
