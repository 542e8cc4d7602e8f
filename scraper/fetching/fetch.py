"""One file from the web, in as many pieces as it takes."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from scraper.errors import ExpiredError, ItemError
from scraper.fetching.http_client import PoliteClient, bare
from scraper.listing import write_whole

MAX_PIECES = 20
MAX_IDLE = 3
"""Pieces in a row that may bring nothing before a file is given up."""
MAX_LINKS = 4


@dataclass(frozen=True)
class Wanted:
    """A file as its source describes it."""

    name: str
    """What messages call it."""
    identity: str
    """What tells it from other versions: a partial file of another identity is thrown away."""
    size_bytes: int | None = None
    md5: str | None = None
    limit_bytes: int | None = None
    """More than this is not taken, whatever the server says."""


def fetch(
    client: PoliteClient,
    link: Callable[[], str],
    part: Path,
    wanted: Wanted,
    report: Callable[[int], None],
) -> None:
    """Bring a file to `part`, resuming from what is there, and check its size and MD5.

    Args:
        client: Sends the requests.
        link: Gives an address that is good now; asked again when one is not good any more.
        part: The partial file; it stays when anything goes wrong that another try may mend.
        wanted: What the file must be.
        report: Takes the bytes that are there, now and then.

    Raises:
        ItemError: The file is not to be had, or is not what it should be.
    """
    for _ in range(2):  # bytes may be turned on the way once
        _bring(client, link, part, wanted, report)
        md5 = hash_md5(part) if wanted.md5 else None
        if md5 is None or wanted.md5 is None or md5 == wanted.md5.lower():
            return
        discard(part)
    raise ItemError(f"{wanted.name}: its MD5 is {md5}, not {wanted.md5}")


def discard(part: Path) -> None:
    """Remove a partial file and what is known of it."""
    part.unlink(missing_ok=True)
    _state_of(part).unlink(missing_ok=True)


def _bring(
    client: PoliteClient,
    link: Callable[[], str],
    part: Path,
    wanted: Wanted,
    report: Callable[[int], None],
) -> None:
    _prepare(part, wanted)
    pieces, idle, links = 0, 0, 1
    url = link()
    while True:
        before = _size(part)
        try:
            if _piece(client, url, part, wanted, report):
                break
            trouble = "the connection breaks off"
        except ExpiredError as error:
            if links >= MAX_LINKS:
                raise ItemError(f"{wanted.name}: {error}") from None
            links += 1
            url, trouble = link(), str(error)
        except httpx.TransportError as error:
            trouble = " ".join(str(error).split()) or type(error).__name__
        pieces += 1
        idle = 0 if _size(part) > before else idle + 1
        if idle >= MAX_IDLE or pieces >= MAX_PIECES:
            raise ItemError(f"{wanted.name}: {trouble} again and again; try again later")
        client.pause(2.0**idle)


def _piece(
    client: PoliteClient,
    url: str,
    part: Path,
    wanted: Wanted,
    report: Callable[[int], None],
) -> bool:
    """Ask for what is missing and write what comes; say whether the file is whole."""
    start = _size(part)
    if wanted.size_bytes is not None and start >= wanted.size_bytes > 0:
        if start == wanted.size_bytes:
            return True
        start = _cut(part, 0)
    headers = {"Accept-Encoding": "identity"}  # else sizes and ranges mean something else
    etag = _state(part).get("etag")
    if start:
        headers["Range"] = f"bytes={start}-"
        if etag:
            headers["If-Range"] = etag
    with client.open(url, headers=headers) as response:
        if response.status_code == 416:  # nothing is left, or the file has changed
            return _content_range(response)[1] == start or bool(_cut(part, 0))
        _accept(response, wanted)
        begins, total = _content_range(response)
        if response.status_code == 200 or begins != start:
            start = _cut(part, 0)
            if response.status_code == 206 and begins != 0:
                return False
        _compare(total, wanted)
        _remember(part, wanted, etag=response.headers.get("ETag"))
        _write(response, part, wanted, report)
    size = _size(part)
    return size == (total if total is not None else wanted.size_bytes or size)


def _accept(response: httpx.Response, wanted: Wanted) -> None:
    """Make sure that an answer is (a part of) a file."""
    status, kind = response.status_code, response.headers.get("Content-Type", "")
    where = bare(str(response.url))
    if status in (401, 403, 404, 410):
        raise ExpiredError(f"{where} answers {status}")
    if status not in (200, 206):
        raise ItemError(f"{wanted.name}: {where} answers {status}")
    if kind.startswith(("text/html", "application/json")):
        raise ItemError(f"{wanted.name}: {where} sends {kind.split(';')[0]}, not the file")
    if response.headers.get("Content-Encoding", "identity") != "identity":
        raise ItemError(f"{wanted.name}: {where} sends it compressed, although asked not to")


def _content_range(response: httpx.Response) -> tuple[int, int | None]:
    """Return where the body begins and how large the whole file is, if that is said."""
    match = re.fullmatch(
        r"bytes (?:(\d+)-\d+|\*)/(?:(\d+)|\*)", response.headers.get("Content-Range", "")
    )
    if match:
        return int(match[1] or 0), int(match[2]) if match[2] else None
    length = response.headers.get("Content-Length", "")
    return 0, int(length) if length.isdecimal() and response.status_code == 200 else None


def _compare(total: int | None, wanted: Wanted) -> None:
    if total is None:
        return
    if wanted.size_bytes is not None and total != wanted.size_bytes:
        raise ItemError(
            f"{wanted.name}: has {total} bytes, not {wanted.size_bytes}; scrape it again"
        )
    if wanted.limit_bytes is not None and total > wanted.limit_bytes:
        raise ItemError(f"{wanted.name}: has {total} bytes, more than you allow")


def _write(
    response: httpx.Response, part: Path, wanted: Wanted, report: Callable[[int], None]
) -> None:
    most = wanted.size_bytes if wanted.size_bytes is not None else wanted.limit_bytes
    with part.open("ab") as file:
        size = file.tell()
        try:
            for chunk in response.iter_raw():  # as they come: nothing waits for a full chunk
                size += len(chunk)
                if most is not None and size > most:
                    file.truncate(0)
                    raise ItemError(f"{wanted.name}: is larger than {most} bytes")
                file.write(chunk)
                report(size)
        finally:
            file.flush()
            os.fsync(file.fileno())


def hash_md5(part: Path) -> str:
    """Return the MD5 (hex) of a file's bytes, as sites publish it."""
    with part.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def _prepare(part: Path, wanted: Wanted) -> None:
    part.parent.mkdir(parents=True, exist_ok=True)
    if _state(part).get("identity") != wanted.identity:
        discard(part)
    _remember(part, wanted, etag=_state(part).get("etag"))


def _state_of(part: Path) -> Path:
    return part.with_name(f"{part.name}.state")


def _state(part: Path) -> dict[str, Any]:
    try:
        state = json.loads(_state_of(part).read_bytes())
    except (OSError, ValueError):
        return {}
    return state if isinstance(state, dict) else {}


def _remember(part: Path, wanted: Wanted, *, etag: str | None) -> None:
    strong = etag if etag and not etag.startswith("W/") else None
    state = {"identity": wanted.identity, "etag": strong}
    if state != _state(part):
        write_whole(_state_of(part), json.dumps(state).encode())


def _size(part: Path) -> int:
    try:
        return part.stat().st_size
    except FileNotFoundError:
        return 0


def _cut(part: Path, size: int) -> int:
    if part.exists():
        os.truncate(part, size)
    return size
