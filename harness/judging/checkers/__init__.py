"""Pure functions from a history and its rules to a verdict, one family of anomalies a file."""
