"""The folders of log.dirs that this broker uses, and those that it cannot (KIP-112, KIP-858)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from reference_broker.environment import Disk, Random
from reference_broker.log.checkpoints import read_topic_id
from reference_broker.log.folder_names import folder_of
from reference_broker.log.log_directory import LogDirectory
from reference_broker.wire.primitives import Uuid
from reference_broker.wire.refusal import KafkaError

RESERVED_IDS = 100
"""Folder ids below this stand for something else: not assigned, lost, not known yet."""


def is_assigned(directory_id: Uuid) -> bool:
    """Whether an id names a folder at all."""
    return int.from_bytes(directory_id, "big") >= RESERVED_IDS


@dataclass(slots=True)
class LogFolders:
    """Made by `open`. `failures` tells, by path, why a folder is offline; it grows when a disk fails."""

    ids: Mapping[str, Uuid]
    on_failure: Callable[[LogDirectory], None]
    on_event: Callable[[str], None]
    folders: dict[str, LogDirectory] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)
    cordoned: tuple[str, ...] = ()
    """Paths of folders that take no new replicas (KIP-1066)."""
    absolute: Callable[[str], str] = field(default=lambda path: path)
    """A path as a person would find it: log.dirs may hold relative ones."""

    @classmethod
    def open(
        cls,
        *,
        disk: Disk,
        directories: Mapping[str, Uuid],
        random: Random,
        problems: Mapping[str, str],
        on_failure: Callable[[LogDirectory], None],
        on_event: Callable[[str], None],
        on_warning: Callable[[str], None],
    ) -> LogFolders:
        """Lock and open each folder; one that does not work is offline, as are those whose `problems` are known.

        `on_warning` gets lines for the log of what had to be repaired. BlockingIOError when another process holds a
        lock: it may be the same node. OSError when no folder works.
        """
        opened = cls(directories, on_failure, on_event, failures=dict(problems), absolute=disk.absolute)
        for path in directories:
            try:
                opened.folders[path] = LogDirectory.open(
                    disk, path, random=random, on_failure=opened._note, on_warning=on_warning
                )
            except BlockingIOError as error:
                raise BlockingIOError(
                    error.errno, f"{path} is in use by another process, which holds its .lock"
                ) from error
            except (OSError, KafkaError) as error:
                if path not in opened.failures:
                    opened._tell(path, str(error))
        if not opened.folders:
            reasons = "; ".join(f"{path}: {reason}" for path, reason in opened.failures.items())
            raise OSError(f"none of the log folders can be used: {reasons}")
        return opened

    def _note(self, folder: LogDirectory, error: OSError) -> None:
        self._tell(folder.path, str(error))
        if folder.path in self.folders:
            self.on_failure(folder)

    def _tell(self, path: str, reason: str) -> None:
        self.failures[path] = reason
        self.on_event(f"the log folder {path} is offline: {reason}")

    def __iter__(self) -> Iterator[LogDirectory]:
        """The folders that work."""
        return (folder for folder in list(self.folders.values()) if folder.is_online)

    @property
    def has_small_files(self) -> bool:
        """Whether a folder that works has files of logs that are to be flushed."""
        return any(folder.has_small_files for folder in self.folders.values())

    @property
    def online_ids(self) -> tuple[Uuid, ...]:
        """Ids of the folders that work."""
        return tuple(self.ids[folder.path] for folder in self)

    @property
    def failed_ids(self) -> tuple[Uuid, ...]:
        """Ids of the folders that were opened and have failed."""
        return tuple(self.ids[folder.path] for folder in self.folders.values() if not folder.is_online)

    @property
    def previous_broker_epoch(self) -> int:
        """What every folder's clean-shutdown mark agrees on; -1 where one has no mark, another epoch, or is offline."""
        epochs = dict.fromkeys(folder.previous_broker_epoch for folder in self.folders.values())
        (first, *others) = epochs
        return -1 if self.failures or others or first is None else first

    def id_of(self, folder: LogDirectory) -> Uuid:
        """A folder's id."""
        return self.ids[folder.path]

    def by_id(self, directory_id: Uuid) -> LogDirectory | None:
        """A folder that works, by its id."""
        return next((folder for folder in self if self.ids[folder.path] == directory_id), None)

    def holding(self, topic: str, partition: int) -> LogDirectory | None:
        """The folder in which a partition's log is on disk."""
        name = folder_of(topic, partition)
        return next((folder for folder in self if folder.disk.is_directory(f"{folder.path}/{name}")), None)

    def topic_id_in(self, folder: LogDirectory, topic: str, partition: int) -> Uuid:
        """Whose log a partition's folder holds; all zeros where it does not say. ValueError: a corrupt file."""
        return read_topic_id(folder.disk, f"{folder.path}/{folder_of(topic, partition)}")

    @property
    def cordoned_ids(self) -> tuple[Uuid, ...]:
        """Ids of the folders that take no new replicas."""
        return tuple(self.ids[path] for path in self.cordoned if path in self.ids)

    def least_used(self) -> LogDirectory | None:
        """The folder with the fewest logs that is not cordoned.

        A replica may have been put here before all were: then it is the first that works.
        """
        open_to_all = [folder for folder in self if folder.path not in self.cordoned]
        if not open_to_all:
            return next(iter(self), None)
        return min(open_to_all, key=lambda folder: len(folder.logs))
