"""ApiVersions (key 18) lists the APIs and versions that a broker serves.

**Claim** Versions 0 to 4 of ApiVersions list the same APIs with the same version ranges, including all that the
broker's release has. A request in a later version than the broker knows is answered in version 0, with the range of
ApiVersions versions that the broker knows. A client's software name and version must consist of letters, digits, dots
and dashes. After a request for an API or version that is not served, and after bytes that are not a request, the broker
closes the connection.
**Why it matters** Old and new clients choose their versions by this answer; a wrong range breaks them.
**Kafka says** Protocol guide, "Retrieving Supported API versions"; KIP-35, KIP-511 (software), KIP-584 (features).
**Cannot see** Whether each listed version is served correctly: see the other checks of this folder.
**Rejects** tests/plants/lists_only_what_it_serves_of_produce.py
"""

from __future__ import annotations

import struct

import pytest
from msgspec.structs import replace

from harness.comparing.exchange import Exchange
from harness.comparing.request_forms import all_versions, variants, versions
from reference_broker.wire.api_keys import APIS, ApiKey
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.api_versions_request import ApiVersionsRequest
from reference_broker.wire.messages.metadata_request import MetadataRequest
from reference_broker.wire.primitives import BrokerId

pytestmark = [
    pytest.mark.feature("ApiVersions"),
    pytest.mark.kip(35, 511, 584),
    pytest.mark.document("Protocol guide", "https://kafka.apache.org/protocol.html"),
]


def asked(name: str = "check", version: str = "1.0") -> ApiVersionsRequest:
    return ApiVersionsRequest(client_software_name=name, client_software_version=version)


def header(api_key: int, version: int, *, flexible: bool = False) -> bytes:
    """A request header as bytes, for APIs and versions that may not exist."""
    name = b"check"
    tags = b"\0" if flexible else b""
    return struct.pack(">hhih", api_key, version, 7, len(name)) + name + tags


def framed(body: bytes) -> bytes:
    return struct.pack(">i", len(body)) + body


@all_versions(0, 5)
def test_every_version_lists_the_apis(exchange: Exchange, version: int) -> None:
    """Each version of ApiVersions is answered, with ApiVersions and Produce from version 0 on."""
    answer = exchange.ask("what is spoken", asked(), version)

    assert answer.error_code == ErrorCode.NONE
    ranges = {one.api_key: (one.min_version, one.max_version) for one in answer.api_keys}
    assert ranges[ApiKey.API_VERSIONS][0] == 0
    assert ranges[ApiKey.PRODUCE][0] == 0, "0 to 2 are listed for librdkafka's sake, and refused"


def test_versions_agree_with_each_other(exchange: Exchange) -> None:
    """All versions of ApiVersions list the same APIs and ranges."""
    answers = [exchange.ask("what is spoken", asked(), version).api_keys for version in range(5)]

    first = {(one.api_key, one.min_version, one.max_version) for one in answers[0]}
    assert all({(one.api_key, one.min_version, one.max_version) for one in other} == first for other in answers)


def test_all_that_the_release_has_is_listed(exchange: Exchange) -> None:
    """Each API of the broker's release is listed, in each of its versions."""
    exchange.require_all_listed()


@pytest.mark.parametrize("later", [1, 50, 32767])
def test_a_version_of_the_future_is_answered_in_version_0(exchange: Exchange, later: int) -> None:
    """A request in a later version is answered with UNSUPPORTED_VERSION in version 0, and with the range of
    ApiVersions."""
    listed = {one.api_key: one for one in exchange.quietly(asked(), 0).api_keys}[ApiKey.API_VERSIONS]
    future = min(listed.max_version + later, 32767)
    body = header(ApiKey.API_VERSIONS, future, flexible=True) + b"\x02c\x021\0"
    words = f"ApiVersions, {later} versions after the last"
    answer = exchange.ask_frame(words, framed(body), ApiKey.API_VERSIONS, 0)

    assert answer.error_code == ErrorCode.UNSUPPORTED_VERSION
    assert answer.api_keys == (listed,)


@variants(
    "software",
    empty_name=("", "1"),
    empty_version=("check", ""),
    blank_inside=("my client", "1"),
    dash_first=("-client", "1"),
    dot_last=("client.", "1"),
    slash_in_version=("client", "1/2"),
    umlaut=("müsli", "1"),
)
@versions(3, 4, 5)
def test_a_bad_software_name_is_refused(exchange: Exchange, version: int, software: tuple[str, str]) -> None:
    """A software name or version must have letters, digits, dots and dashes only, and a letter or digit at both
    ends."""
    answer = exchange.ask(f"software {software[0]!r} {software[1]!r}", asked(*software), version)

    assert answer.error_code == ErrorCode.INVALID_REQUEST


