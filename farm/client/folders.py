"""Where a job's datasets go on this machine: each into a new folder, or into its own again."""

from __future__ import annotations

import json
from pathlib import Path, PurePosixPath
from urllib.parse import quote

import httpx

from farm.client.connection import Connection
from farm.client.text import printable
from farm.dataset.finish import PREVIEW_FILE
from farm.dataset.nesting import check_alone, is_folder_of_dataset
from farm.dataset.records.attribution import ATTRIBUTION_FILE
from farm.dataset.records.card import CARD
from farm.dataset.records.collect import DATASET_FILE
from farm.dataset.records.read import VIEWS_FILE
from farm.errors import NotFoundError, SpecError
from farm.spec.passes import PASS_FOLDERS, PREVIEWS_FOLDER
from farm.storage import FolderStorage

MARK = ".farm-download"
"""File in a dataset that holds the id of its job."""
BESIDE = (ATTRIBUTION_FILE, CARD, DATASET_FILE, PREVIEW_FILE, VIEWS_FILE)
PASSES = frozenset(PASS_FOLDERS.values())


class Folders:
    """The folders that a download writes into: each is checked before the first file arrives."""

    def __init__(self, connection: Connection, job_id: str, folder: Path) -> None:
        self._connection = connection
        self._job_id = job_id
        self._storage = FolderStorage(folder)
        self._known: set[str] = set()

    def admit(self, dataset: str | None) -> None:
        """Check the folder of a dataset, once, and mark it as the job's; None: of no dataset.

        Raises:
            SpecError: Another dataset is in it, around it, or inside it.
        """
        if dataset is None or dataset in self._known:
            return
        if not self._storage.path(dataset).resolve().is_relative_to(self._storage.root):
            return  # a link leads out: none of its files is written
        mark = f"{dataset}/{MARK}".lstrip("/")
        owner = (self._storage.get(mark) or b"").decode(errors="replace").strip()
        if owner != self._job_id:
            self._check(dataset, owner)
            self._storage.put(mark, f"{self._job_id}\n".encode())
        self._known.add(dataset)

    def _check(self, dataset: str, owner: str) -> None:
        folder = self._storage.path(dataset)
        if owner or (is_folder_of_dataset(folder) and not self._is_ours(dataset)):
            whose = f"is of job {printable(owner, limit=40)}" if owner else "is a different one"
            raise SpecError(
                f"{folder}: the dataset in this folder {whose}, not of {self._job_id}, and "
                "would be overwritten; take another --output"
            )
        check_alone(self._storage, [dataset], flag="--output")

    def _is_ours(self, dataset: str) -> bool:
        """Say whether a dataset without a mark was made by the same request as the farm's."""
        key = f"{dataset}/{DATASET_FILE}".lstrip("/")
        here, there = spec_in(self._storage.get(key)), spec_in(self._fetch(key))
        return here is not None and here == there

    def _fetch(self, path: str) -> bytes | None:
        def once() -> bytes:
            url = f"/v1/datasets/{self._job_id}/files/{quote(path)}"
            with self._connection.open("GET", url) as response:
                return httpx.Response.read(response)

        try:
            return self._connection.patiently(once)
        except NotFoundError:
            return None


def dataset_by_name(path: PurePosixPath) -> str | None:
    """Return the dataset that a file of a job belongs to, where its farm does not tell.

    "" is the job's only one; None: it belongs to none, or to one that its name does not tell.
    """
    parts = path.parts
    if parts[-1] in BESIDE:
        return "/".join(parts[:-1])
    if len(parts) > 1 and parts[-2] in PASSES:
        return "/".join(parts[: -3 if parts[-3:-2] == (PREVIEWS_FOLDER,) else -2])
    return None


def spec_in(data: bytes | None) -> object:
    """Return the request that a `dataset.json` records; None if it records none."""
    try:
        return json.loads(data)["spec"] if data else None
    except (ValueError, KeyError, TypeError):
        return None
