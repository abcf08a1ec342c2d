"""Log folders before a node starts: `storage random-uuid | format | info`, and what start needs to know of them.

What is printed, what is written and the exit codes are those of kafka-storage.sh of 4.3.1. Source: KIP-631, KIP-853,
Kafka documentation, "KRaft: provisioning nodes".
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, NoReturn

from reference_broker.command_line import as_typed
from reference_broker.controller.decision import random_uuid
from reference_broker.environment import Disk, Random
from reference_broker.raft.snapshots import BOOTSTRAP, Snapshot, SnapshotId, encode_snapshot
from reference_broker.raft.store import DIRECTORY
from reference_broker.releases import (
    BASELINE,
    METADATA_VERSION,
    RELEASES,
    Release,
    find_release,
    metadata_version_name,
)
from reference_broker.releases.behaviours import Behaviour
from reference_broker.settings.broker_config import BrokerConfig
from reference_broker.settings.properties import format_properties, parse_properties, text_of
from reference_broker.settings.validators import ConfigInvalid
from reference_broker.storage_choices import (
    ChosenVoters,
    check_kraft_version,
    chosen_features,
    chosen_metadata_version,
    chosen_voters,
)
from reference_broker.storage_choices import StorageProblem as StorageProblem
from reference_broker.wire.messages.feature_level_record import FeatureLevelRecord
from reference_broker.wire.metadata_records import VersionedRecord
from reference_broker.wire.primitives import MalformedRequest, Uuid, parse_uuid, uuid_text

META_PROPERTIES: Final = "meta.properties"
RESERVED_IDS: Final = 100
"""Directory ids below this number mean something else (KIP-858)."""
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class MetaProperties:
    """meta.properties of one folder."""

    cluster_id: str
    node_id: int
    directory_id: Uuid


@dataclass(frozen=True, slots=True, kw_only=True)
class Folders:
    """What is known of all folders of a node. `problems` by folder: those cannot be used."""

    cluster_id: str
    directory_ids: dict[str, Uuid]
    problems: dict[str, str] = field(default_factory=dict)


def read_meta(disk: Disk, directory: str) -> MetaProperties | None:
    """meta.properties of a folder; None where it is not formatted. StorageProblem where the file makes no sense."""
    path = f"{directory}/{META_PROPERTIES}"
    if not disk.exists(path):
        return None
    try:
        found = parse_properties(disk.read(path).decode("utf-8"))
        if found["version"] != "1":
            raise StorageProblem(f"{path}: version {found['version']} is not supported (only 1 is)")
        return MetaProperties(
            cluster_id=found["cluster.id"],
            node_id=int(found["node.id"]),
            directory_id=parse_uuid(found["directory.id"]),
        )
    except KeyError as error:
        raise StorageProblem(f"{path}: there is no {error.args[0]}") from error
    except (ValueError, MalformedRequest) as error:
        raise StorageProblem(f"{path}: {error}") from error


def write_meta(disk: Disk, directory: str, meta: MetaProperties) -> None:
    """Write meta.properties."""
    disk.make_directories(directory)
    content = {
        "cluster.id": meta.cluster_id,
        "directory.id": uuid_text(meta.directory_id),
        "node.id": str(meta.node_id),
        "version": "1",
    }
    disk.write_atomically(f"{directory}/{META_PROPERTIES}", format_properties(content).encode("utf-8"))


def load_folders(disk: Disk, config: BrokerConfig) -> Folders:
    """The folders of a node that is about to start. StorageProblem where it must not.

    A folder that is not formatted beside others that are is left out, with its problem.
    """
    ids: dict[str, Uuid] = {}
    problems: dict[str, str] = {}
    cluster_id = ""
    for directory in all_directories(config):
        path = f"{directory}/{META_PROPERTIES}"
        try:
            meta = read_meta(disk, directory)
        except OSError as error:
            problems[directory] = f"{path}: {error.strerror or error}"
            continue
        if meta is None:
            problems[directory] = f"No `{META_PROPERTIES}` found in {directory} (have you run `storage format`?)"
            continue
        if meta.node_id != config.node_id:
            raise StorageProblem(f"Invalid node.id in: {path}. Expected {config.node_id}, but read {meta.node_id}")
        if cluster_id and meta.cluster_id != cluster_id:
            raise StorageProblem(f"Invalid cluster.id in: {path}. Expected {cluster_id}, but read {meta.cluster_id}")
        if int.from_bytes(meta.directory_id, "big") < RESERVED_IDS:
            raise StorageProblem(f"Invalid reserved directory ID {uuid_text(meta.directory_id)} found in {directory}")
        if meta.directory_id in ids.values():
            raise StorageProblem(f"Duplicate directory.id {uuid_text(meta.directory_id)} in: {path}")
        cluster_id = meta.cluster_id
        ids[directory] = meta.directory_id
    if config.metadata_log_dir not in ids:
        raise StorageProblem(problems[config.metadata_log_dir])
    return Folders(cluster_id=cluster_id, directory_ids=ids, problems=problems)


def all_directories(config: BrokerConfig) -> list[str]:
    """The metadata log's folder and all log folders, each once, sorted."""
    return sorted(dict.fromkeys((config.metadata_log_dir, *config.log_dirs)))


