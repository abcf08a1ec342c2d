"""An operator's actions on topics and groups: by librdkafka's admin client, or by requests of our own."""
