"""Goes on with the settings that a topic had when its log was opened.

**Bug** A change of a topic's settings is told by DescribeConfigs, and takes effect after a restart only.

**Rejected by**
`checks/retention/test_each_moment.py::test_new_limits_of_a_topic_count_at_once`: is still there
`checks/retention/test_each_moment.py::test_new_defaults_of_the_brokers_count_at_once`: is still there
"""

from __future__ import annotations

from reference_broker.log.partition_log import PartitionLog


def plant() -> None:
    """Puts it in."""
    PartitionLog.reconfigure = lambda log, config: None
