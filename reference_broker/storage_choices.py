"""What the arguments of `storage format` choose: metadata version, features, voters; word for word as Kafka's tool.

Source: KIP-853, KIP-1022.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from dataclasses import dataclass

from reference_broker.controller.decision import random_uuid
from reference_broker.environment import Random
from reference_broker.raft.voters import ReplicaKey, Voter, VoterEndpoint, VoterSet
from reference_broker.releases import KRAFT_VERSION, METADATA_VERSION, METADATA_VERSIONS, Release
from reference_broker.releases.behaviours import Behaviour
from reference_broker.settings.broker_config import BrokerConfig
from reference_broker.wire.primitives import parse_uuid


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


@dataclass(frozen=True, slots=True, kw_only=True)
class ChosenVoters:
    """The voters that a dynamic quorum begins with; and this node's vote, where it has one among them."""

    voters: VoterSet
    own: Voter | None


def chosen_voters(given: argparse.Namespace, config: BrokerConfig, random: Random) -> ChosenVoters | None:
    """What --standalone or --initial-controllers say; None where the quorum is static or found later."""
    is_controller = "controller" in config.roles
    is_static = bool(config.items("controller.quorum.voters"))
    if is_static and (given.standalone or given.initial_controllers is not None):
        raise StorageProblem(
            "You cannot specify controller.quorum.voters and format the node with --initial-controllers or "
            "--standalone. If you want to use dynamic quorum, please remove controller.quorum.voters and specify "
            "controller.quorum.bootstrap.servers instead."
        )
    listener = config.controller_listeners[0] if config.controller_listeners else ""
    if given.initial_controllers is not None:
        voters = _parse_voters(given.initial_controllers, listener)
        return ChosenVoters(voters=voters, own=voters.get(config.node_id))
    if given.standalone:
        if not is_controller:
            raise StorageProblem("You can only use --standalone on a controller.")
        found = next(one for one in config.advertised() if one.listener == listener)
        key = ReplicaKey(config.node_id, random_uuid(random))
        own = Voter(key=key, endpoints=(VoterEndpoint(listener, found.host, found.port),))
        return ChosenVoters(voters=VoterSet.of([own]), own=own)
    if is_controller and not is_static and not given.no_initial_controllers:
        raise StorageProblem(
            "Because controller.quorum.voters is not set on this controller, you must specify one of the following: "
            "--standalone, --initial-controllers, or --no-initial-controllers."
        )
    return None


def _parse_voters(text: str, listener: str) -> VoterSet:
    voters = [_parse_voter(part.strip(), listener) for part in text.strip().split(",") if part]
    if not voters:
        raise StorageProblem("No voters given.")
    seen: dict[int, None] = {}
    for voter in voters:
        if voter.node_id in seen:
            raise StorageProblem(f"Node id {voter.node_id} was specified more than once.")
        seen[voter.node_id] = None
    return VoterSet.of(voters)


def _parse_voter(text: str, listener: str) -> Voter:
    """A voter as ID@HOST:PORT:DIRECTORY-ID; StorageProblem says which part is wrong."""
    node, at, rest = text.partition("@")
    if not at:
        raise StorageProblem("No @ found in dynamic voter string.")
    if not node:
        raise StorageProblem("Invalid @ at beginning of dynamic voter string.")
    node_id = _parse_number(node, "node id")
    if node_id < 0:
        raise StorageProblem(f"Invalid negative node id {node_id} in dynamic voter string.")
    if not rest:
        raise StorageProblem("No hostname found after node id.")
    if rest.startswith("["):
        host, bracket, rest = rest[1:].partition("]")
        if not bracket:
            raise StorageProblem("Hostname began with left bracket, but no right bracket was found.")
    else:
        host, colon, rest = rest.partition(":")
        if not colon:
            raise StorageProblem("No colon following hostname could be found.")
        rest = colon + rest
    if not rest.startswith(":"):
        raise StorageProblem("Port section must start with a colon.")
    number, colon, directory = rest[1:].partition(":")
    if not colon:
        raise StorageProblem("No colon following port could be found.")
    port = _parse_number(number, "port")
    if not 0 <= port <= 65535:
        raise StorageProblem(f"Invalid port {port} in dynamic voter string.")
    try:
        key = ReplicaKey(node_id, parse_uuid(directory))
    except ValueError as error:
        raise StorageProblem("Failed to parse directory ID in dynamic voter string.") from error
    return Voter(key=key, endpoints=(VoterEndpoint(listener, host, port),))


def _parse_number(text: str, what: str) -> int:
    if not re.fullmatch(r"[+-]?[0-9]{1,10}", text) or not -(1 << 31) <= int(text) < 1 << 31:
        raise StorageProblem(f"Failed to parse {what} in dynamic voter string.")
    return int(text)


def check_kraft_version(asked: int | None, *, is_static: bool) -> None:
    """StorageProblem where --feature kraft.version=X does not fit the quorum."""
    if asked == 0 and not is_static:
        raise StorageProblem(
            "Cannot set kraft.version to 0 if controller.quorum.voters is empty and one of the flags --standalone, "
            "--initial-controllers, or --no-initial-controllers is used. For dynamic controllers support, try removing "
            "the --feature flag for kraft.version."
        )
    if asked and is_static:
        raise StorageProblem(
            f"Cannot set kraft.version to {asked} unless controller.quorum.voters is empty and one of the flags "
            "--standalone, --initial-controllers, or --no-initial-controllers is used. For dynamic controllers "
            "support, try using one of --standalone, --initial-controllers, or --no-initial-controllers and removing "
            "controller.quorum.voters."
        )
