"""The process of one mounted disk: `python -m harness.hosts.faulty_disk MOUNT_POINT FOLDER`.

It takes commands as lines of JSON on its standard input and answers each by a line of JSON; {"error": …} for one that
fails. It ends, and unmounts, when its input ends: so it never outlives the harness.
"""

from __future__ import annotations

import json
import os
import resource
import sys
from pathlib import Path
from random import Random
from typing import Any

import pyfuse3
import trio

from harness.hosts.faulty_disk.file_system import FileSystem
from harness.hosts.faulty_disk.stored import Loss, flush_all, unflushed
from harness.hosts.small_disk import mounted_below

_LONGEST = 65536


async def answer(disk: FileSystem, asked: dict[str, Any]) -> dict[str, Any]:
    """Carries out one command. ValueError, KeyError or TypeError for one that makes no sense."""
    troubles = disk.troubles
    match asked["do"]:
        case "lose power":
            return await disk.lose_power(Loss(asked["loss"]), asked["seed"])
        case "flush all":
            flush_all(disk.root)
        case "fail":
            troubles.fail(asked["operations"], asked["pattern"], asked["error"])
            await disk.empty_page_cache()  # else reads are answered from it
        case "fill":
            troubles.is_full = True
        case "protect":
            troubles.is_read_only = True
        case "slow":
            troubles.flush_s = (float(asked["least_s"]), float(asked["most_s"]))
        case "mend":
            troubles.mend()
        case "tell":
            return {**unflushed(disk.root), "flushes": disk.flushes, "refused": troubles.refused}
        case other:
            raise ValueError(f"unknown command {other!r}")
    return {}


async def take_commands(disk: FileSystem) -> None:
    """Answers commands until there are no more, then has the disk end."""
    buffer = b""
    async with trio.lowlevel.FdStream(os.dup(sys.stdin.fileno())) as commands:
        while piece := await commands.receive_some(_LONGEST):
            *lines, buffer = (buffer + piece).split(b"\n")
            for line in lines:
                try:
                    said = await answer(disk, json.loads(line))
                except (ValueError, KeyError, TypeError) as trouble:
                    said = {"error": str(trouble)}
                print(json.dumps(said), flush=True)
    pyfuse3.terminate()


async def serve(disk: FileSystem) -> None:
    """Serves the kernel and the harness, until it is unmounted or there are no more commands."""
    async with trio.open_nursery() as nursery:
        nursery.start_soon(take_commands, disk)
        print(json.dumps({"mounted": os.getpid()}), flush=True)
        await pyfuse3.main()
        nursery.cancel_scope.cancel()


def main() -> int:
    """Mounts the disk and serves it to its end."""
    mount_point, beside = sys.argv[1], Path(sys.argv[2])
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)  # each file of the disk is an open one of ours
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    disk = FileSystem(beside, Random())
    options = {"default_permissions", "allow_other", "fsname=faulty-disk", "subtype=faulty-disk"}
    try:
        pyfuse3.init(disk, mount_point, options)
    except RuntimeError as trouble:
        print(json.dumps({"error": str(trouble)}), flush=True)
        return 1
    try:
        trio.run(serve, disk)
    finally:
        # By the table of mounts: to ask for the mount point itself would wait for an answer of ours.
        pyfuse3.close(unmount=Path(mount_point) in mounted_below(Path(mount_point).parent))
    return 0


if __name__ == "__main__":
    sys.exit(main())
