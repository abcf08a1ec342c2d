"""Requests of a node to itself: a part asks another by the same message that it would send to a peer."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from reference_broker.apis.context import BrokerContext, ControllerContext, Parts, Session
from reference_broker.apis.refusals import refuse
from reference_broker.apis.registry import BROKER, CONTROLLER, served
from reference_broker.effects import HANG_UP, NO_RESPONSE, PeerLost, Send
from reference_broker.environment import Now
from reference_broker.waiting import Deadlines, Later
from reference_broker.wire.refusal import KafkaError

if TYPE_CHECKING:
    from reference_broker.effects import Outbox

LOCAL: Final = Session("", "localhost")
"""What requests of the node to itself come in on."""


class Loopback:
    """Serves a request by the handler that would serve a peer's, in the latest version.

    `refusal_of` says what is answered to an error; None where the node must halt.
    """

    def __init__(
        self,
        parts: Parts,
        outbox: Outbox,
        deadlines: Deadlines,
        refusal_of: Callable[[Exception, int, int], KafkaError | None],
    ) -> None:
        self._parts, self._outbox, self._deadlines, self._refusal_of = parts, outbox, deadlines, refusal_of
        self.now = Now(0, 0)
        """The time of the input that is being taken: an answer may come later than its request."""

    def serve(self, sent: Send, now: Now) -> None:
        """Its outcome is settled at once, or when its answer is known."""
        key, settle, release = sent.api_key, self._outbox.settle, self._parts.settings.static.release
        on_controller = served(CONTROLLER, release).get(key)
        found = on_controller or served(BROKER, release).get(key)
        if found is None:
            settle(sent.token, PeerLost(f"{key.name} is not served here"), now)
            return
        version = found.versions[-1]
        context = ControllerContext if on_controller else BrokerContext
        ctx = context(now=now, api_version=version, client_id=sent.channel, session=LOCAL, parts=self._parts)

        def on_answer(result: Any) -> None:
            if isinstance(result, Exception):
                refusal = self._refusal_of(result, key, version)
                if refusal is None:
                    return
                result = refuse(found.handler, sent.request, version, refusal.code, refusal.detail)
            if result is HANG_UP or result is NO_RESPONSE:
                result = PeerLost(f"{key.name} has no answer")
            settle(sent.token, result, self.now)

        try:
            result = found.handler.handle(sent.request, ctx)
        except Exception as error:
            result = error
        if isinstance(result, Later):
            result.then(on_answer)
            if not result.is_done:
                self._deadlines.add(result)
        else:
            on_answer(result)
