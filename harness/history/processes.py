"""Names of processes: a role whose client has ended goes on as another process, with a new client."""

from __future__ import annotations

_CLIENT = " client "


def process_name(role: str, client: int) -> str:
    """The process of a role's client, counted from 1: "producer 1", then "producer 1 client 2"."""
    return role if client == 1 else f"{role}{_CLIENT}{client}"


def role_of(process: str) -> str:
    """Whose client a process is: "producer 1"."""
    return process.partition(_CLIENT)[0]
