"""Whether a node answers: ApiVersions, then Metadata in which a broker lists itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from harness.clients.connection import RawConnection
from harness.hosts import cluster_time as time
from harness.targets.target import TargetTrouble
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.messages.api_versions_request import ApiVersionsRequest
from reference_broker.wire.messages.metadata_request import MetadataRequest
from reference_broker.wire.primitives import MalformedRequest

_CLIENT_ID = "readiness"
_ANSWER_TIMEOUT_S = 2.0
_EVERY_S = 0.02
_OLDEST_METADATA = 1
_LOG_LINES = 15


def ask(address: tuple[str, int], key: int, version: int, message: Any, timeout_s: float = _ANSWER_TIMEOUT_S) -> Any:
    """One request on a connection of its own. OSError or MalformedRequest when there is no proper answer."""
    with RawConnection(*address, client_id=_CLIENT_ID, timeout_s=timeout_s) as connection:
        return connection.request(key, version, message)


def answers(address: tuple[str, int], timeout_s: float = _ANSWER_TIMEOUT_S) -> bool:
    """Whether a node answers ApiVersions now."""
    try:
        return bool(ask(address, ApiKey.API_VERSIONS, 0, ApiVersionsRequest(), timeout_s).error_code == 0)
    except (OSError, MalformedRequest):
        return False


def lists_itself(address: tuple[str, int], broker_id: int) -> bool:
    """Whether a broker's own metadata lists it: only then is it registered and unfenced, and serves topics."""
    try:
        response = ask(address, ApiKey.METADATA, _OLDEST_METADATA, MetadataRequest(topics=()))
    except (OSError, MalformedRequest):
        return False
    return any(broker.node_id == broker_id for broker in response.brokers)


def wait_until_ready(
    address: tuple[str, int],
    *,
    broker_id: int | None,
    name: str,
    timeout_s: float,
    is_alive: Callable[[], bool],
    log_text: Callable[[], str],
) -> None:
    """Waits until a node answers, and as a broker lists itself (`broker_id`, None for a controller alone).

    TargetTrouble, with the end of its log, when it ends first or takes longer.
    """
    deadline = time.monotonic() + timeout_s
    while not (answers(address) and (broker_id is None or lists_itself(address, broker_id))):
        if not is_alive():
            raise TargetTrouble(f"{name} ended before it was ready; its log ends:\n{last_lines(log_text())}")
        if time.monotonic() > deadline:
            raise TargetTrouble(
                f"{name} does not answer at {address[0]}:{address[1]} after {timeout_s:g} s; "
                f"its log ends:\n{last_lines(log_text())}"
            )
        time.sleep(_EVERY_S)


def last_lines(text: str, count: int = _LOG_LINES) -> str:
    """The end of a log, indented, without the frames of Java stack traces."""
    lines = [line for line in text.splitlines() if not line.startswith("\tat ")]
    return "\n".join("    " + line for line in lines[-count:]) or "    (nothing)"
