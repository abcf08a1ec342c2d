"""The account of a run: which APIs, versions and error codes were exercised on which target, and what is missing."""
