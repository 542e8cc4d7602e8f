"""A small farm in a thread: the server's contract as far as a client can tell, kept in memory."""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from farm.spec.job import make_job
from farm.spec.wire import (
    EXPIRY_HEADER,
    VERSION_HEADER,
    DatasetFile,
    DrainInfo,
    FarmStatus,
    JobInfo,
    LostWorker,
    Submission,
    WorkerInfo,
)

TOKEN = "secret-token"


def a_job_info(job_id: str = "0123456789ab", **changes: Any) -> JobInfo:
    fields = {
        "job_id": job_id, "name": "chairs", "state": "running", "priority": 0, "created_s": 1e9,
        "tasks": 4, "counts": {"done": 2, "running": 1, "pending": 1}, "views": 40,
        "views_done": 20, "views_per_s": 2.0, "eta_s": 10.0,
    }  # fmt: skip
    return JobInfo(**(fields | changes))


@dataclass
class SmallFarm:
    """What the server has, and what it is told to do wrong."""

    blobs: dict[str, bytes] = field(default_factory=dict)
    partial: dict[str, bytes] = field(default_factory=dict)
    jobs: dict[str, JobInfo] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    datasets: dict[str, str] = field(default_factory=dict)
    """Path of a file -> the dataset that the farm tells of it."""
    listed: list[DatasetFile] | None = None
    """What the list of files says instead of the truth."""
    logs: dict[int, str] = field(default_factory=dict)
    workers: list[WorkerInfo] = field(default_factory=list)
    lost: list[LostWorker] | None = None
    """Workers that were lost; None: it is of a release that does not tell."""
    stream: list[JobInfo] | None = None
    """What `/v1/events` sends before it ends; None: there is no such thing."""
    trouble: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    """Statuses that the next requests get."""
    cut_after: list[int] = field(default_factory=list)
    """After so many bytes of its body, each next big answer or upload is cut."""
    page: int = 2
    stale_cursors: int = 0
    """So many cursors are refused, since the list has changed."""
    status: FarmStatus | None = None
    whoami: dict[str, Any] = field(default_factory=dict)
    """What it knows of the token beside the usual."""
    version: str = "0.1.0"
    token: str = TOKEN
    """The one that is taken."""
    expires_in_s: int | None = None
    """What every answer says of that token."""
    requests: list[str] = field(default_factory=list)
    received: int = 0
    """Bytes of uploads that were read."""
    sent: int = 0
    """Bytes of files that were sent."""
    counting: threading.Lock = field(default_factory=threading.Lock)
    submissions: list[Submission] = field(default_factory=list)
    url: str = ""

    def __enter__(self) -> SmallFarm:
        farm = self

        class Handler(_Handler):
            small = farm

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(
            target=self.server.serve_forever, kwargs={"poll_interval": 0.01}
        )
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def add_file(self, path: str, data: bytes) -> None:
        self.files[path] = data

    def listing(self) -> list[DatasetFile]:
        if self.listed is not None:
            return self.listed
        return [
            DatasetFile(
                path=path,
                size_bytes=len(data),
                sha256=sha256_of(data),
                dataset=self.datasets.get(path),
            )
            for path, data in self.files.items()
        ]


def sha256_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


class _Cut(Exception):
    pass


