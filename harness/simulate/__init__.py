"""Whole clusters of the reference broker on virtual time, by seeds: the command `simulate`."""
