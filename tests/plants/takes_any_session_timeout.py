"""Takes any session timeout.

**Bug** group.min.session.timeout.ms and group.max.session.timeout.ms are not looked at: one consumer that asks for a
day holds its group up for a day when it dies.

**Rejected by**
`checks/groups/test_join_group.py::test_a_session_timeout_is_in_its_range[v0--1]`:
0 == <ErrorCode.INVALID_SESSION_TIMEOUT: 26>
"""

from __future__ import annotations

from reference_broker.settings.broker_config import BrokerConfig

LIMITS = {"group.min.session.timeout.ms": -(2**31), "group.max.session.timeout.ms": 2**31 - 1}


def plant() -> None:
    """Puts it in."""
    number = BrokerConfig.number
    BrokerConfig.number = lambda config, name, before=None: LIMITS.get(name) or number(config, name, before)
