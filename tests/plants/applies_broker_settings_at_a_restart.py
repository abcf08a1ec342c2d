"""Lets dynamic settings of brokers count for logs from the next start on.

**Bug** DescribeConfigs tells at once what is set on a broker, or as the cluster's default, and no log hears of it.

**Rejected by**
`checks/retention/test_settings_of_appends.py::test_a_setting_counts_for_the_next_batch[max.message.bytes-cluster]`:
while it is set 'NONE' is seen
`checks/retention/test_settings_of_segments.py::test_a_setting_counts_for_the_next_segment[segment.ms-broker]`:
while it is set False is seen
`checks/retention/test_settings_of_the_cleaner.py::test_a_setting_counts_while_the_broker_runs[retention.bytes-cluster]`:
while it is set False is seen
"""

from __future__ import annotations

from reference_broker.metadata.node_config import NodeConfig
from reference_broker.metadata.publishing import Publisher
from reference_broker.settings.broker_config import BrokerConfig


def plant() -> None:
    """Puts it in."""
    plain = NodeConfig.__init__
    at_start: dict[int, BrokerConfig] = {}

    def begin(self: NodeConfig, static: BrokerConfig, publisher: Publisher) -> None:
        plain(self, static, publisher)
        at_start[id(self)] = self.current

    def log_settings(self: NodeConfig, topic: str) -> dict[str, str]:
        known = dict(self._publisher.image.config(2, topic))
        return at_start[id(self)].topic_settings(known)

    NodeConfig.__init__ = begin  # type: ignore[method-assign]
    NodeConfig.log_settings = log_settings  # type: ignore[method-assign]
