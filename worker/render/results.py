"""What a renderer needs of a storage."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol


class Results(Protocol):
    """Where the files, records and logs of tasks go, by key; the verbs are those of `Storage`."""

    def put(self, key: str, data: bytes) -> None: ...

    def link(self, key: str, source: str) -> None: ...

    def get(self, key: str) -> bytes | None: ...

    def size(self, key: str) -> int | None: ...

    def keys(self, prefix: str) -> Iterable[str]: ...
