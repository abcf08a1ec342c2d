"""Sequences of client actions, played on one target or on two step by step; searched, compared, shrunk, shown."""
