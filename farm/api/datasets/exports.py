"""Exports of datasets that the server makes: one at a time for each user, in a bounded folder.

Each is a process of low priority. What is finished outlives the server, for a day; what is not is
begun anew by whoever wants it.
"""

from __future__ import annotations

import json
import logging
import secrets
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from farm.api.datasets.export_process import ARCHIVE
from farm.api.problems import ApiProblem, not_found
from farm.api.settings import ApiSettings
from farm.dataset.export.base import ExportOptions
from farm.dataset.export.registry import FORMATS
from farm.job_store import prefix_of
from farm.library import download_folder, safe_stem
from farm.spec.amounts import file_size
from farm.spec.counted import coarse, counted
from farm.spec.hint import none_of
from farm.spec.wire import ExportInfo
from farm.storage import Storage
from farm.storage.room import free_bytes

log = logging.getLogger(__name__)

AT_ONCE = 2
"""Exports that run at a time, of all users."""
KEPT_S = 86_400.0
ROOM_LEFT_BYTES = 1 << 30
"""Space that exports leave free on the disk."""
INFO_FILE = "info.json"
NO_ROOM = "the server has no room left on its disk"


class Exports:
    """The exports of a server; many threads may ask."""

    def __init__(
        self,
        storage: Storage,
        folder: Path,
        settings: ApiSettings,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.storage = storage
        self.folder = folder
        self.most_bytes = settings.export_bytes
        self._clock = clock
        self._infos: dict[str, ExportInfo] = {}
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._turns = threading.Semaphore(AT_ONCE)
        self._lock = threading.RLock()

    def tidy(self) -> None:
        """Take over what an earlier server has finished; remove all else."""
        with self._lock:
            for path in self.folder.glob("*"):
                info = read_info(path)
                if info is None or path.name in self._infos:
                    if info is None and path.name not in self._infos:
                        shutil.rmtree(path, ignore_errors=True)
                    continue
                self._infos[path.name] = info
            self._expire()

    def close(self) -> None:
        """End what is running."""
        with self._lock:
            running = list(self._processes.values())
        for process in running:
            process.kill()

    def begin(  # noqa: PLR0913 - what is exported, of what, and for whom
        self,
        owner: str,
        job_id: str,
        name: str,
        options: ExportOptions,
        *,
        views: int,
        size_bytes: int,
    ) -> ExportInfo:
        """Begin an export; the same one again is the one that is running or done.

        Args:
            owner: Who asks.
            job_id: Of the dataset.
            name: What the dataset is called.
            options: What is wanted.
            views: That it has.
            size_bytes: About how large it is.

        Raises:
            ApiProblem: There is no such format, it would be too large, or another one of the same
                user is not finished.
        """
        self._check(job_id, name, options, size_bytes)
        with self._lock:
            self._expire()
            for mine in self.of(owner):
                if mine.state in ("waiting", "running"):
                    raise still_running(mine)
                self._remove(mine.export_id)
            self._make_room(2 * size_bytes)
            info = ExportInfo(
                export_id=secrets.token_hex(8), job_id=job_id, name=name, owner=owner,
                format=options.format, state="waiting", views=views, created_s=self._clock(),
            )  # fmt: skip
            self._infos[info.export_id] = info
        run = threading.Thread(target=self._run, args=(info.export_id, options), daemon=True)
        run.start()
        return with_sentence(info, self._clock())

    def of(self, owner: str, job_id: str | None = None) -> list[ExportInfo]:
        """Return somebody's exports, of one job or of all."""
        with self._lock:
            self._expire()
            found = [
                info
                for info in self._infos.values()
                if info.owner == owner and job_id in (None, info.job_id)
            ]
        return [with_sentence(info, self._clock()) for info in found]

    def find(self, owner: str, job_id: str, export_id: str) -> ExportInfo:
        """Return an export of somebody.

        Raises:
            ApiProblem: There is none, or no longer.
        """
        for info in self.of(owner, job_id):
            if info.export_id == export_id:
                return info
        raise not_found(
            f"export {export_id[:20]!r} of job {job_id}",
            f"ask for it again: they are kept for {coarse(KEPT_S)}, one for each user",
        )

    def remove(self, owner: str, job_id: str, export_id: str) -> None:
        """Stop an export, or remove what it has made."""
        self.find(owner, job_id, export_id)
        with self._lock:
            self._remove(export_id)

    def archive(self, info: ExportInfo) -> Path:
        """Return the archive of an export.

        Raises:
            ApiProblem: It is not finished, or somebody has removed it from the server's disk.
        """
        if info.state != "done":
            raise ApiProblem(409, f"the export is not finished: {info.sentence}", "wait for it")
        path = self.folder / info.export_id / ARCHIVE
        if not path.is_file():
            with self._lock:
                self._remove(info.export_id)
            raise not_found(f"the archive of export {info.export_id}", "ask for the export again")
        return path

    def _check(self, job_id: str, name: str, options: ExportOptions, size_bytes: int) -> None:
        if options.format not in FORMATS:
            raise ApiProblem(422, f"format: {none_of(options.format, FORMATS)}", "choose one")
        free = free_bytes(self.folder)
        room = self.most_bytes // 2
        if free is not None:
            room = min(room, (free - ROOM_LEFT_BYTES) // 2)
        if size_bytes > room:
            raise ApiProblem(
                413,
                f"{name} has {file_size(size_bytes)}: the server exports at most "
                f"{file_size(max(room, 0))} now",
                f"do it on your machine: {' && '.join(own_commands(job_id, name, options.format))}",
            )

    def _make_room(self, wanted_bytes: int) -> None:
        """Remove the oldest finished exports until there is room for another one."""
        done = sorted(
            (info for info in self._infos.values() if info.state == "done"),
            key=lambda info: info.created_s,
        )
        total = sum(info.size_bytes for info in done)
        for info in done:
            if total + wanted_bytes <= self.most_bytes:
                return
            total -= info.size_bytes
            self._remove(info.export_id)

    def _expire(self) -> None:
        now_s = self._clock()
        for info in list(self._infos.values()):
            if info.expires_s is not None and info.expires_s < now_s:
                self._remove(info.export_id)

    def _remove(self, export_id: str) -> None:
        self._infos.pop(export_id, None)
        if process := self._processes.pop(export_id, None):
            process.kill()
        shutil.rmtree(self.folder / export_id, ignore_errors=True)

    def _run(self, export_id: str, options: ExportOptions) -> None:
        with self._turns:
            folder = self.folder / export_id
            try:
                self._follow(export_id, options, folder)
            except OSError as error:
                self._change(export_id, state="failed", fault=f"{error.strerror or error}")
            if export_id not in self._infos:  # it was removed meanwhile
                shutil.rmtree(folder, ignore_errors=True)

    def _follow(self, export_id: str, options: ExportOptions, folder: Path) -> None:
        """Start the process of an export, and note what it tells."""
        with self._lock:
            info = self._infos.get(export_id)
            if info is None:
                return
            folder.mkdir(parents=True, mode=0o700)
            process = subprocess.Popen(
                [
                    sys.executable, "-m", "farm.api.datasets.export_process",
                    f"{self.storage.place}/{prefix_of(info.job_id)}", str(folder),
                    options.model_dump_json(exclude_unset=True),
                ],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            )  # fmt: skip
            self._processes[export_id] = process
        self._change(export_id, state="running")
        said: dict[str, Any] = {}
        assert process.stdout is not None
        assert process.stderr is not None
        with process:
            errors = Drain(process)
            for line in process.stdout:
                said |= read_line(line)
                self._change(export_id, views=said.get("of"), views_done=said.get("done"))
                if (free_bytes(folder) or ROOM_LEFT_BYTES) < ROOM_LEFT_BYTES // 2:
                    said["fault"] = NO_ROOM
                    process.kill()
            errors.join()
        self._processes.pop(export_id, None)
        self._end(export_id, said, folder, errors.last)

    def _end(self, export_id: str, said: dict[str, Any], folder: Path, last: str) -> None:
        """Note how an export ended."""
        archive = folder / ARCHIVE
        if "exported" in said and archive.is_file():
            done = {"state": "done", "views": said["exported"], "views_done": said["exported"]}
            done |= {"notes": tuple(said.get("notes", ())), "size_bytes": archive.stat().st_size}
            with self._lock:
                if info := self._infos.get(export_id):
                    done |= {"expires_s": self._clock() + KEPT_S}
                    told = info.model_copy(update=done).model_dump_json()
                    (folder / INFO_FILE).write_text(told, encoding="utf-8")  # what is told stays
                    self._change(export_id, **done)
            return
        if "fault" not in said:
            log.warning("an export ended without a word: %s", last)
        fault = str(said.get("fault") or "it ended without a word; the API's log says more")
        self._change(export_id, state="failed", fault=self._plain(fault, folder))
        shutil.rmtree(folder, ignore_errors=True)
        self._change(export_id, expires_s=self._clock() + KEPT_S)

    def _plain(self, sentence: str, folder: Path) -> str:
        """Return a sentence without places of the server."""
        return sentence.replace(f"{self.storage.place}/datasets/", "").replace(f"{folder}/", "")

    def _change(self, export_id: str, **facts: Any) -> None:
        known = {name: value for name, value in facts.items() if value is not None}
        with self._lock:
            if info := self._infos.get(export_id):
                self._infos[export_id] = info.model_copy(update=known)


class Drain(threading.Thread):
    """Reads what a process says on stderr, so that it never waits for a reader."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        super().__init__(daemon=True)
        self.last = ""
        self._stream = process.stderr
        self.start()

    def run(self) -> None:
        for line in self._stream or ():
            self.last = line.decode("utf-8", "replace").strip() or self.last


def read_line(line: bytes) -> dict[str, Any]:
    """Return what a process tells in a line; nothing if it ended before the line did."""
    try:
        told: dict[str, Any] = json.loads(line)
    except ValueError:
        return {}
    return told


def read_info(folder: Path) -> ExportInfo | None:
    """Return what is known of a finished export; None where there is none."""
    try:
        info = ExportInfo.model_validate_json((folder / INFO_FILE).read_bytes())
    except (OSError, ValidationError):
        return None
    return info if info.state == "done" and (folder / ARCHIVE).is_file() else None


def still_running(info: ExportInfo) -> ApiProblem:
    """Return the problem of somebody who asks for two exports at a time."""
    return ApiProblem(
        409,
        f"your export of {info.name} to {info.format} is not finished: {info.sentence}",
        f"wait for it, or stop it: DELETE /v1/datasets/{info.job_id}/exports/{info.export_id}",
    )


def own_commands(job_id: str, name: str, kind: str) -> tuple[str, str]:
    """Return what does an export on one's own machine; `name` is the dataset's."""
    folder = download_folder(name)
    export = f"farm dataset export {folder} --to {kind} --out {folder}-{kind}"
    return f"farm download {job_id}", export


def with_sentence(info: ExportInfo, now_s: float) -> ExportInfo:
    """Add to an export how it stands."""
    return info.model_copy(update={"sentence": sentence_of(info, now_s)})


def sentence_of(info: ExportInfo, now_s: float) -> str:
    """Say how an export stands."""
    if info.state == "waiting":
        return "Waits for other exports to end."
    if info.state == "running":
        return f"Writing {info.format}: {info.views_done:,} of {counted(info.views, 'view')}."
    if info.state == "failed":
        return f"Not exported: {info.fault}"
    left = max((info.expires_s or now_s) - now_s, 0.0)
    return (
        f"Ready: {counted(info.views, 'view')} as {info.format}, {file_size(info.size_bytes)}; "
        f"kept for {coarse(left)}."
    )


def archive_name(info: ExportInfo) -> str:
    """Return what a browser calls an archive."""
    return f"{safe_stem(info.name)}-{info.format}.tar"
