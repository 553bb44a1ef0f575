"""How parts come into the Ray Data job of `ray_engine`, one by one, while it runs.

This is a file of its own because the processes that have it import nothing large.
"""

import asyncio
from collections.abc import Iterator
from itertools import count
from typing import Any

import pyarrow as pa
import ray
from ray.data import Datasource
from ray.data.block import BlockMetadata
from ray.data.datasource import ReadTask


class Feed:
    """An actor that has the parts under way, by their place in the stream."""

    def __init__(self) -> None:
        self.parts: dict[int, bytes] = {}
        self.done = 0
        self.end: int | None = None
        self.changed = asyncio.Condition()

    async def add(self, place: int, data: bytes | None, done: int) -> None:
        """Take a part, or None where the stream ends; those before `done` have come back and are forgotten."""
        async with self.changed:
            for old in range(self.done, done):
                del self.parts[old]
            self.done = done
            if data is not None:
                self.parts[place] = data
            elif self.end is None:
                self.end = place
            self.changed.notify_all()

    async def take(self, place: int) -> bytes | None:
        """The part at a place when it is there, nothing if it has come back, None at the end."""
        async with self.changed:
            await self.changed.wait_for(lambda: place < self.done or place in self.parts or place == self.end)
        return b"" if place < self.done else self.parts.get(place)


class Parts(Datasource):
    """What the feed gives: a row and block for each part."""

    def __init__(self, feed: Any) -> None:
        super().__init__()
        self.feed = feed

    def get_read_tasks(self, parallelism: int, *limits: Any, **options: Any) -> list[ReadTask]:
        """One task, however many are wanted: it does nothing but ask the feed."""
        feed = self.feed
        return [ReadTask(lambda: _blocks(feed), BlockMetadata(None, None, None, None))]

    def estimate_inmemory_data_size(self) -> int | None:
        """Unknown."""
        return None


def _blocks(feed: Any) -> Iterator[pa.Table]:
    for place in count():
        data: Any = ray.get(feed.take.remote(place))
        if data is None:
            return
        yield row(place, data)


def row(place: int, data: bytes) -> pa.Table:
    """A part or its labels as a block of one row."""
    return pa.table({"place": pa.array([place], pa.int64()), "data": pa.array([data], pa.binary())})
