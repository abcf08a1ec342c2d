"""What a broker refuses of a change of configurations before it asks the controller: changes that make no sense, and
those of its own settings that it could not take (KIP-226, KAFKA-13609).

Only the broker itself knows the settings of its file, so a change of one broker's settings goes to that broker.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from reference_broker.controller.config_admin import BROKER_LOGGER, Change, ConfigAdmin, Operation, bad_request, invalid
from reference_broker.controller.decision import Refusal
from reference_broker.controller.node_settings import RETENTION_MS, reason_refused
from reference_broker.metadata.image import BROKER, MetadataImage
from reference_broker.settings.broker_config import BrokerConfig
from reference_broker.settings.config_key import UpdateMode
from reference_broker.settings.validators import ConfigInvalid
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.refusal import KafkaError

HANDLED: Final = Refusal(ErrorCode.NONE, None)
"""What nothing is left of for the controller."""
CLUSTER_LEVEL_LISTENER_CONFIGS: Final = ("max.connection.creation.rate", "max.connections", "num.network.threads")


@dataclass(frozen=True, slots=True)
class ConfigPreprocessing:
    """Over the committed image; `config` are this broker's settings, dynamic ones included."""

    image: MetadataImage
    config: BrokerConfig

    def refusal_of(
        self, resource_type: int, name: str, changes: list[Change], *, is_replacement: bool = False
    ) -> Refusal | None:
        """What the changes of a resource are answered here; None where the controller decides."""
        admin = ConfigAdmin(self.image, self.config)
        try:
            if resource_type == BROKER_LOGGER and not is_replacement:
                self._check_loggers(name, changes)
                return HANDLED
            admin.check_shape(resource_type, changes)
            if resource_type == BROKER:
                if name:
                    check_own_id(name, self.config.node_id)
                wanted = (admin.replaced if is_replacement else admin.changed)(resource_type, name, changes)
                settings = {**self.image.config(resource_type, name), **wanted}
                self._check_own({key: text for key, text in settings.items() if text is not None}, is_default=not name)
        except KafkaError as error:
            return Refusal.of(error)
        return None

    def _check_loggers(self, name: str, changes: list[Change]) -> None:
        """A broker's loggers are its own: the controller is not asked. There are none with a name."""
        node_id = self.config.node_id
        if _number(name) != node_id:
            raise bad_request(f"Unexpected node id. Expected {node_id}, but received {_number(name)}")
        for logger, operation, _ in changes:
            if operation not in (Operation.SET, Operation.DELETE):
                raise bad_request(f"operation {operation} is not for loggers, which are set or deleted")
            raise invalid(f"Logger {logger} does not exist!")

    def _number_now(self, name: str) -> int:
        """The node's number until now, retention in ms from whichever unit it was given in."""
        config = self.config
        return int(config.topic_settings()["retention.ms"]) if name == RETENTION_MS else config.number(name)

    def _check_own(self, settings: Mapping[str, str], *, is_default: bool) -> None:
        """INVALID_REQUEST where this broker could not take these settings."""
        keys = self.config.keys
        plain = {name: keys.plain_name(name) for name in settings}
        fixed = [name for name in settings if name in keys.broker and keys.broker[name].mode is UpdateMode.READ_ONLY]
        if fixed:
            raise bad_request(f"Cannot update these configs dynamically: [{', '.join(fixed)}]")
        bare = [
            name
            for name in settings
            if name.startswith(("ssl.keystore.", "ssl.truststore.")) or name == "ssl.key.password"
        ]
        if bare:
            raise bad_request(
                "These security configs can be dynamically updated only per-listener using the listener prefix: "
                f"[{', '.join(bare)}]"
            )
        known = {name: text for name, text in settings.items() if plain[name] in keys.broker}
        for name, text in known.items():
            try:
                keys.broker[plain[name]].parse(text)
            except ConfigInvalid as error:
                raise bad_request(str(error)) from error
        if is_default:
            own = [
                name
                for name in known
                if keys.broker[plain[name]].mode is UpdateMode.PER_BROKER
                and plain[name] not in CLUSTER_LEVEL_LISTENER_CONFIGS
            ]
            if own:
                raise bad_request(
                    "Cannot update these configs at default cluster level, broker id must be specified: "
                    f"[{', '.join(own)}]"
                )
        if reason := reason_refused(known, self._number_now, self.config.log_dirs):
            raise bad_request(reason)


def check_own_id(name: str, node_id: int) -> None:
    """INVALID_REQUEST where a resource's name is not this node's id."""
    if _number(name) != node_id:
        raise bad_request(f"Unexpected broker id, expected {node_id}, but received {name}")


def _number(name: str) -> int:
    try:
        return int(name)
    except ValueError:
        raise bad_request(f"Node id must be an integer, but it is: {name}") from None
