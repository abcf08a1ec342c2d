"""A node's configuration: Kafka's server.properties, checked as Kafka checks it, and a typed view of it.

Source: Kafka documentation, "Broker Configs" and "KRaft".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from reference_broker.releases import BASELINE, Release
from reference_broker.settings.config_key import ConfigKey, ConfigType, parse_value
from reference_broker.settings.config_keys import BROKER_SYNONYMS, ConfigKeys, config_keys
from reference_broker.settings.cordoned_folders import CORDONED, reason_refused
from reference_broker.settings.endpoints import (
    BOOTSTRAP_CONTROLLERS,
    Endpoint,
    Voter,
    read_bootstrap_controllers,
    read_endpoints,
    read_protocols,
    read_voters,
)
from reference_broker.settings.properties import parse_properties
from reference_broker.settings.validators import ConfigInvalid, Value

_LIVE_ELSEWHERE: Final = (
    "config.providers",
    "sasl.",
    "ssl.",
    "rlmm.",
    "rsm.",
    "listener.name.",
    "group.",
    "zookeeper.",
)


@dataclass(frozen=True, slots=True)
class BrokerConfig:
    """A node's settings. `originals` are texts as given; `values` every known key, defaults filled in."""

    originals: Mapping[str, str]
    values: Mapping[str, Value]
    warnings: tuple[str, ...] = field(default=(), compare=False)
    default_host: str = "localhost"
    release: Release = BASELINE
    """Whose settings these are, and whose behaviour the node has."""

    @classmethod
    def load(
        cls,
        text: str,
        overrides: Iterable[str] = (),
        default_host: str = "localhost",
        release: Release = BASELINE,
    ) -> BrokerConfig:
        """From a file's text and `key=value` overrides, which win. ConfigInvalid names key and value."""
        settings = parse_properties(text)
        for override in overrides:
            key, separator, value = override.partition("=")
            if not separator or not key.strip():
                raise ConfigInvalid(f"--override {override}: write key=value")
            settings[key.strip()] = value
        return cls.of(settings, default_host, release)

    @classmethod
    def of(
        cls, settings: Mapping[str, str], default_host: str = "localhost", release: Release = BASELINE
    ) -> BrokerConfig:
        """From settings. ConfigInvalid where Kafka would not start; a key that it does not know is a warning."""
        given = {key: value.strip() for key, value in settings.items()}
        for name, other in (("node.id", "broker.id"), ("broker.id", "node.id")):
            if name not in given and other in given:
                given[name] = given[other]
        values: dict[str, Value] = {}
        keys = config_keys(release).broker
        for key in keys.values():
            if key.name in given:
                values[key.name] = key.parse(given[key.name])
            elif key.is_required:
                raise ConfigInvalid(f'Missing required configuration "{key.name}" which has no default value.')
            else:
                values[key.name] = None if key.default is None else parse_value(key.name, key.type, key.default)
        warnings = tuple(
            f"These configurations '{name}' were supplied but are not used yet."
            for name in given
            if name not in keys and not name.startswith(_LIVE_ELSEWHERE)
        )
        config = cls(given, values, warnings, default_host, release)
        config._check()
        return config

    # -- typed access -------------------------------------------------------------------------------------------

    @property
    def keys(self) -> ConfigKeys:
        """Every configuration that the release knows."""
        return config_keys(self.release)

    def get(self, name: str) -> Value:
        """The value of a known key; KeyError where Kafka knows none."""
        return self.values[name]

    def number(self, name: str, before: int | None = None) -> int:
        """A whole number (ms and bytes too). `before` is what counts in releases that have no such setting."""
        value = self.values[name] if before is None else self.values.get(name, before)
        if not isinstance(value, int):
            raise TypeError(f"{name} is {value!r}, not a whole number")
        return value

    def fraction(self, name: str) -> float:
        """A number."""
        value = self.values[name]
        if not isinstance(value, (int, float)):
            raise TypeError(f"{name} is {value!r}, not a number")
        return float(value)

    def flag(self, name: str, before: bool | None = None) -> bool:
        """True or false. `before` is what counts in releases that have no such setting."""
        return (self.values[name] if before is None else self.values.get(name, before)) is True

    def text(self, name: str) -> str:
        """A text; null reads as empty."""
        value = self.values[name]
        return "" if value is None else str(value)

    def items(self, name: str) -> tuple[str, ...]:
        """A list; null reads as empty. Some lists are texts to releases before 4.2 (KIP-1161)."""
        value = self.values[name]
        if isinstance(value, str):
            value = parse_value(name, ConfigType.LIST, value)
        return value if isinstance(value, tuple) else ()

    # -- who and where ------------------------------------------------------------------------------------------

    @property
    def node_id(self) -> int:
        """node.id."""
        return self.number("node.id")

    @property
    def roles(self) -> tuple[str, ...]:
        """process.roles: broker, controller or both."""
        return self.items("process.roles")

    @property
    def log_dirs(self) -> tuple[str, ...]:
        """log.dirs, or log.dir where that is not set."""
        return self.items("log.dirs") or self.items("log.dir")

    @property
    def metadata_log_dir(self) -> str:
        """The folder that holds __cluster_metadata-0: metadata.log.dir, or the first of the log dirs."""
        return self.text("metadata.log.dir") or self.log_dirs[0]

    @property
    def protocol_map(self) -> dict[str, str]:
        """Listener name -> security protocol; controller listeners are PLAINTEXT where nothing says otherwise."""
        pairs = read_protocols(self.text("listener.security.protocol.map"))
        if "listener.security.protocol.map" not in self.originals:
            for name in self.items("controller.listener.names"):
                pairs.setdefault(name.upper(), "PLAINTEXT")
        return pairs

    def _endpoints(self, name: str) -> tuple[Endpoint, ...]:
        return read_endpoints(name, self.items(name), self.protocol_map)

    @property
    def listeners(self) -> tuple[Endpoint, ...]:
        """Where the node listens; port 0 asks the system for a free one."""
        return self._endpoints("listeners")

    @property
    def controller_listeners(self) -> tuple[str, ...]:
        """Names of the listeners that controllers speak on."""
        return tuple(name.upper() for name in self.items("controller.listener.names"))

    def advertised(self, bound: Mapping[str, int] | None = None) -> tuple[Endpoint, ...]:
        """What clients are told, all listeners: advertised.listeners, completed by listeners.

        `bound` gives the ports that the system chose (listener name -> port) for those that asked for any.
        """
        chosen = {one.listener: one for one in self.listeners}
        if self.values["advertised.listeners"] is not None:
            advertised = {one.listener: one for one in self._endpoints("advertised.listeners")}
            chosen = {
                name: one
                for name, one in chosen.items()
                if name in self.controller_listeners and name not in advertised
            } | advertised
        ports = bound or {}
        return tuple(
            replace(one, host=one.host or self.default_host, port=one.port or ports.get(one.listener, 0))
            for one in chosen.values()
        )

    def advertised_to_controllers(self, bound: Mapping[str, int] | None = None) -> tuple[Endpoint, ...]:
        """The advertised listeners of the controller role."""
        return tuple(one for one in self.advertised(bound) if one.listener in self.controller_listeners)

    def advertised_to_clients(self, bound: Mapping[str, int] | None = None) -> tuple[Endpoint, ...]:
        """The advertised listeners of the broker role."""
        return tuple(one for one in self.advertised(bound) if one.listener not in self.controller_listeners)

    @property
    def inter_broker_listener(self) -> str:
        """The listener that brokers speak on among themselves."""
        name = self.text("inter.broker.listener.name")
        return name.upper() if name else self.text("security.inter.broker.protocol").upper()

    @property
    def static_voters(self) -> tuple[Voter, ...]:
        """controller.quorum.voters; empty for a dynamic quorum (KIP-853)."""
        return read_voters(self.items("controller.quorum.voters"))

    @property
    def bootstrap_controllers(self) -> tuple[tuple[str, int], ...]:
        """controller.quorum.bootstrap.servers, as (host, port)."""
        return read_bootstrap_controllers(self.items(BOOTSTRAP_CONTROLLERS))

    # -- dynamic and derived ------------------------------------------------------------------------------------

    def with_dynamic(self, *layers: Mapping[str, str]) -> BrokerConfig:
        """The settings with dynamic ones laid over them, later layers first; what is not valid is left out."""
        values, originals = dict(self.values), dict(self.originals)
        for layer in layers:
            for name, text in layer.items():
                key = self.keys.broker.get(name)
                if key is None:
                    continue
                try:
                    values[name] = key.parse(text)
                except ConfigInvalid:
                    continue
                originals[name] = text
        return replace(self, values=values, originals=originals)

    def topic_settings(self, overrides: Mapping[str, str] | None = None) -> dict[str, str]:
        """Every topic configuration as text: the topic's own, else the broker's (in any of its units), else default."""
        settings = {name: self.topic_default(key) for name, key in self.keys.topic.items() if not key.is_internal}
        settings.update(overrides or {})
        return settings

    def topic_default(self, key: ConfigKey) -> str:
        """What a topic without an override gets."""
        for synonym in key.synonyms:
            if synonym.name in self.originals:
                return scaled(self.originals[synonym.name], synonym.factor)
        return key.default or ""

    # -- checks -------------------------------------------------------------------------------------------------

    def _check(self) -> None:
        """What no single value tells: roles, voters and listeners must fit each other."""
        node_id, roles = self.node_id, self.roles
        if node_id != self.number("broker.id"):
            raise ConfigInvalid("You must set `node.id` to the same value as `broker.id`.")
        if not self.log_dirs:
            raise ConfigInvalid("At least one log directory must be defined via log.dirs or log.dir.")
        if CORDONED in self.values and (wrong := reason_refused(self.items(CORDONED), self.log_dirs)):
            raise ConfigInvalid(wrong)
        self._check_roll_and_retention()
        voters = [voter.id for voter in self.static_voters]
        if not voters and not self.bootstrap_controllers:
            raise ConfigInvalid(
                "If using process.roles, either controller.quorum.bootstrap.servers must contain the set of bootstrap "
                "controllers or controller.quorum.voters must contain a parseable set of controllers."
            )
        if "controller" in roles and voters and node_id not in voters:
            raise ConfigInvalid(
                f"If process.roles contains the 'controller' role, the node id {node_id} must be included in the set "
                f"of voters controller.quorum.voters=Set({', '.join(map(str, voters))})"
            )
        self._check_listeners()

    def _check_roll_and_retention(self) -> None:
        for names, least in zip(BROKER_SYNONYMS[:2], (1, 0), strict=True):
            if any(name in self.originals and self.number(name) < least for name in names):
                raise ConfigInvalid(f"{names[0]} must be greater than or equal to {least}")
        for name in BROKER_SYNONYMS[3]:
            if name in self.originals and self.number(name) == 0:
                raise ConfigInvalid("log.retention.ms must be unlimited (-1) or, greater than or equal to 1")
        if self.number("queued.max.request.bytes") > 0:
            least = self.number("socket.request.max.bytes")
            if self.number("queued.max.request.bytes") < least:
                raise ConfigInvalid("queued.max.bytes must be larger or equal to socket.request.max.bytes")

    def _check_listeners(self) -> None:
        names = [one.listener for one in self.listeners]
        controller = self.controller_listeners
        if "controller" in self.roles and not any(name in names for name in controller):
            raise ConfigInvalid(
                "controller.listener.names must contain at least one value appearing in the 'listeners' configuration "
                "when running the KRaft controller role"
            )
        if "controller" in self.roles and any(name not in names for name in controller):
            raise ConfigInvalid(
                "controller.listener.names must only contain values appearing in the 'listeners' configuration when "
                "running the KRaft controller role"
            )
        clients = [one.listener for one in self.advertised_to_clients()]
        if "broker" in self.roles:
            if not clients:
                raise ConfigInvalid(
                    "There must be at least one broker advertised listener. Perhaps all listeners appear in "
                    "controller.listener.names?"
                )
            if self.inter_broker_listener not in clients:
                raise ConfigInvalid(
                    "inter.broker.listener.name must be a listener name defined in advertised.listeners. "
                    f"The valid options based on currently configured listeners are {','.join(clients)}"
                )
            if any(name not in names for name in clients):
                raise ConfigInvalid(
                    "advertised.listeners listener names must be equal to or a subset of the ones defined in "
                    f"listeners. Found {','.join(clients)}. The valid options based on the current configuration are "
                    f"{','.join(names)}"
                )
        if any(one.host == "0.0.0.0" for one in self.advertised()):
            raise ConfigInvalid(
                "advertised.listeners cannot use the nonroutable meta-address 0.0.0.0. Use a routable IP address."
            )


def scaled(text: str, factor: int) -> str:
    """A text in the topic's unit: hours and minutes become ms, anything negative is -1 (no limit)."""
    if factor == 1:
        return text
    return str(int(text) * factor) if int(text) >= 0 else "-1"


def text_of(key: ConfigKey, value: Value) -> str | None:
    """A value as Kafka prints it in DescribeConfigs."""
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return ",".join(value)
    if key.type is ConfigType.DOUBLE:
        # Java writes the exponent with a capital letter and without a plus sign.
        text = repr(float(value)).replace("e+", "E").replace("e", "E")
        return {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}.get(text, text)
    return str(value)
