"""Files to the farm's library: only what it lacks, in pieces, going on where a connection broke."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from farm.client.connection import Connection, TemporaryError
from farm.client.transfer import Stop, run_each
from farm.errors import RefusedError, TransferError
from farm.spec.wire import Hashes, UploadInfo

CHUNK_BYTES = 8 << 20
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
    """Bring files, by hash, to the farm.

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
    """Bring one file to the farm; what of it is there already is not sent again."""
    sender = _Sender(connection, sha256, path)
    arrived = 0
    while True:
        if stop:
            stop.check()
        info = connection.patiently(sender.step)
        sent(info.received_bytes - arrived)
        arrived = info.received_bytes
        if info.complete:
            return


class _Sender:
    """Sends one piece after another; after a failure it asks first how far the farm has come."""

    def __init__(self, connection: Connection, sha256: str, path: Path) -> None:
        self.connection = connection
        self.url = f"/v1/assets/{sha256}/upload"
        self.path = path
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
        headers = {"Upload-Offset": str(offset), "Upload-Length": str(self.size_bytes)}
        headers["Content-Type"] = "application/offset+octet-stream"
        piece = self._read(offset)
        try:
            return self.connection.ask_once(
                UploadInfo, "PATCH", self.url, headers=headers, content=piece
            )
        except RefusedError as error:
            if error.status == 409:  # somebody else sends the same file, or an answer was lost
                raise TemporaryError(error) from error
            if error.status == 422:
                raise TransferError(f"{self.path}: {error}") from error
            raise

    def _read(self, offset: int) -> bytes:
        try:
            with self.path.open("rb") as file:
                file.seek(offset)
                piece = file.read(CHUNK_BYTES)
        except OSError as error:
            raise TransferError(f"{self.path}: cannot be read: {error.strerror}") from error
        if (not piece and self.size_bytes > offset) or _size(self.path) != self.size_bytes:
            raise TransferError(f"{self.path} changed while it was uploaded; submit it again")
        return piece


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError as error:
        raise TransferError(f"{path}: cannot be read: {error.strerror}") from error
