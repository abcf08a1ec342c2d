"""Turns the plugin on for everything in this folder; see harness/pytest_plugin/hooks.py for options and fixtures."""

pytest_plugins = ["harness.pytest_plugin.hooks"]
