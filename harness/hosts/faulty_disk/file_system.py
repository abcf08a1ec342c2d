"""The file system as the kernel asks for it (FUSE): each request goes past the troubles, then to what is stored.

It knows files and folders; links, extended attributes and special files are refused. The page cache of the kernel
stands in front of it: what programs map into memory (mmap) arrives as writes when the kernel writes it back, msync as
fsync.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random

import pyfuse3
import trio
from pyfuse3 import (
    EntryAttributes,
    FileHandleT,
    FileInfo,
    FileNameT,
    FlagT,
    FUSEError,
    InodeT,
    ModeT,
    ReaddirToken,
    RequestContext,
    SetattrFields,
    StatvfsData,
)

from harness.hosts.faulty_disk.stored import Entry, File, Folder, Loss, lose_power
from harness.hosts.faulty_disk.troubles import Troubles

_ROOT_MODE = 0o755


class FileSystem(pyfuse3.Operations):
    """One mounted disk. All of it runs in one thread (trio)."""

    def __init__(self, beside: Path, chance: Random) -> None:
        """`beside` is a folder of the machine's, where bytes are kept."""
        super().__init__()
        self._beside, self._chance = beside, chance
        self.root = Folder(_ROOT_MODE, os.getuid(), os.getgid())
        self.root.number = pyfuse3.ROOT_INODE
        self.troubles = Troubles()
        self.flushes = 0
        """How many files and folders were flushed since the mount."""
        self._known: dict[int, Entry] = {pyfuse3.ROOT_INODE: self.root}
        self._lookups: dict[int, int] = {}
        self._next_number = pyfuse3.ROOT_INODE + 1
        self._open: dict[int, File] = {}
        self._listings: dict[int, tuple[Folder, list[tuple[bytes, Entry]]]] = {}
        self._next_handle = 1

    # -- what the harness tells it ------------------------------------------------------------------------------

    async def lose_power(self, loss: Loss, seed: str) -> dict[str, int]:
        """Loses what was not flushed; what is open is open no more. Returns what was lost."""
        # What programs had mapped and changed is still in the page cache: it was written, so it may be lost or kept.
        await self.empty_page_cache()
        lost = lose_power(self.root, loss, Random(seed))
        for entry in self._known.values():
            entry.number = 0
        # New numbers: the kernel has nothing in its caches for them.
        self.root.number = pyfuse3.ROOT_INODE
        self._known, self._lookups = {pyfuse3.ROOT_INODE: self.root}, {}
        self._open.clear()
        self._listings.clear()
        return lost

    async def empty_page_cache(self) -> None:
        """Has the kernel write back what it has of the files, and read them anew."""
        for number, entry in list(self._known.items()):
            if isinstance(entry, File):
                with contextlib.suppress(OSError):  # the kernel knows it no more
                    await trio.to_thread.run_sync(pyfuse3.invalidate_inode, number)

    # -- names --------------------------------------------------------------------------------------------------

    async def lookup(self, parent_inode: InodeT, name: FileNameT, ctx: RequestContext) -> EntryAttributes:
        folder = self._folder(parent_inode)
        entry: Entry | None = folder
        if name == b"..":
            entry = folder.parent or folder
        elif name != b".":
            entry = folder.entries.get(name)
        if entry is None:
            raise FUSEError(errno.ENOENT)
        self._meet("lookup", entry)
        return self._looked_up(entry)

    async def forget(self, inode_list: Sequence[tuple[InodeT, int]]) -> None:
        for number, count in inode_list:
            left = self._lookups.get(number, 0) - count
            if left > 0:
                self._lookups[number] = left
            else:
                self._lookups.pop(number, None)
                if number != pyfuse3.ROOT_INODE and (entry := self._known.pop(number, None)) is not None:
                    entry.number = 0

    async def create(
        self, parent_inode: InodeT, name: FileNameT, mode: ModeT, flags: FlagT, ctx: RequestContext
    ) -> tuple[FileInfo, EntryAttributes]:
        folder = self._folder(parent_inode)
        self._meet_new("create", folder, name)
        file = File(stat.S_IMODE(mode), ctx.uid, ctx.gid, self._beside)
        folder.set((name, file))
        return self._opened(file), self._looked_up(file)

    async def mkdir(self, parent_inode: InodeT, name: FileNameT, mode: ModeT, ctx: RequestContext) -> EntryAttributes:
        parent = self._folder(parent_inode)
        self._meet_new("mkdir", parent, name)
        folder = Folder(stat.S_IMODE(mode), ctx.uid, ctx.gid)
        parent.set((name, folder))
        return self._looked_up(folder)

    async def unlink(self, parent_inode: InodeT, name: FileNameT, ctx: RequestContext) -> None:
        folder = self._folder(parent_inode)
        self._meet("unlink", self._entry(folder, name))
        folder.set((name, None))

    async def rmdir(self, parent_inode: InodeT, name: FileNameT, ctx: RequestContext) -> None:
        parent = self._folder(parent_inode)
        folder = self._entry(parent, name)
        if not isinstance(folder, Folder):
            raise FUSEError(errno.ENOTDIR)
        self._meet("rmdir", folder)
        if folder.entries:
            raise FUSEError(errno.ENOTEMPTY)
        parent.set((name, None))

    async def rename(
        self,
        parent_inode_old: InodeT,
        name_old: FileNameT,
        parent_inode_new: InodeT,
        name_new: FileNameT,
        flags: FlagT,
        ctx: RequestContext,
    ) -> None:
        source, target = self._folder(parent_inode_old), self._folder(parent_inode_new)
        entry, there = self._entry(source, name_old), target.entries.get(name_new)
        if flags & pyfuse3.RENAME_EXCHANGE:
            raise FUSEError(errno.EINVAL)
        if there is not None and flags & pyfuse3.RENAME_NOREPLACE:
            raise FUSEError(errno.EEXIST)
        if isinstance(there, Folder) and there.entries:
            raise FUSEError(errno.ENOTEMPTY)
        self._meet("rename", entry)
        if there is entry:
            return
        if source is target:
            source.set((name_old, None), (name_new, entry))
        else:
            source.set((name_old, None))
            target.set((name_new, entry))

    async def opendir(self, inode: InodeT, ctx: RequestContext) -> FileHandleT:
        folder = self._folder(inode)
        self._meet("list", folder)
        handle = self._handle()
        self._listings[handle] = (folder, sorted(folder.entries.items()))
        return handle

    async def readdir(self, fh: FileHandleT, start_id: int, token: ReaddirToken) -> None:
        _, listing = self._listing(fh)
        for place, (name, entry) in enumerate(listing[start_id:], start_id + 1):
            attributes = self._looked_up(entry)
            if not pyfuse3.readdir_reply(token, name, attributes, place):
                await self.forget([(attributes.st_ino, 1)])
                return

    async def releasedir(self, fh: FileHandleT) -> None:
        self._listings.pop(fh, None)

    async def fsyncdir(self, fh: FileHandleT, datasync: bool) -> None:
        folder, _ = self._listing(fh)
        await self._flush(folder)

    # -- files --------------------------------------------------------------------------------------------------

    async def open(self, inode: InodeT, flags: FlagT, ctx: RequestContext) -> FileInfo:
        file = self._file(inode)
        self._meet("open", file)
        return self._opened(file)

    async def read(self, fh: FileHandleT, off: int, size: int) -> bytes:
        file = self._opened_file(fh)
        self._meet("read", file)
        return file.read(off, size)

    async def write(self, fh: FileHandleT, off: int, buf: bytes) -> int:
        file = self._opened_file(fh)
        self._meet("write", file)
        return self._done(lambda: file.write(off, buf))

    async def flush(self, fh: FileHandleT) -> None:
        """A close, which flushes nothing."""

    async def release(self, fh: FileHandleT) -> None:
        self._open.pop(fh, None)

    async def fsync(self, fh: FileHandleT, datasync: bool) -> None:
        await self._flush(self._opened_file(fh))

    # -- attributes ---------------------------------------------------------------------------------------------

    async def getattr(self, inode: InodeT, ctx: RequestContext) -> EntryAttributes:
        return self._attributes(self._known_entry(inode))

    async def setattr(
        self, inode: InodeT, attr: EntryAttributes, fields: SetattrFields, fh: FileHandleT | None, ctx: RequestContext
    ) -> EntryAttributes:
        entry = self._known_entry(inode)
        if fields.update_size:
            file = self._file(inode)
            self._meet("truncate", file)
            if attr.st_size > file.size:
                self._meet("grow", file)
            size = attr.st_size
            self._done(lambda: file.truncate(size))
        if fields.update_mode:
            entry.mode = stat.S_IFMT(entry.mode) | stat.S_IMODE(attr.st_mode)
        if fields.update_uid:
            entry.uid = attr.st_uid
        if fields.update_gid:
            entry.gid = attr.st_gid
        if fields.update_atime:
            entry.accessed_ns = attr.st_atime_ns
        if fields.update_mtime:
            entry.modified_ns = attr.st_mtime_ns
        return self._attributes(entry)

    async def statfs(self, ctx: RequestContext) -> StatvfsData:
        machine, told = os.statvfs(self._beside), StatvfsData()
        told.f_bsize, told.f_frsize, told.f_blocks = machine.f_bsize, machine.f_frsize, machine.f_blocks
        told.f_bfree = told.f_bavail = 0 if self.troubles.is_full else machine.f_bavail
        told.f_files, told.f_namemax = machine.f_files, machine.f_namemax
        told.f_ffree = told.f_favail = machine.f_favail
        return told

    # -- parts --------------------------------------------------------------------------------------------------

    async def _flush(self, entry: File | Folder) -> None:
        self._meet("fsync", entry)
        least_s, most_s = self.troubles.flush_s
        if most_s:
            await trio.sleep(self._chance.uniform(least_s, most_s))
        entry.flush()
        self.flushes += 1

    def _meet(self, operation: str, entry: Entry) -> None:
        """FUSEError where the operation fails."""
        if code := self.troubles.error_of(operation, entry.path):
            raise FUSEError(code)

    def _meet_new(self, operation: str, folder: Folder, name: bytes) -> None:
        path = "/".join(filter(None, (folder.path, name.decode("utf-8", "surrogateescape"))))
        if code := self.troubles.error_of(operation, path):
            raise FUSEError(code)
        if name in folder.entries:
            raise FUSEError(errno.EEXIST)

    def _done(self, act: Callable[[], int | None]) -> int:
        """What an act on the machine's files gives; FUSEError where it fails."""
        try:
            return act() or 0
        except OSError as trouble:
            raise FUSEError(trouble.errno or errno.EIO) from trouble

    def _known_entry(self, number: int) -> Entry:
        entry = self._known.get(number)
        if entry is None:  # it went with the power
            raise FUSEError(errno.ESTALE)
        return entry

    def _folder(self, number: int) -> Folder:
        entry = self._known_entry(number)
        if not isinstance(entry, Folder):
            raise FUSEError(errno.ENOTDIR)
        return entry

    def _file(self, number: int) -> File:
        entry = self._known_entry(number)
        if not isinstance(entry, File):
            raise FUSEError(errno.EISDIR)
        return entry

    def _entry(self, folder: Folder, name: bytes) -> Entry:
        entry = folder.entries.get(name)
        if entry is None:
            raise FUSEError(errno.ENOENT)
        return entry

    def _opened_file(self, handle: int) -> File:
        file = self._open.get(handle)
        if file is None:
            raise FUSEError(errno.ESTALE)
        return file

    def _listing(self, handle: int) -> tuple[Folder, list[tuple[bytes, Entry]]]:
        found = self._listings.get(handle)
        if found is None:
            raise FUSEError(errno.ESTALE)
        return found

    def _handle(self) -> FileHandleT:
        self._next_handle += 1
        return self._next_handle

    def _opened(self, file: File) -> FileInfo:
        handle = self._handle()
        self._open[handle] = file
        return FileInfo(fh=handle, keep_cache=True)

    def _looked_up(self, entry: Entry) -> EntryAttributes:
        """Its attributes; the kernel knows it from now on, once more."""
        if not entry.number:
            entry.number = self._next_number
            self._next_number += 1
            self._known[entry.number] = entry
        self._lookups[entry.number] = self._lookups.get(entry.number, 0) + 1
        return self._attributes(entry)

    def _attributes(self, entry: Entry) -> EntryAttributes:
        told = EntryAttributes()
        told.st_ino, told.generation = entry.number, 0
        told.entry_timeout = told.attr_timeout = 0
        told.st_mode, told.st_uid, told.st_gid = entry.mode, entry.uid, entry.gid
        told.st_nlink = 1
        told.st_size = entry.size if isinstance(entry, File) else 0
        told.st_blksize, told.st_blocks = 4096, -(-told.st_size // 512)
        told.st_atime_ns, told.st_mtime_ns = entry.accessed_ns, entry.modified_ns
        told.st_ctime_ns = entry.changed_ns
        return told
