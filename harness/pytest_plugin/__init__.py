"""The pytest plugin: options, targets as parameters, fixtures, verdicts, the words of a run."""
