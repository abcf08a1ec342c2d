"""What clients and faults did, in files, and the store of runs."""
