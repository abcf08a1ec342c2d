"""The executable specification: what answers a Kafka broker may give, in plain lists and dicts."""
