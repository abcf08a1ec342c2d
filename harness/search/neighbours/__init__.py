"""Searches for behaviour that changed between two releases of Kafka."""
