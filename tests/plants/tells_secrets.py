"""Tells passwords to whoever asks for the broker's settings.

**Bug** DescribeConfigs gives sensitive values as they are: everybody who may describe a broker knows its passwords.

**Rejected by**
`checks/metadata/test_describe_configs.py::test_secrets_are_not_told[v4]`: The password should be [None, None]
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from tests.plants.differences._answers import handle_otherwise


def plant() -> None:
    """Puts it in."""

    def open_hearted(request: Any, ctx: Any, usual: Any) -> Any:
        response, told = usual(request, ctx), ctx.config.originals
        results = []
        for result in response.results:
            configs = [replace(one, value=told.get(one.name, one.value)) for one in result.configs]
            results.append(replace(result, configs=tuple(configs)))
        return replace(response, results=tuple(results))

    handle_otherwise("describe_configs", open_hearted)
