"""How most of these plants are put in: what an API answers is changed on its way out."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from msgspec.structs import replace

from reference_broker import node
from reference_broker.wire.api_keys import ApiKey

Change = Callable[[Any], Any]


def change_answers(api: ApiKey, change: Change, *, since: int = 0) -> None:
    """Every answer of an API, from a version on, goes out as `change` makes it."""
    encode = node.encode_response

    def changed(api_key: int, version: int, correlation_id: int, response: Any) -> Any:
        if api_key == api and version >= since:
            response = change(response)
        return encode(api_key, version, correlation_id, response)

    node.encode_response = changed


def each(message: Any, path: str, change: Change) -> Any:
    """The message with every struct at a path ("topics.partitions") as `change` makes it."""
    name, _, rest = path.partition(".")
    inner = (lambda one: each(one, rest, change)) if rest else change
    return replace(message, **{name: tuple(inner(one) for one in getattr(message, name) or ())})


def change_each(api: ApiKey, path: str, change: Change, *, since: int = 0) -> None:
    """Every struct at a path of an API's answers goes out as `change` makes it."""
    change_answers(api, lambda response: each(response, path, change), since=since)


def handle_otherwise(api: str, handle: Callable[[Any, Any, Callable[[Any, Any], Any]], Any]) -> None:
    """Requests of an API, by its file's name, go to `handle(request, ctx, usual)` instead of the usual handler."""
    module: Any = import_module(f"reference_broker.apis.{api}")
    usual = module.handle
    module.handle = lambda request, ctx: handle(request, ctx, usual)
