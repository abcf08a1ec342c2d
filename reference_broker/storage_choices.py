"""What the arguments of `storage format` choose: metadata version, features, voters; word for word as Kafka's tool.

Source: KIP-853, KIP-1022.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from typing import Final

from reference_broker.configs import BrokerConfig
from reference_broker.controller.decision import random_uuid
from reference_broker.environment import Random
from reference_broker.raft.quorum import voters_record
from reference_broker.releases import KRAFT_VERSION, METADATA_VERSION, METADATA_VERSIONS, Release
from reference_broker.releases.behaviours import Behaviour
from reference_broker.wire.messages.voters_record import Voter, VotersRecord
from reference_broker.wire.primitives import Uuid, parse_uuid

_CONTROLLER: Final = re.compile(r"(\d+)@(\[[^\]]+\]|[^:]+):(\d+):([A-Za-z0-9_-]{22})")


class StorageProblem(Exception):
    """Why a folder cannot be used or formatted; the text says which folder and what to do."""


def chosen_metadata_version(given: argparse.Namespace) -> int:
    """The level that --release-version or --feature metadata.version=LEVEL names, else the newest."""
    release: Release = given.profile
    features = (argument.partition("=") for argument in given.feature)
    asked = [text.strip() for name, _, text in features if name.strip() == METADATA_VERSION]
    names = {name: level for name, level in METADATA_VERSIONS.items() if level <= release.metadata_version}
    level = release.metadata_version_of(given.release_version) if given.release_version else release.metadata_version
    if level is None and not release.does(Behaviour.KAFKA_19509_METADATA_VERSIONS_LISTED):
        raise StorageProblem(
            f"Version {given.release_version} is not a valid version. The minimum version is {next(iter(names))} "
            f"and the maximum version is {release.newest_metadata_version}"
        )
    if asked and given.release_version is not None:
        raise StorageProblem("Use --release-version instead of --feature metadata.version=X to avoid ambiguity.")
    if asked:
        level = next((level for level in names.values() if str(level) == asked[-1]), None)
    if level is None:
        unknown = given.release_version or asked[-1]
        raise StorageProblem(
            f"Unknown metadata.version '{unknown}'. Supported metadata.version are: {', '.join(names)}"
        )
    return level


def chosen_features(arguments: Sequence[str], level: int, release: Release) -> tuple[dict[str, int], int | None]:
    """Levels by feature, sorted, without zeros; and kraft.version where it was named."""
    supported = release.supported_features()
    levels = release.default_features(level)
    kraft: int | None = None
    for argument in arguments:
        name, _, text = argument.partition("=")
        name, text = name.strip(), text.strip()
        if name == METADATA_VERSION:
            continue
        if not re.fullmatch(r"\d+", text):
            raise StorageProblem(f"Can't parse feature=level string {argument}. (Format is NAME=LEVEL.)")
        if name not in supported:
            names = ", ".join(release.known_features)
            raise StorageProblem(f"Unsupported feature: {name}. Supported features are: {names}")
        if not supported[name][0] <= int(text) <= supported[name][1]:
            raise StorageProblem(f"No feature:{name} with feature level {text}")
        if name == KRAFT_VERSION:
            kraft = int(text)
        else:
            levels[name] = int(text)
    return {name: number for name, number in sorted(levels.items()) if number}, kraft


def chosen_voters(
    given: argparse.Namespace, config: BrokerConfig, random: Random
) -> tuple[VotersRecord | None, Uuid | None]:
    """The voter set to begin with, and the id that this node's metadata folder gets for it."""
    is_dynamic = given.standalone or given.initial_controllers is not None
    if config.items("controller.quorum.voters"):
        if is_dynamic:
            raise StorageProblem(
                "You cannot specify controller.quorum.voters and format the node with --initial-controllers or "
                "--standalone. If you want to use dynamic quorum, please remove controller.quorum.voters and specify "
                "controller.quorum.bootstrap.servers instead."
            )
        return None, None
    if "controller" not in config.roles:
        if is_dynamic:
            raise StorageProblem("You can only use --standalone or --initial-controllers on a controller.")
        return None, None
    if given.no_initial_controllers:
        return None, None
    if not is_dynamic:
        raise StorageProblem(
            "Because controller.quorum.voters is not set on this controller, you must specify one of the following: "
            "--standalone, --initial-controllers, or --no-initial-controllers."
        )
    listener = config.controller_listeners[0]
    if given.standalone:
        endpoint = next(one for one in config.advertised() if one.listener == listener)
        directory_id = random_uuid(random)
        return voters_record(config.node_id, directory_id, [(listener, endpoint.host, endpoint.port)]), directory_id
    records: list[Voter] = []
    own: Uuid | None = None
    for text in given.initial_controllers.split(","):
        match = _CONTROLLER.fullmatch(text.strip())
        if match is None:
            raise StorageProblem(f"Cannot parse the initial controller {text}: write ID@HOST:PORT:DIRECTORY-ID")
        one = int(match[1])
        directory_id = parse_uuid(match[4])
        own = directory_id if one == config.node_id else own
        records += voters_record(one, directory_id, [(listener, match[2].strip("[]"), int(match[3]))]).voters
    if own is None:
        raise StorageProblem(f"The controller for node {config.node_id} is not among the --initial-controllers.")
    return VotersRecord(voters=tuple(records)), own
