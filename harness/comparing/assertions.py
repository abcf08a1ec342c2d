"""Counts passing assertions of checks, with pytest's hook pytest_assertion_pass (see harness/judging/judgements.py).

The hook is off by default; pytest compiles calls of it into test files only if its setting is on. If it is off, a check
whose function contains an `assert` counts as one that asserts. If it is on, pytest formats an explanation of each
passing assertion, also of Hypothesis; therefore the hook is registered only while a check that observes runs.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator
from types import CodeType

import pytest

from harness.judging.judgements import note_judgement

SETTING = "enable_assertion_pass_hook"
_ASSERTS, _COUNTED = "_format_explanation", "_check_if_assertion_pass_impl"
"""Names in the compiled code of a function: with a rewritten `assert`, and with one that also calls the hook."""
_CALLS_THE_HOOK = "_call_assertion_pass"
"""pytest's function that a passing assertion calls."""


class _Listener:
    def pytest_assertion_pass(self, item: pytest.Item) -> None:
        if _asserting_file() == str(item.path):
            note_judgement()


class Assertions:
    """The plugin object. `observes` says whether the assertions of a check are to be counted."""

    def __init__(self, config: pytest.Config, observes: Callable[[pytest.Item], bool]) -> None:
        self._is_on = bool(config.getini(SETTING))
        self._observes = observes

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """Registers the hook before pytest looks for implementations of it, and unregisters it after the check."""
        if not self._observes(item):
            return (yield)
        listener, plugins = _Listener(), item.config.pluginmanager
        plugins.register(listener)
        try:
            return (yield)
        finally:
            plugins.unregister(listener)

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """UsageError if a file was compiled while the setting was off; it says how to remove the compiled files."""
        for item in items if self._is_on else ():
            names = _names(item)
            if _ASSERTS in names and _COUNTED not in names:
                raise pytest.UsageError(
                    f"harness: {item.path}: compiled without {SETTING}, so that its assertions cannot be counted: "
                    f"run find {item.config.rootpath} -name '*-pytest-*.pyc' -delete"
                )

    def counts(self, item: pytest.Item) -> bool:
        """Whether it is known if a check asserts anything: the hook is on, or its function has no `assert`."""
        return self._is_on or _ASSERTS not in _names(item)


def _asserting_file() -> str:
    """The file of the assertion that is currently passing; empty for none."""
    frame = sys._getframe()
    while frame.f_back is not None:
        if frame.f_code.co_name == _CALLS_THE_HOOK:
            return frame.f_back.f_code.co_filename
        frame = frame.f_back
    return ""


def _names(item: pytest.Item) -> set[str]:
    code = getattr(getattr(item, "function", None), "__code__", None)
    return set(_of(code)) if isinstance(code, CodeType) else set()


def _of(code: CodeType) -> list[str]:
    inner = (one for one in code.co_consts if isinstance(one, CodeType))
    return [*code.co_names, *(name for one in inner for name in _of(one))]
