"""What stands in a log folder of Kafka's format, read from the disk without a broker: `python -m harness log`."""
