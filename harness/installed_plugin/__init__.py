"""The pytest plugin that other projects get with `pip install`: its fixtures are in kafka_verification.py."""
