"""Hypothesis strategies: any message of any version, record batches sound and damaged, settings of topics."""
