"""A machine or container reached by SSH, through paramiko, with a key made for the run."""

from __future__ import annotations

import shlex
import signal
import socket
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import paramiko

from harness.hosts.archive import INDEXES, unpack
from harness.hosts.host import CommandResult, HostTrouble, ProcessState, state_in_stat

_RETRY_S = 0.1
_BANNER_TIMEOUT_S = 5.0
_DEFAULT_PORT = 22
_FETCH_TIMEOUT_S = 120.0
_CHUNK = 1 << 16
_CHANGED_WHILE_READ = 1
"""What tar ends with when a file grew meanwhile, as those of a running broker do."""


class _RejectedPolicy(paramiko.MissingHostKeyPolicy):  # type: ignore[misc]
    """Refuses a machine whose key is of a type that is not known of it."""

    def missing_host_key(self, client: paramiko.SSHClient, hostname: str, key: paramiko.PKey) -> None:
        raise HostTrouble(f"{hostname}: its host key (type {key.get_name()}) is not among the known ones")


def new_key() -> paramiko.ECDSAKey:
    """A key pair for one run; it is never written to disk."""
    return paramiko.ECDSAKey.generate(bits=256)


def public_line(key: paramiko.PKey) -> str:
    """The public half as a line of authorized_keys."""
    return f"{key.get_name()} {key.get_base64()} kafka-verification"


def known_keys(known_hosts: Path, address: str, port: int) -> tuple[str, ...]:
    """The host keys ("type base64") that a known_hosts file has for a machine; hashed names too. OSError when there is
    no such file."""
    with known_hosts.open("rb"):  # paramiko says nothing of a file that is not there
        found = paramiko.HostKeys(str(known_hosts)).lookup(_place(address, port))
    return () if found is None else tuple(f"{key.get_name()} {key.get_base64()}" for key in found.values())


def _place(address: str, port: int) -> str:
    """The name of a machine in known_hosts."""
    return address if port == _DEFAULT_PORT else f"[{address}]:{port}"


