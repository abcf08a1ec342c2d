"""Which API, version and error code a run asked of which target, and what is missing."""
