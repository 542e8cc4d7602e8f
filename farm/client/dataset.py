"""A job's datasets read straight from the farm: only what is read is downloaded."""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable, Iterator
from itertools import groupby
from pathlib import Path
from typing import NoReturn, TypeVar
from urllib.parse import quote

import httpx

from farm.client.client import Client
from farm.client.connection import Connection
from farm.client.home import Home, Login, find_login
from farm.client.text import printable
from farm.dataset.reader import Dataset, DatasetError
from farm.dataset.records.snapshot import Snapshot
from farm.dataset.split_lists import read_split
from farm.errors import FarmError, NotFoundError, RequestRefusedError, SetupError, StorageError
from farm.spec.wire import ViewLine
from farm.storage.base import Entry

T = TypeVar("T")

SCHEME = "farm:"
ROUTE = "/v1/datasets/"
PIECE_BYTES = 8 << 20
OPENING_S = 10.0
"""Longest wait for a farm that is away when a dataset is opened."""
READING_S = 120.0
"""Longest wait when a file of it is read, for example in the middle of training."""
RAW = {"Accept-Encoding": "identity"}
"""Header that keeps the server from compressing: pictures do not shrink, and ranges count bytes."""


def open_farm(place: str, *, split: str | None = None, home: Home | None = None) -> Dataset:
    """Open the datasets of a job, with the views rendered so far.

    Args:
        place: `farm:JOB`, or `https://farm.example/v1/datasets/JOB`. The job is its id,
            the beginning of its id, its name, or `last`; the token is that of `farm login`.
        split: Only the views of this split.
        home: Where the login is kept.

    Raises:
        SetupError: The address is not that of a dataset.
        DatasetError: No view is finished yet.
        FarmError: There is no login, the job does not exist, or the farm is away.
    """
    url, job = address(place)
    login = find_login(home or Home.of_user(), url=url)
    with Client(login.url, login.token, home=home, patience_s=OPENING_S) as client:
        job_id = client.job(job).job_id
    storage = FarmStorage(login, job_id)
    records, datasets = storage.records()
    if not datasets:
        raise DatasetError(
            f"{storage.place}: no view is finished yet; follow it with farm watch {job_id}"
        )
    only = None if split is None else read_split(storage, split)
    return Dataset(storage, datasets, records=[records] * len(datasets), only=only)


def login_now(before: Login) -> Login:
    """Return the login to the same farm as it is now: a process may begin after another one."""
    try:
        return find_login(Home.of_user(), url=before.url)
    except FarmError:
        return before


def address(place: str) -> tuple[str | None, str]:
    """Return the farm and the job that an address names; None for the farm of the login.

    Raises:
        SetupError: It names no job.
    """
    url: str | None
    if place.startswith(SCHEME):
        url, job = None, place.removeprefix(SCHEME)
    else:
        url, _, job = place.partition(ROUTE)
    job = job.removesuffix("/").removesuffix("/files")
    if not job or "/" in job:
        raise SetupError(
            f"{place!r} is not the address of a dataset, such as https://farm.example{ROUTE}JOB "
            f"or {SCHEME}JOB"
        )
    return url, job


