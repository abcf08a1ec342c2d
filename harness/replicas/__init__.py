"""Reads the replicas of a partition from disk, and compares them."""
