"""A worker's end of a stream: samples go to Redis, or into memory that consumers here share."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from farm.errors import Interrupted, StaleAttempt, StorageError, StreamError
from farm.feeding.asking import IN_MEMORY, IN_REDIS, PREFIX
from farm.feeding.book import StreamBook
from farm.stream.memory import SampleWriter


class Sink:
    """Takes samples; many threads may use it."""

    def __init__(self, book: StreamBook, folder: Path | None = None) -> None:
        """Take samples for consumers.

        Args:
            book: Where they are kept, or noted.
            folder: A folder in memory, where all consumers run on this machine.
        """
        self.book = book
        self.memory = None if folder is None else SampleWriter(folder)

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
        if self.memory is None:
            state = self._push(
                job_id, number, b"".join([IN_REDIS.ljust(PREFIX, b"\0"), *message]), size
            )
        else:
            file = self._write(self.memory, f"{job_id}.{number}", message)
            state = self._push(job_id, number, IN_MEMORY + file.encode(), size)
            if state != "kept":
                self.memory.remove(file)
        if state == "over":
            raise StaleAttempt(f"stream {job_id} is over")
        if state == "full":
            raise Interrupted(
                f"the samples of all streams take what they may ({self.book.bound_bytes:,} bytes)"
            )

    def _push(self, job_id: str, number: int, data: bytes, size: int) -> str:
        return self.book.push(job_id, number, data, size_bytes=size)

    @staticmethod
    def _write(
        memory: SampleWriter, name: str, message: Sequence[bytes | bytearray | memoryview]
    ) -> str:
        try:
            return memory.put(name, message)
        except StreamError as error:
            raise StorageError(str(error)) from error


def open_sink(redis_url: str, *, bound_bytes: int, folder: Path | None) -> Sink:
    """Return a worker's end of all streams."""
    return Sink(StreamBook(redis_url, bound_bytes=bound_bytes), folder)
