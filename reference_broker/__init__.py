"""A Kafka broker in Python that reads like Kafka's specification. Knows nothing of harness, checks or nemesis."""
