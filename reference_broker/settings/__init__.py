"""Every broker, topic, group and client metrics setting of each release as data, and a node's own configuration.

`config_table` and `release_changes` are generated from Kafka: type, default, valid values as objects of `validators`,
scope, and whether the setting is dynamic. `config_keys` gives those of one release, `broker_config` a node's values.
"""
