"""Judges what a log kept, and for how long: from what clients saw of the two ends of one partition, all along."""
