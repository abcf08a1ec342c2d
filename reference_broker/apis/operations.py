"""The bit fields of authorized operations: what an anonymous client may do where there is no authorizer (KIP-430)."""

from __future__ import annotations

from typing import Final

NOT_ASKED: Final = -(1 << 31)
READ, WRITE, CREATE, DELETE, ALTER, DESCRIBE, CLUSTER_ACTION = (1 << code for code in range(3, 10))
DESCRIBE_CONFIGS, ALTER_CONFIGS, IDEMPOTENT_WRITE = (1 << code for code in range(10, 13))

TOPIC_OPERATIONS: Final = READ | WRITE | CREATE | DESCRIBE | DELETE | ALTER | DESCRIBE_CONFIGS | ALTER_CONFIGS
CLUSTER_OPERATIONS: Final = (
    CREATE | CLUSTER_ACTION | DESCRIBE_CONFIGS | ALTER_CONFIGS | IDEMPOTENT_WRITE | ALTER | DESCRIBE
)
GROUP_OPERATIONS: Final = READ | DESCRIBE | DELETE | DESCRIBE_CONFIGS | ALTER_CONFIGS
