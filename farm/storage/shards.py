"""Files inside shards, by keys that say where: `shards/vase-0000.tar/1536/vase_000.rgb.png`.

The number is where the file's bytes begin; what is just before them says how many they are. So one
is read without a list of the others, and by a range of an object in a bucket.

- A tar file (POSIX.1-2001, pax, as `tar` and Python's `tarfile` write it) has a header there.
- A Parquet file has the length there, in 4 bytes, where values are neither compressed nor encoded:
  [PLAIN](https://parquet.apache.org/docs/file-format/data-pages/encodings/).
"""

from __future__ import annotations

import io
import re
import tarfile
from collections.abc import Callable, Iterator
from typing import NamedTuple

from farm.errors import StorageError

BLOCK_BYTES = tarfile.BLOCKSIZE
NAME_BYTES = 100
"""Of a name that a header itself holds; a longer one stands in a header of its own."""
SHARDS_FOLDER = "shards"
"""Inside a dataset."""
PARQUET = ".parquet"
LENGTH_BYTES = 4
KEY = re.compile(r"(?P<shard>.+\.(tar|parquet))/(?P<offset>[0-9]{1,18})/(?P<name>[^/]+)")

Read = Callable[[str, int, int], bytes | None]
"""Returns so many bytes of a key from a place on, fewer at its end, or None where nothing is."""


class Member(NamedTuple):
    """A file inside a shard."""

    shard: str
    """Its key."""
    offset: int
    """Where its bytes begin."""
    name: str

    def size(self, read: Read) -> int | None:
        """Return how many bytes it has, or None where the shard has no such file there.

        A Parquet file does not say what a value is called: any place that may be one is believed.
        """
        return self._length(read) if self.shard.endswith(PARQUET) else self._size(read)

    def _length(self, read: Read) -> int | None:
        """Return the length before a value of a Parquet file."""
        if self.offset < LENGTH_BYTES:
            return None
        length = read(self.shard, self.offset - LENGTH_BYTES, LENGTH_BYTES) or b""
        return int.from_bytes(length, "little") if len(length) == LENGTH_BYTES else None

    def _size(self, read: Read) -> int | None:
        """Return the size in the header of a member of a tar file."""
        if self.offset < BLOCK_BYTES:
            return None
        header = read(self.shard, self.offset - BLOCK_BYTES, BLOCK_BYTES)
        try:
            info = tarfile.TarInfo.frombuf(header or b"", "utf-8", "surrogateescape")
        except tarfile.HeaderError:
            return None
        is_short = self.name.isascii() and len(self.name) <= NAME_BYTES
        return info.size if info.isreg() and (not is_short or info.name == self.name) else None

    def get(self, read: Read) -> bytes | None:
        """Return its bytes, or None where the shard has no such file there, or is cut off."""
        size = self.size(read)
        data = None if size is None else read(self.shard, self.offset, size)
        return data if data is not None and len(data) == size else None

    def pieces(self, read: Read, *, start: int, length: int | None) -> Iterator[bytes]:
        """Yield a part of its bytes, as `Storage.read` does.

        Raises:
            StorageError: The shard has no such file there.
        """
        data = self.get(read)
        if data is None:
            raise StorageError(f"{self.shard}: has no file {self.name} at byte {self.offset}")
        yield data[start : None if length is None else start + length]


def member_of(key: str) -> Member | None:
    """Return the file inside a shard that a key means; None if it is a file of its own."""
    found = KEY.fullmatch(key) if ".tar/" in key or ".parquet/" in key else None
    if found is None:
        return None
    return Member(found["shard"], int(found["offset"]), found["name"])


def file_of(key: str) -> str:
    """Return the key of the file that holds what is under `key`: the shard, or itself."""
    member = member_of(key)
    return key if member is None else member.shard


def name_of(key: str) -> str:
    """Return what a file is called in every shard that may have it; of others the key itself."""
    member = member_of(key)
    return key if member is None else member.name


def key_in(shard: str, offset: int, name: str) -> str:
    """Return the key of a file that begins at a byte of a shard."""
    return f"{shard}/{offset}/{name}"


def sample_key(name: str) -> str:
    """Return what the files of a view are called in a shard, before the name of their pass: readers
    of WebDataset end it at the first dot, so it has none.
    """
    return name.replace("%", "%25").replace(".", "%2E")


class TarShard:
    """A tar file that is being made, in memory."""

    def __init__(self, key: str) -> None:
        self.key = key
        """Relative to the dataset."""
        self._bytes = io.BytesIO()
        self._tar = tarfile.open(fileobj=self._bytes, mode="w", format=tarfile.PAX_FORMAT)  # noqa: SIM115

    @property
    def size_bytes(self) -> int:
        """Bytes so far."""
        return self._tar.offset

    def add(self, name: str, data: bytes) -> str:
        """Add a file; return the key by which it is read."""
        info = tarfile.TarInfo(name)
        info.size = len(data)
        info.uname = info.gname = "farm"
        self._tar.addfile(info, io.BytesIO(data))
        padded = -(-len(data) // BLOCK_BYTES) * BLOCK_BYTES
        return key_in(self.key, self._tar.offset - padded, name)

    def finish(self) -> bytes:
        """Return the whole shard; nothing can be added afterwards."""
        self._tar.close()
        return self._bytes.getvalue()
