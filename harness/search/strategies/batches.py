"""Strategies for record batches, valid and damaged, and for their bytes."""

from __future__ import annotations

from typing import Final

from hypothesis import strategies as st

from harness.search.lockstep.actions import WrittenBatch
from harness.search.lockstep.bytes import DAMAGES, bytes_of
from reference_broker.wire.compression import Compression

VALUES: Final = st.lists(st.sampled_from(("a", "", "x" * 250)) | st.none(), min_size=1, max_size=5).map(tuple)
TIMES: Final = st.sampled_from((-1, 0, 1, 1_700_000_000_000, 4_000_000_000_000))


def batches(damages: st.SearchStrategy[str] = st.just("")) -> st.SearchStrategy[WrittenBatch]:  # noqa: B008
    """Record batches; `damages` draws the damage to their bytes, "" for none."""
    return st.builds(
        WrittenBatch,
        values=VALUES,
        key=st.none() | st.just("k"),
        timestamp=TIMES,
        base_offset=st.sampled_from((0, 0, 5)),
        producer_id=st.sampled_from((-1, 7)),
        producer_epoch=st.sampled_from((-1, 0, 1)),
        base_sequence=st.sampled_from((-1, 0, 3, 2**31 - 1)),
        compression=st.sampled_from(list(Compression)),
        log_append_time=st.booleans(),
        is_transactional=st.booleans(),
        is_control=st.booleans(),
        damage=damages,
    )


DAMAGED: Final = batches(st.sampled_from([name for name in DAMAGES if name]))
"""Batches with damaged bytes."""


def batch_bytes(chosen: st.SearchStrategy[WrittenBatch]) -> st.SearchStrategy[bytes]:
    """The encoded bytes of batches."""
    return chosen.map(lambda batch: bytes_of(batch, batch.producer_id if isinstance(batch.producer_id, int) else 7))
