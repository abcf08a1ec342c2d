"""Counts the assertions of checks that pass, through pytest's hook, as judgements (harness/judging/judgements.py).

The hook is off by default, and pytest compiles a call of it into files only where its setting is on. Without it an
`assert` in the check's function counts as one that judged. With it pytest explains each assertion that passes, those of
Hypothesis too, so it is listened to only while a check runs that observes.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator
from types import CodeType

import pytest

from harness.judging.judgements import note_judgement

SETTING = "enable_assertion_pass_hook"
_ASSERTS, _COUNTED = "_format_explanation", "_check_if_assertion_pass_impl"
"""What the compiled code of a function names where it asserts, and where it calls the hook as well."""
_CALLS_THE_HOOK = "_call_assertion_pass"
"""pytest's function that an assertion calls as it passes."""


class _Listener:
    def pytest_assertion_pass(self, item: pytest.Item) -> None:
        if _asserting_file() == str(item.path):
            note_judgement()


class Assertions:
    """The plugin object. `observes` says of a check whether it is to be listened to."""

    def __init__(self, config: pytest.Config, observes: Callable[[pytest.Item], bool]) -> None:
        self._is_on = bool(config.getini(SETTING))
        self._observes = observes

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """Before pytest looks whether anyone listens."""
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
        """Files that were compiled while the setting was off must be compiled again. UsageError names the folder."""
        for item in items if self._is_on else ():
            names = _names(item)
            if _ASSERTS in names and _COUNTED not in names:
                raise pytest.UsageError(
                    f"harness: {item.path}: compiled without {SETTING}, so that its assertions cannot be counted: "
                    f"run find {item.config.rootpath} -name '*-pytest-*.pyc' -delete"
                )

    def counts(self, item: pytest.Item) -> bool:
        """Whether an assertion of a check that passes is counted."""
        return self._is_on or _ASSERTS not in _names(item)


def _asserting_file() -> str:
    """The file of the assertion that is passing; empty where none is."""
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
