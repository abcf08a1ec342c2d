"""Turns the plugin on for everything in this folder; see harness/plugin.py for options and fixtures."""

pytest_plugins = ["harness.plugin"]
