"""A short fuzz against the reference: it lives, no handler fails, and another client does not notice."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import pytest

from bench import frames, fuzz
from harness.targets.local_cluster import LocalCluster
from harness.targets.reference import ReferenceTarget
from harness.targets.target import ClusterSpec
from reference_broker.wire.framing import decode_request
from reference_broker.wire.primitives import Uuid

SEED = 20_261_124


@pytest.fixture
def cluster() -> Iterator[LocalCluster]:
    opened = ReferenceTarget().open(ClusterSpec(config=fuzz.SETTINGS))
    yield opened
    opened.close()


def test_a_running_broker_survives_mutated_frames(cluster: LocalCluster) -> None:
    assert fuzz.run(cluster, total=4000, seed=SEED).answers > 100


def test_the_codec_reads_or_refuses_mutated_frames() -> None:
    assert fuzz.run(None, total=20_000, seed=SEED).frames == 20_000


def test_every_frame_that_is_mutated_was_valid() -> None:
    made = frames.Seeds(Uuid(bytes(15) + b"\1"), Random(SEED)).frames()
    assert all(decode_request(frame).client_id == "fuzz" for frame in made)


def test_a_seed_gives_the_same_frames_again() -> None:
    once, again = (frames.Seeds(Uuid(bytes(16)), Random(7)).frames() for _ in range(2))
    assert once == again
