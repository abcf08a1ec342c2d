"""The APIs that are served: every file of this folder that names an API. Dropped in means served and advertised."""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from types import ModuleType
from typing import Any, Final, Protocol

from reference_broker.apis.forwarded import FORWARDABLE, Forwarded
from reference_broker.releases import Release
from reference_broker.wire.api_keys import ApiKey

BROKER: Final = "broker"
CONTROLLER: Final = "controller"
"""The kinds of listener."""


class Handler(Protocol):
    """What an API's file provides; see `refusals` for what it may say of refusals."""

    API: ApiKey
    VERSIONS: range
    """Those that can be served, of all releases."""
    LISTENERS: tuple[str, ...]

    def handle(self, request: Any, ctx: Any) -> Any:
        """The response message, a Later, NO_RESPONSE or HANG_UP. KafkaError refuses."""


@cache
def handler_modules() -> tuple[ModuleType, ...]:
    """The files that serve an API, by its key."""
    package = import_module(__name__.rpartition(".")[0])
    names = sorted(found.name for found in pkgutil.iter_modules(package.__path__, package.__name__ + "."))
    modules = [import_module(name) for name in names if name != __name__]
    return tuple(sorted((one for one in modules if hasattr(one, "API")), key=lambda one: int(one.API)))


@dataclass(frozen=True, slots=True)
class Served:
    """An API as a release serves it on a kind of listener."""

    handler: Handler
    versions: range
    is_routine: Callable[[Any], bool] | None = None
    """`is_routine` of the API's file, if it has one: whether a request moves nothing that is due later in the parts of
    the node, but for its own answer and the timers of groups."""


@cache
def served(kind: str, release: Release) -> Mapping[int, Served]:
    """API key → what serves it, for a kind of listener: what is advertised, and there is a file for."""
    advertised = release.advertised(kind)
    return {
        int(one.API): Served(
            Forwarded(one) if kind == BROKER and one.API in FORWARDABLE else one,
            advertised[int(one.API)],
            getattr(one, "is_routine", None),
        )
        for one in handler_modules()
        if kind in one.LISTENERS and int(one.API) in advertised
    }
