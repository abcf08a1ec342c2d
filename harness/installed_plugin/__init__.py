"""The pytest plugin that other projects get with `pip install`: options and fixtures named kafka_…."""