# -- formatting -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """What to format with. `voters` None keeps the quorum static, or leaves it to be found."""

    cluster_id: str
    metadata_version: int
    features: dict[str, int]
    voters: ChosenVoters | None = None
    ignore_formatted: bool = False


def format_folders(disk: Disk, config: BrokerConfig, wanted: Format, *, random: Random, now_ms: int, say: Say) -> None:
    """Format what is not formatted yet. StorageProblem before anything is written."""
    new: list[str] = []
    for directory in all_directories(config):
        meta = read_meta(disk, directory)
        if meta is None:
            new.append(directory)
            continue
        path = f"{directory}/{META_PROPERTIES}"
        if not wanted.ignore_formatted:
            raise StorageProblem(
                f"Log directory {directory} is already formatted. Use --ignore-formatted to ignore this directory and "
                "format the others."
            )
        if meta.cluster_id != wanted.cluster_id:
            raise StorageProblem(
                f"Invalid cluster.id in: {path}. Expected {wanted.cluster_id}, but read {meta.cluster_id}"
            )
        if meta.node_id != config.node_id:
            raise StorageProblem(f"Invalid node.id in: {path}. Expected {config.node_id}, but read {meta.node_id}")
    if not new:
        say("All of the log directories are already formatted.")
        return
    records = bootstrap_records(wanted)
    if config.release.does(Behaviour.PR_20303_BOOTSTRAP_RECORDS_PRINTED):
        say(f"Bootstrap metadata: {_in_java(records, wanted.metadata_version)}")
    version = metadata_version_name(wanted.metadata_version)
    is_snapshot = config.release.does(Behaviour.KIP_1170_FEATURES_IN_SNAPSHOT)
    for directory in sorted(new, key=lambda one: (one != config.metadata_log_dir, one)):
        directory_id = random_uuid(random)
        kind = "data directory"
        if directory == config.metadata_log_dir:
            kind = "metadata directory" if wanted.voters is None else "dynamic metadata directory"
            if wanted.voters is not None and wanted.voters.own is not None:
                kind, directory_id = "dynamic metadata voter directory", wanted.voters.own.key.directory_id
        say(f"Formatting {kind} {directory} with metadata.version {version}.")
        disk.make_directories(directory)
        if not is_snapshot:
            content = encode_snapshot(Snapshot(records=records), epoch=0, now_ms=now_ms)
            disk.write_atomically(f"{directory}/{BOOTSTRAP}", content)
        if directory == config.metadata_log_dir and (is_snapshot or wanted.voters is not None):
            _write_first_snapshot(disk, directory, records if is_snapshot else (), wanted.voters, now_ms)
        meta = MetaProperties(cluster_id=wanted.cluster_id, node_id=config.node_id, directory_id=directory_id)
        write_meta(disk, directory, meta)


def bootstrap_records(wanted: Format) -> tuple[VersionedRecord, ...]:
    """The features a new cluster begins with; metadata.version is first."""
    levels = {METADATA_VERSION: wanted.metadata_version, **wanted.features}
    return tuple((FeatureLevelRecord(name=name, feature_level=level), 0) for name, level in levels.items())


def _write_first_snapshot(
    disk: Disk, directory: str, records: tuple[VersionedRecord, ...], voters: ChosenVoters | None, now_ms: int
) -> None:
    """The snapshot before the metadata log's first record: the voters, and from 4.4 on what a cluster begins with."""
    log_directory = f"{directory}/{DIRECTORY}"
    disk.make_directories(log_directory)
    snapshot = Snapshot(
        records=records,
        kraft_version=0 if voters is None else 1,
        voters=None if voters is None else voters.voters.to_record(),
        last_timestamp_ms=now_ms,
    )
    content = encode_snapshot(snapshot, epoch=0, now_ms=now_ms)
    disk.write_atomically(f"{log_directory}/{SnapshotId(0, 0).file_name}", content)


def _in_java(records: Sequence[VersionedRecord], metadata_version: int) -> str:
    """As Kafka's tool prints them."""
    texts = [
        f"ApiMessageAndVersion(FeatureLevelRecord(name='{message.name}', featureLevel={message.feature_level}) "
        f"at version {version})"
        for message, version in records
    ]
    return (
        f"BootstrapMetadata(records=[{', '.join(texts)}], metadataVersionLevel={metadata_version}, "
        "source=format command)"
    )


# -- the command line -------------------------------------------------------------------------------------------


