"""Judges histories: checkers, guarantees, verdicts, and judging a stored run again."""
