"""Skips for something that is missing: each carries what it is, typed (Lack)."""

from __future__ import annotations

from collections.abc import Collection
from typing import NoReturn

import pytest

from harness.hosts.lack import Lack
from harness.judging.outcome import Unproven


class Lacking(Exception):
    """The cause of a skip."""

    def __init__(self, lack: Lack) -> None:
        super().__init__(lack.reason)
        self.lack = lack


def skip_for(lack: Lack, required: Collection[str] = ()) -> NoReturn:
    """Skips the check; raises Unproven, which fails it, if --require names what is missing."""
    if lack.means in required:
        raise Unproven(f"{lack} (--require {lack.means})")
    raise pytest.skip.Exception(lack.reason) from Lacking(lack)


def lack_behind(error: BaseException | None) -> Lack | None:
    """What was missing when this was raised; None for any other skip or error."""
    cause = None if error is None else error.__cause__
    return cause.lack if isinstance(cause, Lacking) else None
