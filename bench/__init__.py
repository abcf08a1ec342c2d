"""Measurements: the reference broker beside Apache Kafka in the same run, with the same clients, as ratios."""
