"""A worker's end of a stream: samples go to Redis, or into memory that consumers here share."""

from __future__ import annotations

import os
import secrets
from collections.abc import Sequence
from pathlib import Path

from farm.errors import Interrupted, StaleAttempt, StorageError
from farm.feeding.asking import IN_MEMORY, IN_REDIS, PREFIX
from farm.feeding.book import StreamBook


class Sink:
    """Takes samples; many threads may use it."""

    def __init__(self, book: StreamBook, folder: Path | None = None) -> None:
        """Take samples for consumers.

        Args:
            book: Where they are kept, or noted.
            folder: A folder in memory, where all consumers run on this machine.
        """
        self.book = book
        self.folder = folder

    def has(self, job_id: str, number: int) -> bool:
        """Say whether the sample of a view is there, or was acknowledged."""
        return self.book.has(job_id, number)

    def put(
        self, job_id: str, number: int, message: Sequence[bytes | bytearray | memoryview]
    ) -> None:
        """Keep the sample of a view; a sample that is there stays.

        Raises:
            StaleAttempt: The stream is over.
            Interrupted: There is no room until consumers have acknowledged more.
            StorageError: There is no memory.
        """
        size = sum(len(part) for part in message)
        if self.folder is None:
            state = self._push(
                job_id, number, b"".join([IN_REDIS.ljust(PREFIX, b"\0"), *message]), size
            )
        else:
            file = self._write(self.folder, f"{job_id}.{number}", message)
            state = self._push(job_id, number, IN_MEMORY + file.name.encode(), size)
            if state != "kept":
                file.unlink(missing_ok=True)
        if state == "over":
            raise StaleAttempt(f"stream {job_id} is over")
        if state == "full":
            raise Interrupted(
                f"the samples of all streams take what they may ({self.book.bound_bytes:,} bytes)"
            )

    def _push(self, job_id: str, number: int, data: bytes, size: int) -> str:
        return self.book.push(job_id, number, data, size_bytes=size)

    @staticmethod
    def _write(folder: Path, name: str, message: Sequence[bytes | bytearray | memoryview]) -> Path:
        file = folder / f"{name}.{secrets.token_hex(4)}"
        try:
            with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
                for part in message:
                    out.write(part)
        except OSError as error:
            file.unlink(missing_ok=True)
            raise StorageError(
                f"{folder}: a sample cannot be kept there: {error.strerror}; make room in that "
                "memory (docker run --shm-size), or ask for a shorter queue"
            ) from error
        return file


def open_sink(redis_url: str, *, bound_bytes: int, folder: Path | None) -> Sink:
    """Return a worker's end of all streams."""
    return Sink(StreamBook(redis_url, bound_bytes=bound_bytes), folder)
