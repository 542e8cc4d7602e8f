"""Files to the farm's library: only missing ones, in pieces, resumed where a connection broke."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from farm.client.connection import Connection, TemporaryError
from farm.client.transfer import Stop, run_each
from farm.errors import RequestRefusedError, TransferError
from farm.spec.wire import Hashes, UploadInfo

CHUNK_BYTES = 32 << 20
"""Most bytes of one request; a proxy before the farm may limit bodies."""
PIECE_BYTES = 1 << 18
HASHES_AT_ONCE = 10_000
THREADS = 4

Sent = Callable[[int], None]
"""Takes the number of bytes that have just arrived, or that were there already."""


def missing(connection: Connection, sha256s: list[str]) -> list[str]:
    """Return which of these files the farm lacks."""
    found: list[str] = []
    for start in range(0, len(sha256s), HASHES_AT_ONCE):
        asked = Hashes(sha256s=tuple(sha256s[start : start + HASHES_AT_ONCE]))
        answer = connection.ask(
            Hashes, "POST", "/v1/assets/missing", json=asked.model_dump(mode="json")
        )
        found += answer.sha256s
    return found


def upload_all(connection: Connection, files: Mapping[str, Path], *, sent: Sent) -> None:
    """Upload files, by hash, to the farm.

    Raises:
        TransferError: One of them changed on the way.
        FarmError: The farm refuses, or is away for too long.
    """
    stop = Stop()
    run_each(
        lambda item: upload(connection, item[0], item[1], sent=sent, stop=stop),
        files.items(),
        threads=THREADS,
        stop=stop,
    )


def upload(
    connection: Connection, sha256: str, path: Path, *, sent: Sent, stop: Stop | None = None
) -> None:
    """Upload one file; the part that has arrived already is not sent again."""
    stop = stop or Stop()
    sender = _Sender(connection, sha256, path, stop)
    arrived = 0
    while True:
        stop.check()
        info = connection.patiently(sender.step, stop=stop)
        sent(info.received_bytes - arrived)
        arrived = info.received_bytes
        if info.complete:
            return


class _Sender:
    """Sends one piece after another; after a failure it first asks how much has arrived."""

    def __init__(self, connection: Connection, sha256: str, path: Path, stop: Stop) -> None:
        self.connection = connection
        self.url = f"/v1/assets/{sha256}/upload"
        self.path = path
        self.stop = stop
        self.size_bytes = _size(path)
        self.known: UploadInfo | None = None

    def step(self) -> UploadInfo:
        """Send the next piece, once."""
        info, self.known = self.known, None
        if info is None:
            info = self.connection.ask_once(UploadInfo, "GET", self.url)
        if not info.complete:
            info = self._send(info.received_bytes)
        self.known = info
        return info

    def _send(self, offset: int) -> UploadInfo:
        if offset > self.size_bytes:
            raise self._changed()
        headers = {"Upload-Offset": str(offset), "Upload-Length": str(self.size_bytes)}
        length = min(CHUNK_BYTES, self.size_bytes - offset)
        headers |= {"Content-Type": "application/octet-stream", "Content-Length": str(length)}
        try:
            info = self.connection.ask_once(
                UploadInfo, "PATCH", self.url, headers=headers, content=self._read(offset, length)
            )
        except RequestRefusedError as error:
            if error.status == 409:  # somebody else sends the same file, or an answer was lost
                raise TemporaryError(error) from error
            if error.status == 422:
                raise TransferError(f"{self.path}: {error}") from error
            raise
        if not info.complete and info.received_bytes <= offset:
            raise TransferError(f"{self.path}: the server does not take any of it; is that a farm?")
        return info

    def _read(self, offset: int, length: int) -> Iterator[bytes]:
        """Yield the bytes of one request; a file that has changed ends the upload."""
        if _size(self.path) != self.size_bytes:
            raise self._changed()
        try:
            with self.path.open("rb") as file:
                file.seek(offset)
                while length:
                    self.stop.check()
                    piece = file.read(min(PIECE_BYTES, length))
                    if not piece:
                        raise self._changed()
                    length -= len(piece)
                    yield piece
        except OSError as error:
            raise TransferError(f"{self.path}: cannot be read: {error.strerror}") from error

    def _changed(self) -> TransferError:
        return TransferError(f"{self.path} changed while it was uploaded; submit it again")


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError as error:
        raise TransferError(f"{path}: cannot be read: {error.strerror}") from error
