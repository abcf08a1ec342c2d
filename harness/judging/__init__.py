"""From a history to a verdict: checkers, guarantees, and judging a stored run again."""