@variants("software", dots_and_dashes=("my-client.v2", "1.0-rc.1"), one_letter=("c", "1"))
@versions(3, 4)
def test_a_good_software_name_is_taken(exchange: Exchange, version: int, software: tuple[str, str]) -> None:
    """A software name and version may contain dots and dashes."""
    assert exchange.quietly(asked(*software), version).error_code == ErrorCode.NONE
    exchange.note("this software name is taken", True)


@variants(
    "meant",
    nobody=("", -1, ErrorCode.NONE),
    this_node=("own", 0, ErrorCode.NONE),
    another_node=("own", 1, ErrorCode.REBOOTSTRAP_REQUIRED),
    another_cluster=("another", 0, ErrorCode.REBOOTSTRAP_REQUIRED),
    a_cluster_alone=("own", -1, ErrorCode.INVALID_REQUEST),
    a_node_alone=("", 0, ErrorCode.INVALID_REQUEST),
)
@versions(5)
def test_a_client_that_meant_another_node_learns_it(
    exchange: Exchange, version: int, meant: tuple[str, int, ErrorCode]
) -> None:
    """A client that names the cluster and node that it expects gets REBOOTSTRAP_REQUIRED from any other node
    (KIP-1242)."""
    cluster, beside, code = meant
    known = exchange.quietly(MetadataRequest(topics=()))
    request = replace(
        asked(),
        cluster_id={"": None, "own": known.cluster_id}.get(cluster, cluster),
        node_id=BrokerId(-1 if beside < 0 else exchange.broker() + beside),
    )
    answer = exchange.ask(f"cluster {cluster or 'not named'!r}, node {beside:+d}", request, version)

    assert answer.error_code == code


def unserved(api_key: int, version: int) -> bytes:
    return framed(header(api_key, version, flexible=True) + bytes(16))


@variants(
    "named",
    unknown_key=(9999, 0),
    negative_key=(-1, 0),
    leader_and_isr_of_3_x=(4, 7),
    controlled_shutdown_of_3_x=(7, 3),
    a_controllers_api=(52, 2),
    produce_0=(0, 0),
    produce_1=(0, 1),
    produce_2=(0, 2),
    produce_of_the_future=(0, 14),
    fetch_3=(1, 3),
    fetch_of_the_future=(1, 19),
    metadata_of_the_future=(3, 14),
    negative_version=(3, -1),
    offset_commit_1=(8, 1),
    create_topics_1=(19, 1),
    delete_topics_0=(20, 0),
    an_unstable_version=(22, 6),
)
def test_what_is_not_served_closes_the_connection(exchange: Exchange, named: tuple[int, int]) -> None:
    """An API or version that is not served gets no answer: the connection is closed."""
    key, version = named
    api = APIS[key].name if key in APIS else f"key {key}"
    # Only Produce 0 to 2 are listed; the others are not versions of an API, and are not counted as such.
    counts = {"api": api, "version": version} if key == ApiKey.PRODUCE and version < 3 else {}
    exchange.expect_closed_on(f"{api} v{version}", unserved(key, version), **counts)


@variants(
    "frame",
    no_header=framed(b""),
    half_a_header=framed(b"\0\x12\0\0"),
    header_without_body=framed(header(3, 9, flexible=True)),
    negative_size=struct.pack(">i", -5),
    huge_size=struct.pack(">i", 0x7FFFFFFF),
    an_absurd_array=framed(header(3, 1) + struct.pack(">i", 0x7FFFFFF0)),
    a_string_too_long=framed(header(10, 0) + struct.pack(">h", 500) + b"short"),
    http=b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
)
def test_bytes_that_are_no_request_close_the_connection(exchange: Exchange, frame: bytes) -> None:
    """After bytes that are not a request the broker closes their connection, and no other."""
    exchange.expect_closed_on("bytes that are no request", frame)

    assert exchange.quietly(asked(), 3).error_code == ErrorCode.NONE


def test_bytes_after_a_request_are_passed_over(exchange: Exchange) -> None:
    """Extra bytes after a request in its frame are ignored."""
    frame = framed(header(ApiKey.API_VERSIONS, 0) + b"extra")
    answer = exchange.ask_frame("ApiVersions v0 with five bytes behind it", frame, ApiKey.API_VERSIONS, 0)

    assert answer.error_code == ErrorCode.NONE
