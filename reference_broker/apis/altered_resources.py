"""What AlterConfigs and IncrementalAlterConfigs have in common: each resource of a request is answered by itself, some
by the broker that got the request and the others by the controller (KAFKA-13609)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from msgspec.structs import replace

from reference_broker.apis.context import BrokerContext, ControllerContext
from reference_broker.controller.config_admin import BROKER_LOGGER, Change, Operation
from reference_broker.controller.config_preprocessing import ConfigPreprocessing
from reference_broker.controller.decision import Decision, Refusal
from reference_broker.metadata.image import BROKER, CLIENT_METRICS, GROUP, TOPIC, MetadataImage
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.metadata_records import VersionedRecord

TWICE: Final = Refusal(ErrorCode.INVALID_REQUEST, "Each resource must appear at most once.")
TYPES: Final = (TOPIC, BROKER, BROKER_LOGGER, CLIENT_METRICS, GROUP)


@dataclass(frozen=True, slots=True)
class Alteration:
    """One of the two APIs: its response, which has a row for each resource, and whether it replaces all settings."""

    response: type[Any]
    row: type[Any]
    is_replacement: bool

    def preprocess(self, request: Any, ctx: BrokerContext) -> tuple[Any, Callable[[Any], Any]]:
        """What the broker that got the request refuses of it, before the controller is asked; see `divided`."""
        here = ConfigPreprocessing(ctx.image, ctx.config)

        def refusal_of(one: Any) -> Refusal | None:
            return here.refusal_of(*_key(one), self._changes(one), is_replacement=self.is_replacement)

        return self.divided(request, refusal_of)

    def divided(self, request: Any, refusal_of: Callable[[Any], Refusal | None]) -> tuple[Any, Callable[[Any], Any]]:
        """(the request for the controller, None where nothing is left; what makes of its answer the whole one).

        `refusal_of` says what this broker refuses of a resource.
        """
        counts = _counts(request)
        both = [(one, TWICE if counts[_key(one)] > 1 else refusal_of(one)) for one in request.resources]
        left = tuple(one for one, refusal in both if refusal is None)

        def whole(answer: Any) -> Any:
            rows = iter(() if answer is None else answer.responses)
            return self.response(
                responses=tuple(next(rows) if refusal is None else self._row(one, refusal) for one, refusal in both)
            )

        return (replace(request, resources=left) if left else None), whole

    def handle(self, request: Any, ctx: ControllerContext) -> Any:
        """Decide and commit."""
        return ctx.controller.submit(lambda image: self._decide(request, image, ctx), ctx.now)

    def _decide(self, request: Any, image: MetadataImage, ctx: ControllerContext) -> Decision:
        configs, counts = ctx.controller.configs(image), _counts(request)
        here = ConfigPreprocessing(image, ctx.config)
        records: list[VersionedRecord] = []
        rows = []
        for resource in {_key(one): one for one in request.resources}.values():
            changes = self._changes(resource)
            refusal = _refused_at_controller(resource, counts)
            if refusal is None and resource.resource_type == BROKER_LOGGER and not self.is_replacement:
                refusal = here.refusal_of(*_key(resource), changes)  # its own loggers, as of a broker
            if refusal is None:
                made, refusal = configs.change(
                    *_key(resource),
                    changes,
                    is_replacement=self.is_replacement,
                    is_forwarded=ctx.session.is_forwarded,
                )
                records += made
            rows.append(self._row(resource, refusal))
        answer = self.response(responses=tuple(rows))
        return Decision.of_a_client(records, answer, validate_only=request.validate_only)

    def _changes(self, resource: Any) -> list[Change]:
        if self.is_replacement:
            return [(one.name, Operation.SET, one.value) for one in resource.configs]
        return [(one.name, one.config_operation, one.value) for one in resource.configs]

    def _row(self, resource: Any, refusal: Refusal | None) -> Any:
        return self.row(
            error_code=ErrorCode.NONE if refusal is None else refusal.code,
            error_message=None if refusal is None else refusal.text,
            resource_type=resource.resource_type,
            resource_name=resource.resource_name,
        )


def _refused_at_controller(resource: Any, counts: Counter[tuple[int, str]]) -> Refusal | None:
    """What a request says that no broker has looked at (KIP-919); None for nothing."""
    if resource.resource_type not in TYPES:
        return Refusal(ErrorCode.UNSUPPORTED_VERSION, f"Unknown resource type {resource.resource_type}.")
    return Refusal(ErrorCode.INVALID_REQUEST, "Duplicate resource.") if counts[_key(resource)] > 1 else None


def _counts(request: Any) -> Counter[tuple[int, str]]:
    return Counter(_key(one) for one in request.resources)


def _key(resource: Any) -> tuple[int, str]:
    return resource.resource_type, resource.resource_name
