"""Consumer groups of the classic protocol, and their offsets, as records of __consumer_offsets."""
