"""One API of the protocol: its versions, its headers, its two message classes."""

from __future__ import annotations

from functools import cached_property
from importlib import import_module
from typing import Any

from reference_broker.wire.schema import Versions, is_in

API_VERSIONS_KEY = 18


class Api:
    """A row of the table of APIs; the message classes are imported when first asked for."""

    def __init__(
        self,
        key: int,
        name: str,
        module: str,
        valid: Versions,
        flexible: Versions,
        listeners: tuple[str, ...],
        *,
        latest_is_unstable: bool = False,
    ) -> None:
        self.key = key
        self.name = name
        self.module = module
        self.valid = valid
        self.flexible = flexible
        self.listeners = listeners
        self.latest_is_unstable = latest_is_unstable

    def _message(self, suffix: str) -> Any:
        module = import_module(f"reference_broker.wire.messages.{self.module}_{suffix.lower()}")
        return getattr(module, self.name + suffix)

    @cached_property
    def request(self) -> Any:
        """The request's class."""
        return self._message("Request")

    @cached_property
    def response(self) -> Any:
        """The response's class."""
        return self._message("Response")

    def has_version(self, version: int) -> bool:
        """Whether the schema knows a version."""
        return is_in(version, self.valid)

    def request_header_version(self, version: int) -> int:
        """2 where the request is flexible (KIP-482), else 1."""
        return 2 if is_in(version, self.flexible) else 1

    def response_header_version(self, version: int) -> int:
        """1 where the response is flexible, else 0; always 0 for ApiVersions, which any client must be able to read."""
        return 1 if is_in(version, self.flexible) and self.key != API_VERSIONS_KEY else 0
