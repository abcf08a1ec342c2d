"""Nodes in virtual time: a world with its network, its disks and its clocks, in one thread, the same for a seed."""
