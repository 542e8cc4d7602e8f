"""Storage in a bucket that speaks S3. Imported only where a bucket is asked for."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from s3fs import S3FileSystem

from farm.errors import SetupError, StorageError
from farm.storage.base import PARTIAL_PREFIX, Entry, inside
from farm.storage.shards import member_of

READ_BYTES = 8 << 20
DELETED_AT_ONCE = 1000
ENDPOINTS = ("FARM_S3_ENDPOINT", "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")


class BucketStorage:
    """Storage under `s3://bucket/prefix`. A put object is whole or not there: S3's own promise.

    Each process that uses it has connections of its own: it may be forked, and sent to others.
    """

    def __init__(self, place: str) -> None:
        self.bucket, _, self.prefix = place.removeprefix("s3://").strip("/").partition("/")
        self.place = "/".join(part for part in ("s3:/", self.bucket, self.prefix) if part)
        if not self.bucket:
            raise SetupError(f"{place}: names no bucket; give s3://bucket/prefix")
        self._opened: tuple[int, Any] = (os.getpid(), open_files())

    @property
    def files(self) -> Any:
        """The connections of this process."""
        if self._opened[0] != os.getpid():
            self._opened = (os.getpid(), open_files())
        return self._opened[1]

    def __reduce__(self) -> tuple[type[BucketStorage], tuple[str]]:
        return BucketStorage, (self.place,)

    def put(self, key: str, data: bytes) -> None:
        with self._telling(key, "written"):
            self.files.pipe_file(self._path(key), data)

    def put_new(self, key: str, data: bytes) -> bool:
        """Put an object where there is none; say whether there was none.

        Of servers that do not know how to refuse, this puts it in any case.
        """
        asked = {"Bucket": self.bucket, "Key": self._name(key), "Body": data}
        with self._telling(key, "written"):
            try:
                self.files.call_s3("put_object", IfNoneMatch="*", **asked)
            except FileExistsError:
                return False
            return True

    def put_file(self, key: str, path: Path) -> None:
        with self._telling(key, "written"):
            self.files.put_file(str(path), self._path(key))

    def link(self, key: str, source: str) -> None:
        with self._telling(key, "written"):
            self.files.cp_file(self._path(source), self._path(key))

    def get(self, key: str) -> bytes | None:
        if (member := member_of(key)) is not None:
            return member.get(self._part)
        with self._telling(key, "read"):
            try:
                data: bytes = self.files.cat_file(self._path(key))
            except FileNotFoundError:
                return None
            return data

    def read(self, key: str, *, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        if (member := member_of(key)) is not None:
            yield from member.pieces(self._part, start=start, length=length)
            return
        size = self.size(key)
        if size is None:
            raise StorageError(f"{self.place}/{key}: cannot be read: it does not exist")
        end = size if length is None else min(size, start + length)
        for offset in range(start, end, READ_BYTES):
            with self._telling(key, "read"):
                piece: bytes = self.files.cat_file(
                    self._path(key), start=offset, end=min(end, offset + READ_BYTES)
                )
            yield piece

    def size(self, key: str) -> int | None:
        if (member := member_of(key)) is not None:
            return member.size(self._part)
        with self._telling(key, "read"):
            try:
                head = self.files.call_s3("head_object", Bucket=self.bucket, Key=self._name(key))
            except FileNotFoundError:
                return None
            return int(head["ContentLength"])

    def local_path(self, key: str) -> Path | None:
        inside(key, self.place)
        return None

    def delete(self, key: str) -> None:
        if member_of(key) is not None:  # it goes with its shard
            return
        with self._telling(key, "removed"), contextlib.suppress(FileNotFoundError):
            self.files.call_s3("delete_object", Bucket=self.bucket, Key=self._name(key))

    def delete_tree(self, prefix: str) -> None:
        if not inside(prefix, self.place):
            raise StorageError(f"{self.place}: is a whole storage, which is never removed")
        with self._telling(prefix, "removed"):
            for names in self._pages(self._folder(prefix), ""):
                gone = {"Objects": [{"Key": item["Key"]} for item in names], "Quiet": True}
                answer = self.files.call_s3("delete_objects", Bucket=self.bucket, Delete=gone)
                for refusal in answer.get("Errors", ()):
                    raise StorageError(
                        f"{self.place}/{prefix}: cannot be removed: {refusal.get('Message')}"
                    )

    def sweep(self, prefix: str) -> int:
        inside(prefix, self.place)
        return 0  # what is put into a bucket is there whole, or not at all

    def entries(self, prefix: str, *, after: str = "") -> Iterator[Entry]:
        above = len(self._folder(""))
        with self._telling(prefix, "read"):
            for page in self._pages(
                self._folder(prefix), self._folder("") + after if after else ""
            ):
                for item in page:
                    name = item["Key"][above:]
                    if not _is_partial(name):
                        yield Entry(name, item["Size"], item["LastModified"].timestamp())

    def keys(self, prefix: str, *, after: str = "") -> Iterator[str]:
        return (entry.key for entry in self.entries(prefix, after=after))

    def _part(self, key: str, start: int, length: int) -> bytes | None:
        """Return a part of an object, or None where there is none."""
        if not length:
            return b""
        with self._telling(key, "read"):
            try:
                data: bytes = self.files.cat_file(self._path(key), start=start, end=start + length)
            except FileNotFoundError:
                return None
            except OSError as error:
                if error.errno == errno.EINVAL:  # the object ends before
                    return b""
                raise
            return data

    def _pages(self, prefix: str, after: str) -> Iterator[list[dict[str, Any]]]:
        asked = {"Bucket": self.bucket, "Prefix": prefix, "MaxKeys": DELETED_AT_ONCE}
        if after:
            asked["StartAfter"] = after
        while True:
            page = self.files.call_s3("list_objects_v2", **asked)
            if page.get("Contents"):
                yield page["Contents"]
            if not page.get("IsTruncated"):
                return
            asked["ContinuationToken"] = page["NextContinuationToken"]

    def _name(self, key: str) -> str:
        """Return the object's name within the bucket."""
        return "/".join(part for part in (self.prefix, inside(key, self.place)) if part)

    def _path(self, key: str) -> str:
        return f"{self.bucket}/{self._name(key)}"

    def _folder(self, prefix: str) -> str:
        name = self._name(prefix)
        return f"{name}/" if name else ""

    @contextlib.contextmanager
    def _telling(self, key: str, verb: str) -> Iterator[None]:
        try:
            yield
        except (OSError, BotoCoreError, ClientError) as error:
            raise StorageError(f"{self.place}/{key}: cannot be {verb}: {error}") from error


def open_files() -> Any:
    """Return connections to buckets, as the environment describes them."""
    return S3FileSystem(
        endpoint_url=next((os.environ[name] for name in ENDPOINTS if os.getenv(name)), None),
        config_kwargs={"connect_timeout": 10, "read_timeout": 60},
        use_listings_cache=False,  # others write too
        skip_instance_cache=True,
    )


def _is_partial(name: str) -> bool:
    return any(part.startswith(PARTIAL_PREFIX) for part in name.split("/"))