class _Handler(BaseHTTPRequestHandler):
    small: SmallFarm
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        pass

    def answer(self) -> None:
        parts = urlsplit(self.path)
        self.query = {key: values[0] for key, values in parse_qs(parts.query).items()}
        small = self.small
        small.requests.append(f"{self.command} {self.path}")
        try:
            if small.trouble:
                status, headers = small.trouble.pop(0)
                self.rfile.read(int(self.headers.get("content-length", 0)))
                self.problem(status, "not now", headers=headers)
            elif self.headers.get("authorization") != f"Bearer {small.token}":
                self.problem(401, "the token is wrong")
            else:
                self.route(unquote(parts.path))
        except (_Cut, ConnectionError):
            self.close_connection = True

    do_GET = do_POST = do_PATCH = do_DELETE = answer

    def route(self, path: str) -> None:
        for pattern, handle in (
            (r"/v1/whoami", self.whoami),
            (r"/v1/status", self.status),
            (r"/v1/jobs", self.submit if self.command == "POST" else self.list_jobs),
            (r"/v1/jobs/([^/]*)", self.one_job),
            (r"/v1/jobs/([^/]*)/(pause|resume|cancel|retry)", self.turn),
            (r"/v1/jobs/([^/]*)/tasks", self.tasks),
            (r"/v1/jobs/([^/]*)/tasks/(\d+)/log", self.log),
            (r"/v1/events", self.events),
            (r"/v1/assets/missing", self.missing),
            (r"/v1/assets/unused", self.tidy),
            (r"/v1/assets/([^/]*)/upload", self.upload),
            (r"/v1/datasets/([^/]*)/files", self.list_files),
            (r"/v1/datasets/([^/]*)/files/(.*)", self.one_file),
            (r"/v1/workers", self.list_workers),
            (r"/v1/workers/lost", self.list_lost),
            (r"/v1/workers/([^/]*)/(drain|undrain)", self.drain),
        ):
            if match := re.fullmatch(pattern, path):
                handle(*match.groups())
                return
        self.problem(404, "there is no such page")

    # -- answers ----------------------------------------------------------------------------

    def whoami(self) -> None:
        known = {"token_id": "t", "name": "ada", "role": "submit", "created_s": 0, "new": 1}
        self.json(known | self.small.whoami)

    def status(self) -> None:
        assert self.small.status is not None
        self.json(self.small.status.model_dump())

    def submit(self) -> None:
        submission = Submission.model_validate_json(self.body())
        job = make_job(submission.spec, submission.assets)
        name = submission.name or submission.spec.dataset_name or job.job_id
        info = self.small.jobs.get(job.job_id, a_job_info(job.job_id, name=name, state="valid"))
        if "validate_only" not in self.query:
            info = self.small.jobs.setdefault(
                job.job_id, info.model_copy(update={"state": "running"})
            )
            self.small.submissions.append(submission)
            if submission.name and info.owner in ("", "ada"):  # one's own job is renamed
                info = info.model_copy(update={"name": submission.name})
                self.small.jobs[job.job_id] = info
        self.json(info.model_dump())

    def list_jobs(self) -> None:
        state = self.query.get("state")
        self.pages([job for job in self.small.jobs.values() if state in (None, job.state)])

    def one_job(self, job_id: str) -> None:
        job = self.small.jobs.get(job_id)
        if job is None:
            self.problem(404, f"there is no job {job_id}")
        elif self.command == "PATCH":
            self.put(job, priority=json.loads(self.body())["priority"])
        elif self.command == "DELETE":
            if self.query["dry_run"] == "false":
                del self.small.jobs[job_id]
            dry_run = self.query["dry_run"] == "true"
            names = ["chairs/\x1b[2Jimages"]
            self.json({"dry_run": dry_run, "files": 3, "size_bytes": 5000, "names": names})
        else:
            self.json(job.model_dump())

    def tidy(self) -> None:
        dry_run = self.query["dry_run"] == "true"
        count = len(self.small.blobs)
        if not dry_run:
            self.small.blobs.clear()
        self.json({"dry_run": dry_run, "files": count, "size_bytes": 1000 * count, "names": []})

    def turn(self, job_id: str, verb: str) -> None:
        states = {"pause": "paused", "resume": "running", "cancel": "cancelled", "retry": "running"}
        job = self.small.jobs[job_id]
        retried = job.counts.get("failed", 0) if verb == "retry" else None
        self.put(job, state=states[verb], retried=retried)

    def put(self, job: JobInfo, **changes: Any) -> None:
        self.small.jobs[job.job_id] = job.model_copy(update=changes)
        self.json(self.small.jobs[job.job_id].model_dump())

    def tasks(self, job_id: str) -> None:
        items = [
            {"index": index, "task_id": f"t-{index}", "state": "failed", "title": "m · h",
             "views": 1, "attempts": []}
            for index in self.small.logs
            if self.query.get("state") == "failed"
        ]  # fmt: skip
        self.json({"items": items, "next": None})

    def log(self, job_id: str, index: str) -> None:
        self.send(200, self.small.logs[int(index)].encode(), kind="text/plain")

    def events(self) -> None:
        if self.small.stream is None:
            self.problem(404, "there is no such page")
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream; charset=utf-8")
        self.end_headers()
        self.close_connection = True
        self.wfile.write(b": hello\n\n")
        for job in self.small.stream:
            self.small.jobs[job.job_id] = job
            self.wfile.write(f"event: job\ndata: {job.model_dump_json()}\n\n".encode())

    def missing(self) -> None:
        asked = json.loads(self.body())["sha256s"]
        self.json({"sha256s": [sha256 for sha256 in asked if sha256 not in self.small.blobs]})

    def upload(self, sha256: str) -> None:
        small = self.small
        if self.command == "PATCH":
            self.append(sha256)
            return
        have = small.blobs.get(sha256, small.partial.get(sha256, b""))
        self.upload_info(sha256, len(have), complete=sha256 in small.blobs)

    def append(self, sha256: str) -> None:
        small, total = self.small, int(self.headers["Upload-Length"])
        have = small.partial.get(sha256, b"")
        if int(self.headers["Upload-Offset"]) != len(have):
            self.body()
            self.problem(409, f"{len(have)} bytes are here")
            return
        for piece in self.pieces():
            have += piece
            small.received += len(piece)
            small.partial[sha256] = have
        if len(have) == total:
            small.partial.pop(sha256, None)
            if sha256_of(have) != sha256:
                self.problem(422, "the bytes have another hash")
                return
            small.blobs[sha256] = have
        self.upload_info(sha256, len(have), complete=len(have) == total)

    def upload_info(self, sha256: str, received: int, *, complete: bool) -> None:
        self.json({"sha256": sha256, "received_bytes": received, "complete": complete})

    def list_files(self, job_id: str) -> None:
        self.pages(self.small.listing())

    def one_file(self, job_id: str, path: str) -> None:
        data = self.small.files.get(path)
        if data is None:
            self.problem(404, f"there is no file {path}")
            return
        start, status = 0, 200
        if match := re.fullmatch(r"bytes=(\d+)-", self.headers.get("range", "")):
            start, status = int(match[1]), 206
        self.send(status, data[start:], kind="image/png", count=True)

    def list_workers(self) -> None:
        self.json([worker.model_dump() for worker in self.small.workers])

    def list_lost(self) -> None:
        if self.small.lost is None:
            self.problem(404, "there is no such page")
            return
        self.json([worker.model_dump() for worker in self.small.lost])

    def drain(self, name: str, verb: str) -> None:
        words = "takes no more tasks" if verb == "drain" else "takes tasks again"
        told = {"node": name, "drained": verb == "drain", "sentence": f"{name} {words}"}
        self.json(DrainInfo(**told).model_dump())

    # -- how --------------------------------------------------------------------------------

    def pages(self, items: list[Any]) -> None:
        start = int(self.query.get("cursor", 0))
        if start and self.small.stale_cursors:
            self.small.stale_cursors -= 1
            self.problem(409, "the list has changed")
            return
        end = start + self.small.page
        part = [item.model_dump() for item in items[start:end]]
        self.json({"items": part, "next": str(end) if end < len(items) else None})

    def pieces(self) -> Iterator[bytes]:
        left = int(self.headers.get("content-length", 0))
        cut = self.small.cut_after.pop(0) if self.small.cut_after else None
        while left:
            if cut is not None and cut <= 0:
                raise _Cut
            piece = self.rfile.read(min(left, 64 if cut is None else min(64, cut)))
            left -= len(piece)
            cut = None if cut is None else cut - len(piece)
            yield piece

    def body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("content-length", 0)))

    def json(self, data: object) -> None:
        self.send(200, json.dumps(data).encode())

    def problem(self, status: int, detail: str, headers: dict[str, str] | None = None) -> None:
        problem = {"title": "no", "status": status, "detail": detail, "remedy": "do otherwise"}
        kind = "application/problem+json"
        self.send(status, json.dumps(problem).encode(), kind=kind, headers=headers)

    def send(
        self,
        status: int,
        data: bytes,
        *,
        kind: str = "application/json",
        headers: dict[str, str] | None = None,
        count: bool = False,
    ) -> None:
        self.send_response(status)
        known = {"Content-Type": kind, "Content-Length": str(len(data))}
        known[VERSION_HEADER] = self.small.version
        if self.small.expires_in_s is not None:
            known[EXPIRY_HEADER] = str(self.small.expires_in_s)
        for name, value in (known | (headers or {})).items():
            self.send_header(name, value)
        self.end_headers()
        cut = count and bool(self.small.cut_after)
        if cut:
            data = data[: self.small.cut_after.pop(0)]
        if count:
            with self.small.counting:  # first: whoever has it all may ask at once
                self.small.sent += len(data)
        self.wfile.write(data)
        if cut:
            raise _Cut
