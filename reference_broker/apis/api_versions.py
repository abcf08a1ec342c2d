"""ApiVersions: which APIs and versions this listener serves, and the cluster's features (KIP-511, KIP-584).

**Promises** Exactly what is served, by key; the features that this release supports, and those that are finalized with
the offset at which they were read. A version that is not known is answered all the same, in version 0, so that a
newer client can go on with an older one.
**Refuses** UNSUPPORTED_VERSION: a version that is not served; the answer names this API alone. INVALID_REQUEST: client
software whose name or version has other characters than letters, digits, dots and dashes (version 3 and later).
**Versions** 3 client software, features; 4 features whose smallest level is 0; 5 (Kafka 4.4) the cluster and the node
that the client means to ask: INVALID_REQUEST for one without the other, REBOOTSTRAP_REQUIRED where this broker is not
the one (KIP-1242).
**Departs from Kafka** The missing APIs of the table in reference_broker/README.md are not advertised.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from reference_broker.apis.context import Context
from reference_broker.apis.registry import BROKER, CONTROLLER, served
from reference_broker.releases import KRAFT_VERSION, Release
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.api_versions_request import ApiVersionsRequest
from reference_broker.wire.messages.api_versions_response import (
    ApiVersion,
    ApiVersionsResponse,
    FinalizedFeatureKey,
    SupportedFeatureKey,
)
from reference_broker.wire.refusal import KafkaError

API: Final = ApiKey.API_VERSIONS
VERSIONS: Final = range(6)
LISTENERS: Final = ("broker", "controller")
MEANT_NODE_SINCE: Final = 5
_SOFTWARE: Final = re.compile(r"[a-zA-Z0-9](?:[a-zA-Z0-9\-.]*[a-zA-Z0-9])?")


def handle(request: ApiVersionsRequest, ctx: Context) -> ApiVersionsResponse:
    """The tables of this listener's kind."""
    version = ctx.api_version
    if version >= 3:
        for what in (request.client_software_name, request.client_software_version):
            if not _SOFTWARE.fullmatch(what):
                raise KafkaError(ErrorCode.INVALID_REQUEST, f"{what!r} is no name or version of client software")
    image, kind = ctx.image, kind_of(ctx)
    if version >= MEANT_NODE_SINCE:
        _check_meant(request, ctx, kind)
    supported = ctx.release.supported_features().items()
    finalized, kraft_version = dict(image.features), ctx.parts.quorum.kraft_version
    if kraft_version > 0:
        finalized[KRAFT_VERSION] = kraft_version
    return ApiVersionsResponse(
        api_keys=rows(kind, ctx.release),
        supported_features=tuple(
            SupportedFeatureKey(name=name, min_version=low, max_version=high)
            for name, (low, high) in supported
            if low > 0 or version >= 4
        ),
        finalized_features_epoch=image.offset,
        finalized_features=tuple(
            FinalizedFeatureKey(name=name, max_version_level=level, min_version_level=level)
            for name, level in sorted(finalized.items())
        ),
    )


def _check_meant(request: ApiVersionsRequest, ctx: Context, kind: str) -> None:
    """A client that came to another node than it meant must look for its cluster anew."""
    if (request.cluster_id is None) != (request.node_id == -1):
        raise KafkaError(ErrorCode.INVALID_REQUEST, "a cluster id without a node id, or the other way round")
    meant, own = (request.cluster_id, request.node_id), (ctx.image.cluster_id, ctx.node_id)
    if kind == BROKER and request.cluster_id is not None and meant != own:
        raise KafkaError(ErrorCode.REBOOTSTRAP_REQUIRED, f"{meant} was meant, this is {own}")


def kind_of(ctx: Context) -> str:
    """The kind of the listener that a request came in on."""
    return CONTROLLER if ctx.listener in ctx.config.controller_listeners else BROKER


@lru_cache(maxsize=32)
def rows(kind: str, release: Release) -> tuple[ApiVersion, ...]:
    """What a kind of listener serves."""
    return tuple(
        ApiVersion(api_key=key, min_version=one.versions[0], max_version=one.versions[-1])
        for key, one in served(kind, release).items()
    )


def unsupported(release: Release) -> ApiVersionsResponse:
    """The answer, in version 0, to a version of this API that is not known."""
    versions = release.advertised(BROKER)[API]
    row = ApiVersion(api_key=API, min_version=versions[0], max_version=versions[-1])
    return ApiVersionsResponse(error_code=ErrorCode.UNSUPPORTED_VERSION, api_keys=(row,))
