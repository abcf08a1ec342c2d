"""What the garbage collector of a node looks at again, and when."""

from __future__ import annotations

from typing import Any

from reference_broker.server.garbage import AT_LEAST, OLDEST, SetAside


class CountedObjects:
    """A collector (Collector) over numbers of objects instead of objects."""

    def __init__(self) -> None:
        self.callbacks: list[Any] = []
        self.in_sight = self.set_aside = 0

    def freeze(self) -> None:
        self.set_aside += self.in_sight
        self.in_sight = 0

    def unfreeze(self) -> None:
        self.in_sight += self.set_aside
        self.set_aside = 0

    def get_freeze_count(self) -> int:
        return self.set_aside

    def get_objects(self, generation: int | None = None) -> list[Any]:
        assert generation == OLDEST
        return [None] * self.in_sight

    def collect(self, came: int, *, garbage: int = 0) -> int:
        """A full collection after so many objects came, which frees at most so many; how many it looked at."""
        self.in_sight += came
        looked_at = self.in_sight
        self.in_sight -= min(garbage, looked_at)
        for callback in self.callbacks:
            callback("stop", {"generation": OLDEST})
        return looked_at


def test_a_collection_looks_at_what_came_since_the_last_one() -> None:
    objects = CountedObjects()
    objects.in_sight = 500_000
    SetAside(objects).begin()

    assert [objects.collect(1_000) for _ in range(3)] == [1_000] * 3


def test_everything_is_looked_at_again_once_it_has_doubled() -> None:
    objects = CountedObjects()
    objects.in_sight = 500_000
    SetAside(objects).begin()

    looked_at = [objects.collect(100_000, garbage=0) for _ in range(8)]

    assert looked_at == [100_000] * 6 + [1_200_000, 100_000]


def test_what_was_freed_meanwhile_does_not_count() -> None:
    objects = CountedObjects()
    objects.in_sight = 500_000
    SetAside(objects).begin()

    for _ in range(20):
        assert objects.collect(100_000) == 100_000
        objects.set_aside -= 100_000  # by their reference counts


def test_a_small_node_does_not_look_at_everything_all_the_time() -> None:
    objects = CountedObjects()
    SetAside(objects).begin()

    assert [objects.collect(AT_LEAST // 4) for _ in range(4)] == [AT_LEAST // 4] * 4
