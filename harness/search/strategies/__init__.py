"""Hypothesis strategies: messages of any API and version, valid and damaged record batches, configs of resources."""
