"""Checkers: pure functions from a history and its guarantees to a verdict; one family of anomalies per file."""
