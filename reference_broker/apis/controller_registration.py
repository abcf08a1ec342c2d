"""ControllerRegistration: a controller tells the cluster its endpoints and features (KIP-919).

**Promises** DescribeCluster on a controller listener tells the controller; its features count when levels are changed.
**Refuses** UNSUPPORTED_VERSION: metadata.version is below 3.7-IV0.
**Versions** 0 only.
**Departs from Kafka** A refusal is answered; Kafka leaves the request without an answer.
"""

from __future__ import annotations

from typing import Any, Final

from reference_broker.apis.context import ControllerContext
from reference_broker.controller.registration import decide_controller_registration
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.messages.controller_registration_request import ControllerRegistrationRequest

API: Final = ApiKey.CONTROLLER_REGISTRATION
VERSIONS: Final = range(1)
LISTENERS: Final = ("controller",)


def handle(request: ControllerRegistrationRequest, ctx: ControllerContext) -> Any:
    """Decide and commit."""
    return ctx.controller.submit(lambda image: decide_controller_registration(image, request), ctx.now)
