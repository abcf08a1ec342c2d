"""Lets the tests of the quorum import what stands beside them; a metadata store on a disk."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from reference_broker.raft.settings import StoreSettings
from reference_broker.raft.store import MetadataStore
from reference_broker.server.disk import OsDisk

sys.path.insert(0, str(Path(__file__).parent))

NO_LIMIT = StoreSettings(retention_bytes=-1, retention_ms=-1)


@pytest.fixture
def opened(tmp_path: Path) -> Callable[..., MetadataStore]:
    """Opens the store in a folder, again and again."""

    def open_store(
        settings: StoreSettings = NO_LIMIT, folder: str = "data", on_warning: Callable[[str], None] = print
    ) -> MetadataStore:
        return MetadataStore.open(
            disk=OsDisk(),
            metadata_log_dir=str(tmp_path / folder),
            settings=settings,
            now_ms=10,
            on_warning=on_warning,
        )

    return open_store
