"""A machine or container reached by SSH, through paramiko, with a key made for the run."""

from __future__ import annotations

import shlex
import signal
import socket
import threading
import time
from collections.abc import Callable, Sequence

import paramiko

from harness.hosts.host import CommandResult, HostTrouble, ProcessState, state_in_stat

_RETRY_S = 0.1
_BANNER_TIMEOUT_S = 5.0


def new_key() -> paramiko.ECDSAKey:
    """A key pair for one run; it is never written to disk."""
    return paramiko.ECDSAKey.generate(bits=256)


def public_line(key: paramiko.PKey) -> str:
    """The public half as a line of authorized_keys."""
    return f"{key.get_name()} {key.get_base64()} kafka-verification"


class SshHost:
    """Runs commands and signals processes at the far end of one SSH connection (Host); opened anew when it breaks."""

    def __init__(
        self,
        name: str,
        *,
        address: str,
        port: int,
        user: str,
        key: paramiko.PKey,
        host_key: Callable[[], str] | None = None,
    ) -> None:
        """`host_key` gets the far end's key ("type base64") by another way than SSH; None accepts the first seen."""
        self.name = name
        self._address = address
        self._port = port
        self._user = user
        self._key = key
        self._host_key = host_key
        self._client: paramiko.SSHClient | None = None
        self._lock = threading.RLock()

    def connect(self, timeout_s: float = 15.0) -> None:
        """Opens the connection, trying again until sshd answers. HostTrouble when it does not in time."""
        deadline = time.monotonic() + timeout_s
        while True:
            try:
                self._connect_once()
                return
            except (OSError, EOFError, paramiko.SSHException) as trouble:
                if time.monotonic() > deadline or isinstance(trouble, paramiko.AuthenticationException):
                    raise HostTrouble(f"{self.name}: no SSH to {self._address}:{self._port}: {trouble}") from trouble
                time.sleep(_RETRY_S)

    def _connect_once(self) -> None:
        self._wait_for_banner()
        client = paramiko.SSHClient()
        if self._host_key is None:
            client.set_missing_host_key_policy(paramiko.AutoAddPolicy())
        else:
            key_type, blob = self._host_key().split()[:2]
            place = f"[{self._address}]:{self._port}"
            entry = paramiko.hostkeys.HostKeyEntry.from_line(f"{place} {key_type} {blob}")
            if entry is None or entry.key is None:
                raise HostTrouble(f"{self.name}: cannot read its host key, of type {key_type}")
            client.get_host_keys().add(place, key_type, entry.key)
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
        with self._lock:
            transport = None if self._client is None else self._client.get_transport()
            if transport is None or not transport.is_active():
                self.close()
                self.connect()
            assert self._client is not None
            try:
                _, output, errors = self._client.exec_command(shlex.join(command), timeout=timeout_s)
                text, error_text = output.read().decode(), errors.read().decode()
                return CommandResult(output.channel.recv_exit_status(), text, error_text)
            except (OSError, EOFError, paramiko.SSHException) as trouble:
                raise HostTrouble(f"{self.name}: {shlex.join(command)}: {trouble!r}") from trouble

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
