"""Runs of a workload with clients and faults on a cluster."""
