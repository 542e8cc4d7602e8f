"""A shard that is being made, whatever its kind."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from farm.spec.record import ViewRecord


class Packed(NamedTuple):
    """A whole shard."""

    data: bytes
    records: list[ViewRecord]
    """Of its views, each with the keys by which its files are read."""


class ShardMaker(Protocol):
    """A shard that is being made, in memory."""

    key: str
    """Relative to the dataset."""

    @property
    def size_bytes(self) -> int:
        """Bytes so far, about."""

    def add(self, name: str, data: bytes) -> str:
        """Add a file of a view; return its key, which may change until the shard is whole.

        Raises:
            RenderError: A shard of this kind cannot hold it.
        """

    def add_view(self, record: ViewRecord) -> None:
        """Add the view whose files were added."""

    def finish(self) -> Packed:
        """Return the shard; nothing can be added afterwards.

        Raises:
            RenderError: It cannot be made as records would tell.
        """
