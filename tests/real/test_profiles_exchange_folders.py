"""A profile of the reference and the release that it is named after format and run each other's folders."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from harness.clients.connection import RawConnection
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.messages.api_versions_request import ApiVersionsRequest
from reference_broker.wire.messages.create_topics_request import CreatableTopic, CreateTopicsRequest
from reference_broker.wire.messages.metadata_request import MetadataRequest
from reference_broker.wire.primitives import TopicName

ASKED = ApiVersionsRequest(client_software_name="test", client_software_version="1")


@pytest.mark.parametrize("profile", [pytest.param("4.0", marks=pytest.mark.long), "4.4"])
@pytest.mark.parametrize(("first", "second"), [("reference", "kafka"), ("kafka", "reference")])
def test_what_one_wrote_the_other_goes_on_with(
    new_folder: Callable[..., Any], profile: str, first: str, second: str
) -> None:
    folder = new_folder(profile)
    folder.format(first)
    folder.start(first)
    with RawConnection.to(folder.bootstrap) as connection:
        wanted = CreatableTopic(name=TopicName("kept"), num_partitions=2, replication_factor=1)
        connection.request(ApiKey.CREATE_TOPICS, 7, CreateTopicsRequest(topics=(wanted,), timeout_ms=10_000))
        before = connection.request(ApiKey.API_VERSIONS, 4, ASKED).finalized_features
    folder.end("stop")

    folder.start(second)
    with RawConnection.to(folder.bootstrap) as connection:
        after = connection.request(ApiKey.API_VERSIONS, 4, ASKED).finalized_features
        topics = {
            one.name: len(one.partitions) for one in connection.request(3, 12, MetadataRequest(topics=None)).topics
        }
    assert (set(after), topics) == (set(before), {"kept": 2})