class FarmStorage:
    """The files of a job's datasets, read-only.

    Each process that uses it has a connection of its own: it may be forked, and sent to others,
    with the token.
    """

    def __init__(self, login: Login, job_id: str) -> None:
        self.place = f"{login.url}{ROUTE}{job_id}"
        self.job_id = job_id
        self._login = login
        self._opened: tuple[int, Client] | None = None

    def __reduce__(self) -> tuple[type[FarmStorage], tuple[Login, str]]:
        return FarmStorage, (self._login, self.job_id)

    @property
    def client(self) -> Client:
        """The connection of this process."""
        if self._opened is None or self._opened[0] != os.getpid():
            login = login_now(self._login)
            client = Client(
                login.url, login.token, patience_s=READING_S, login_patience_s=READING_S
            )
            weakref.finalize(self, client.close)
            self._opened = (os.getpid(), client)
        return self._opened[1]

    def records(self) -> tuple[Snapshot, list[str]]:
        """Return a copy of the records of all finished views, and the datasets that have any."""
        connection = self.client.connection

        def once() -> tuple[Snapshot, list[str]]:
            copy, datasets = Snapshot(), []
            with connection.open("GET", f"{ROUTE}{self.job_id}/views") as response:
                lines = view_lines(connection, response)
                for dataset, group in groupby(lines, lambda line: line.dataset):
                    copy.add(dataset, (self._record(line) for line in group))
                    datasets.append(dataset)
            return copy, datasets

        return connection.patiently(once)

    def _record(self, line: ViewLine) -> bytes:
        if line.record is None:
            raise DatasetError(
                f"{self.place}/{printable(line.broken)}; to have it rendered again: "
                f"farm delete {self.job_id}, then submit it again"
            )
        return line.record.model_dump_json().encode()

    def get(self, key: str) -> bytes | None:
        try:
            return self._ask(key, RAW, httpx.Response.read)
        except NotFoundError:
            return None

    def read(self, key: str, *, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        left = length
        while left is None or left > 0:
            wanted = PIECE_BYTES if left is None else min(left, PIECE_BYTES)
            piece = self._part(key, start, wanted)
            if piece:
                yield piece
            if len(piece) < wanted:
                return
            start += len(piece)
            left = None if left is None else left - len(piece)

    def size(self, key: str) -> int | None:
        def told(response: httpx.Response) -> int:
            response.read()
            return int(response.headers.get("content-range", "/0").rpartition("/")[2])

        try:
            return self._ask(key, RAW | {"Range": "bytes=0-0"}, told)
        except NotFoundError:
            return None
        except RequestRefusedError as error:
            if error.status == 416:  # no byte of it can be had
                return 0
            raise

    def entries(self, prefix: str, *, after: str = "") -> Iterator[Entry]:
        files = self.client.files(self.job_id)
        above = f"{prefix}/" if prefix else ""
        found = (Entry(file.path, file.size_bytes, 0.0) for file in files)
        yield from sorted(one for one in found if one.key.startswith(above) and one.key > after)

    def keys(self, prefix: str, *, after: str = "") -> Iterator[str]:
        return (entry.key for entry in self.entries(prefix, after=after))

    def local_path(self, key: str) -> Path | None:
        return None

    def put(self, key: str, data: bytes) -> None:
        self._refuse()

    def put_file(self, key: str, path: Path) -> None:
        self._refuse()

    def link(self, key: str, source: str) -> None:
        self._refuse()

    def delete(self, key: str) -> None:
        self._refuse()

    def delete_tree(self, prefix: str) -> None:
        self._refuse()

    def sweep(self, prefix: str) -> int:
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise StorageError(f"{self.place}: datasets on a farm are read-only; download it first")

    def _part(self, key: str, start: int, length: int) -> bytes:
        headers = RAW | {"Range": f"bytes={start}-{start + length - 1}"}
        try:
            return self._ask(key, headers, httpx.Response.read)
        except NotFoundError as error:
            raise StorageError(f"{self.place}/{key}: cannot be read: it does not exist") from error
        except RequestRefusedError as error:
            if error.status == 416:  # the file ends before
                return b""
            raise

    def _ask(self, key: str, headers: dict[str, str], read: Callable[[httpx.Response], T]) -> T:
        connection = self.client.connection

        def once() -> T:
            path = f"{ROUTE}{self.job_id}/files/{quote(key)}"
            with connection.open("GET", path, headers=headers) as response:
                return read(response)

        return connection.patiently(once)


def view_lines(connection: Connection, response: httpx.Response) -> Iterator[ViewLine]:
    """Yield the lines of an answer, which has one JSON object on each."""
    rest = b""
    for piece in response.iter_bytes():
        *whole, rest = (rest + piece).split(b"\n")
        for line in whole:
            yield connection.parse(ViewLine, response, line)
