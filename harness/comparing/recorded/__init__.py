"""Recorded answers of Apache Kafka: their files, which a target is compared with, making them."""
