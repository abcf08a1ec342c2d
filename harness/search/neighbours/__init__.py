"""What changed between two releases of Kafka, found by search."""
