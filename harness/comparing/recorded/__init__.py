"""Recorded answers of Apache Kafka: their files, which recording a target is compared with, and how to record."""
