"""Bytes to typed messages and back: Kafka's wire protocol and record format. Imports nothing of ours but itself."""