class _Parser(argparse.ArgumentParser):
    """Leaves with 1 where argparse would leave with 2, as Kafka's tools do; what is wrong is one line."""

    def error(self, message: str) -> NoReturn:
        name = self.prog.rpartition(" -m ")[2].replace(" ", ": ")
        self.exit(1, f"{name}: {message} (see {self.prog} --help)\n")


def parser() -> argparse.ArgumentParser:
    """The arguments of `python -m reference_broker storage`."""
    top = _Parser(prog=as_typed("reference_broker storage"), description="Manage the log folders of a node.")
    commands = top.add_subparsers(dest="command", required=True, parser_class=_Parser)
    commands.add_parser("random-uuid", help="Print a random UUID.")
    info = commands.add_parser("info", help="Tell about the log folders of this node.")
    info.add_argument("--config", "-c", required=True, help="The node's server.properties.")
    form = commands.add_parser("format", help="Format the log folders of this node.")
    form.add_argument("--config", "-c", required=True, help="The node's server.properties.")
    form.add_argument("--cluster-id", "-t", required=True, help="The id of the cluster.")
    form.add_argument("--ignore-formatted", "-g", action="store_true", help="Leave folders that are formatted.")
    form.add_argument("--release-version", "-r", help="The release whose features the cluster begins with.")
    form.add_argument("--feature", "-f", action="append", default=[], help="NAME=LEVEL of a feature; repeatable.")
    for command in (info, form):
        command.add_argument(
            "--profile", type=_release, default=BASELINE, help="The release whose tool this is: 4.0 to 4.4."
        )
    quorum = form.add_mutually_exclusive_group()
    quorum.add_argument("--standalone", "-s", action="store_true", help="This controller is the only voter.")
    quorum.add_argument("--no-initial-controllers", "-N", action="store_true", help="Format without a voter set.")
    quorum.add_argument("--initial-controllers", "-I", help="ID@HOST:PORT:DIRECTORY of each voter, by commas.")
    return top


def _release(text: str) -> Release:
    """The release that a profile names."""
    if (found := find_release(text)) is None:
        raise argparse.ArgumentTypeError(f"{text}: no such profile (known: {', '.join(RELEASES)})")
    return found


def run(arguments: Sequence[str], *, disk: Disk, random: Random, now_ms: int, say: Say, complain: Say) -> int:
    """One command; the exit code. SystemExit where the command line itself is wrong."""
    given = parser().parse_args(list(arguments))
    if given.command == "random-uuid":
        say(uuid_text(random_uuid(random)))
        return 0
    try:
        config = BrokerConfig.load(text_of(disk.read(given.config)), release=given.profile)
        if given.command == "info":
            return _info(disk, config, say)
        format_folders(disk, config, _wanted(given, config, random), random=random, now_ms=now_ms, say=say)
    except (StorageProblem, ConfigInvalid) as error:
        complain(str(error))
        return 1
    except ValueError as error:
        complain(f"{given.config}: {error}")
        return 1
    except OSError as error:
        reason = "there is no such file" if isinstance(error, FileNotFoundError) else error.strerror or error
        complain(f"{error.filename or given.config}: {reason}")
        return 1
    return 0


def _info(disk: Disk, config: BrokerConfig, say: Say) -> int:
    found: list[str] = []
    problems: list[str] = []
    first: MetaProperties | None = None
    for directory in all_directories(config):
        if not disk.exists(directory):
            problems.append(f"{directory} does not exist")
            continue
        if not disk.is_directory(directory):
            problems.append(f"{directory} is not a directory")
            continue
        found.append(directory)
        meta = read_meta(disk, directory)
        if meta is None:
            problems.append(f"{directory} is not formatted.")
        else:
            first = first or meta
    if found:
        say("Found log directory:" if len(found) == 1 else "Found log directories:")
        for directory in found:
            say(f"  {directory}")
        say("")
    if first is not None:
        say(
            f"Found metadata: {{cluster.id={first.cluster_id}, directory.id={uuid_text(first.directory_id)}, "
            f"node.id={first.node_id}, version=1}}"
        )
        say("")
    if problems:
        say("Found problem:" if len(problems) == 1 else "Found problems:")
        for problem in problems:
            say(f"  {problem}")
        say("")
    return 1 if problems else 0


def _wanted(given: argparse.Namespace, config: BrokerConfig, random: Random) -> Format:
    """What the arguments ask for, checked against the configuration."""
    level = chosen_metadata_version(given)
    features, asked = chosen_features(given.feature, level, config.release)
    voters = chosen_voters(given, config, random)
    check_kraft_version(asked, is_static=bool(config.static_voters))
    return Format(
        cluster_id=given.cluster_id,
        metadata_version=level,
        features=features,
        voters=voters,
        ignore_formatted=given.ignore_formatted,
    )