class SshHost:
    """Runs commands and signals processes at the far end of one SSH connection (Host); opened again when it breaks."""

    def __init__(
        self,
        name: str,
        *,
        address: str,
        port: int,
        user: str,
        key: paramiko.PKey,
        host_keys: Callable[[], Sequence[str]],
        is_sudo: bool = False,
    ) -> None:
        """`host_keys` gets the far end's keys ("type base64") by another way than SSH: only those are accepted.
        `is_sudo`: whether commands are run by sudo, as root and without a password."""
        self.name = name
        self._address = address
        self._port = port
        self._user = user
        self._key = key
        self._host_keys = host_keys
        self._is_sudo = is_sudo
        self._client: paramiko.SSHClient | None = None
        self._lock = threading.RLock()

    def connect(self, timeout_s: float = 15.0) -> None:
        """Opens the connection, trying again until sshd answers. HostTrouble when it does not in time, or does not let
        us in, or is not the machine that it should be."""
        deadline = time.monotonic() + timeout_s
        transport = None if self._client is None else self._client.get_transport()
        while transport is None or not transport.is_active():
            try:
                self._connect_once()
                return
            except (OSError, EOFError, paramiko.SSHException) as trouble:
                is_final = isinstance(trouble, (paramiko.AuthenticationException, paramiko.BadHostKeyException))
                if is_final or time.monotonic() > deadline:
                    raise HostTrouble(
                        f"{self.name}: cannot connect by SSH to {self._address}:{self._port}: {trouble}"
                    ) from trouble
                time.sleep(_RETRY_S)

    def _connect_once(self) -> None:
        self._wait_for_banner()
        place, client = _place(self._address, self._port), paramiko.SSHClient()
        for line in self._host_keys():
            entry = paramiko.hostkeys.HostKeyEntry.from_line(f"{place} {line}")
            if entry is None or entry.key is None:
                raise HostTrouble(f"{self.name}: cannot read its host key: {line}")
            client.get_host_keys().add(place, entry.key.get_name(), entry.key)
        client.set_missing_host_key_policy(_RejectedPolicy())
        client.connect(
            self._address,
            port=self._port,
            username=self._user,
            pkey=self._key,
            timeout=5,
            banner_timeout=5,
            auth_timeout=5,
            allow_agent=False,
            look_for_keys=False,
        )
        self._client = client

    def _wait_for_banner(self) -> None:
        """Docker takes connections before sshd listens; paramiko would log each of those as an error."""
        with socket.create_connection((self._address, self._port), timeout=_BANNER_TIMEOUT_S) as probe:
            if probe.recv(4) != b"SSH-":
                raise ConnectionResetError("no sshd there yet")

    def run(self, command: Sequence[str], timeout_s: float = 30.0) -> CommandResult:
        """Runs a command to its end. HostTrouble when it cannot be run or takes too long."""
        return self._run(["sudo", "-n", "--", *command] if self._is_sudo else command, timeout_s)

    def seen_from(self) -> str:
        """Our address, as the far end sees it."""
        said = self._run(["sh", "-c", "echo $SSH_CONNECTION"], 30.0).output.split()
        if not said:
            raise HostTrouble(f"{self.name}: sshd does not set SSH_CONNECTION, so our own address is not known")
        return said[0]

    def _open(self) -> paramiko.SSHClient:
        """The connection, opened again where it broke."""
        transport = None if self._client is None else self._client.get_transport()
        if transport is None or not transport.is_active():
            self.close()
            self.connect()
        assert self._client is not None
        return self._client

    def _begin(self, words: Sequence[str], timeout_s: float) -> paramiko.Channel:
        """A command that has begun. A connection that turns out to be broken before that is opened again, once."""
        for is_last in (False, True):
            transport = self._open().get_transport()
            assert transport is not None
            try:
                channel = transport.open_session(timeout=timeout_s)
                break
            except (EOFError, paramiko.SSHException):
                if is_last or transport.is_active():
                    raise
        channel.settimeout(timeout_s)
        channel.exec_command(shlex.join(words))
        return channel

    def _run(self, words: Sequence[str], timeout_s: float) -> CommandResult:
        with self._lock:
            try:
                channel = self._begin(words, timeout_s)
                text = channel.makefile("rb").read().decode()
                error_text = channel.makefile_stderr("rb").read().decode()
                return CommandResult(channel.recv_exit_status(), text, error_text)
            except (OSError, EOFError, paramiko.SSHException) as trouble:
                raise HostTrouble(f"{self.name}: {shlex.join(words)}: {trouble!r}") from trouble

    def fetch(self, folder: str, into: Path) -> None:
        """Copies a folder below another here, without the indexes of segments. HostTrouble when it cannot."""
        words = ["tar", "-C", folder, f"--exclude={INDEXES}", "-cf", "-", "."]
        words = ["sudo", "-n", "--", *words] if self._is_sudo else words
        with self._lock:
            try:
                channel = self._begin(words, _FETCH_TIMEOUT_S)
                output = channel.makefile("rb")
                unpack(iter(lambda: output.read(_CHUNK), b""), into, self.name)
                said = channel.makefile_stderr("rb").read().decode().strip()
                if channel.recv_exit_status() > _CHANGED_WHILE_READ:
                    raise HostTrouble(f"{self.name}: {folder}: {said}")
            except (OSError, EOFError, paramiko.SSHException) as trouble:
                raise HostTrouble(f"{self.name}: {shlex.join(words)}: {trouble!r}") from trouble

    def send_signal(self, pid: int, number: signal.Signals) -> None:
        """Sends a signal. HostTrouble when the process is gone."""
        result = self.run(["kill", f"-{number.value}", str(pid)])
        if result.status:
            raise HostTrouble(f"{self.name}: {number.name} to process {pid}: {result.errors.strip()}")

    def state_of(self, pid: int) -> ProcessState:
        """The state of a process now, from /proc at the far end."""
        result = self.run(["cat", f"/proc/{pid}/stat"])
        return ProcessState.GONE if result.status else state_in_stat(result.output)

    def close(self) -> None:
        """Ends the connection; it may be opened again."""
        with self._lock:
            if self._client is not None:
                self._client.close()
                self._client = None
