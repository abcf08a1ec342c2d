"""A project of somebody else's, with the plugin on, whether or not this checkout is installed with its entry point."""

from __future__ import annotations

from collections.abc import Callable

import numpy
import pytest

__all__ = ["numpy"]
# Runs inside these tests import the harness anew, but numpy can be loaded only once in a process.

ENTRY_POINT = "kafka-verification"
Run = Callable[..., pytest.RunResult]


@pytest.fixture
def run_project(pytester: pytest.Pytester, pytestconfig: pytest.Config) -> Run:
    """run_project(body, *options): a file of tests with this body, run by pytest."""
    installed = pytestconfig.pluginmanager.has_plugin(ENTRY_POINT)
    plugins = () if installed else ("-p", "kafka_verification")

    def run(body: str, *options: str) -> pytest.RunResult:
        pytester.makepyfile(body)
        return pytester.runpytest_inprocess(*plugins, "-p", "no:cacheprovider", "-p", "no:asyncio", "-rfs", *options)

    return run
