"""Whether pytest counts the assertions of a file: by the code into which it was compiled."""

from __future__ import annotations

import ast
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from _pytest.assertion.rewrite import rewrite_asserts

from harness.comparing.assertions import SETTING, Assertions

SOURCE = b"def check():\n    def inner():\n        assert 1 == 1\n    inner()\n"


def compiled(setting: bool) -> Callable[[], None]:
    """The check as pytest compiles it with the setting on or off."""
    tree = ast.parse(SOURCE)
    rewrite_asserts(tree, SOURCE, "check.py", config(setting))
    names: dict[str, Any] = {}
    exec(compile(tree, "check.py", "exec"), names)
    return cast(Callable[[], None], names["check"])


def config(setting: bool) -> pytest.Config:
    return cast(pytest.Config, SimpleNamespace(getini=lambda name: setting if name == SETTING else None))


def assertions(setting: bool) -> Assertions:
    return Assertions(config(setting), lambda item: True)


def item(function: Callable[[], None]) -> pytest.Item:
    about = SimpleNamespace(rootpath=Path("/project"))
    return cast(pytest.Item, SimpleNamespace(function=function, path=Path("/project/check.py"), config=about))


def test_a_file_that_was_compiled_without_the_setting_is_refused_where_it_is_on() -> None:
    with pytest.raises(pytest.UsageError, match=r"check\.py: compiled without .* run find /project -name "):
        assertions(True).pytest_collection_modifyitems([item(compiled(False))])


@pytest.mark.parametrize("setting", [True, False])
def test_a_file_that_was_compiled_as_is_set_is_taken(setting: bool) -> None:
    assertions(setting).pytest_collection_modifyitems([item(compiled(setting))])


def test_an_assertion_in_a_file_that_does_not_count_them_is_not_counted() -> None:
    assert not assertions(False).counts(item(compiled(False)))


def test_a_check_without_an_assertion_has_all_of_them_counted() -> None:
    assert assertions(False).counts(item(lambda: None))
