"""Sites that have assets, as real HTTP servers on the loopback interface.

Field names, paging and manners are those of BlenderKit and Poly Haven; every fault that they are
known for can be made to happen.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections import defaultdict, deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit


@dataclass(frozen=True)
class Request:
    path: str
    query: dict[str, str]
    headers: dict[str, str]


@dataclass
class Answer:
    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    cut_at: int | None = None
    """Send so many bytes of the body and hang up."""
    without_length: bool = False
    """Say nothing of the length; the end of the connection ends the body."""
    wait: threading.Event | None = None
    """After `cut_at` bytes wait for this, then send the rest."""


def as_json(data: object, status: int = 200) -> Answer:
    return Answer(status, json.dumps(data).encode(), {"Content-Type": "application/json"})


def html(status: int = 200) -> Answer:
    page = b"<!DOCTYPE html><html><body>error code: 1015</body></html>"
    return Answer(status, page, {"Content-Type": "text/html; charset=utf-8"})


class Site:
    """A server that notes all requests, and fails as it is told to before it answers."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.faults: dict[str, deque[Answer]] = defaultdict(deque)
        """By the beginning of a path: what the next requests get instead of an answer."""
        site = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                query = {key: values[0] for key, values in parse_qs(parts.query).items()}
                headers = {name.lower(): value for name, value in self.headers.items()}
                request = Request(parts.path, query, headers)
                site.requests.append(request)
                self.send(site.fault(request) or site.answer(request))

            def send(self, answer: Answer) -> None:
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                if not answer.without_length:
                    self.send_header("Content-Length", str(len(answer.body)))
                self.send_header("Connection", "close")
                self.end_headers()
                self.close_connection = True
                try:
                    self.wfile.write(answer.body[: answer.cut_at])
                    self.wfile.flush()
                    if answer.wait:
                        answer.wait.wait(60)
                        self.wfile.write(answer.body[answer.cut_at or 0 :])
                except (BrokenPipeError, ConnectionResetError):
                    pass  # the client has gone

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.address = f"http://127.0.0.1:{self.server.server_port}"

    def answer(self, request: Request) -> Answer:
        raise NotImplementedError

    def fault(self, request: Request) -> Answer | None:
        for beginning, answers in self.faults.items():
            if request.path.startswith(beginning) and answers:
                return answers.popleft()
        return None

    def asked(self, beginning: str) -> list[Request]:
        return [request for request in self.requests if request.path.startswith(beginning)]

    @contextmanager
    def running(self) -> Iterator[None]:
        thread = threading.Thread(target=self.server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield
        finally:
            self.server.shutdown()
            self.server.server_close()
            thread.join()


class FileHost(Site):
    """Where the bytes are: ranges, ETags, and links that are good for a while."""

    def __init__(self, *, signed: bool) -> None:
        super().__init__()
        self.files: dict[str, bytes] = {}
        self.signed = signed
        self.good: set[str] = set()

    def link(self, path: str) -> str:
        """A signed address of a file."""
        verify = f"{1791143249 + len(self.good)}-fyYp2h0LI{len(self.requests)}%3D"
        self.good.add(verify.replace("%3D", "="))
        return f"{self.address}{path}?verify={verify}"

    def expire_links(self) -> None:
        self.good.clear()

    def answer(self, request: Request) -> Answer:
        if "authorization" in request.headers:
            return as_json({"detail": "the file host must not see a key"}, 400)
        if self.signed and request.query.get("verify") not in self.good:
            return html(403)
        data = self.files.get(request.path)
        if data is None:
            return html(404)
        etag = f'"{hashlib.md5(data).hexdigest()}"'
        kind = {"ETag": etag, "Content-Type": "application/octet-stream"}
        match = re.fullmatch(r"bytes=(\d+)-", request.headers.get("range", ""))
        if match is None or request.headers.get("if-range", etag) != etag:
            return Answer(200, data, kind)
        start = int(match[1])
        if start >= len(data):
            return Answer(416, b"", {"Content-Range": f"bytes */{len(data)}"})
        span = {"Content-Range": f"bytes {start}-{len(data) - 1}/{len(data)}"}
        return Answer(206, data[start:], kind | span)


class FakeBlenderKit(Site):
    """Search with pages, download links, keys; the files lie on another host."""

    KEY = "secret-key-0123456789"

    def __init__(self) -> None:
        super().__init__()
        self.files = FileHost(signed=True)
        self.rows: list[dict] = []
        self.paths: dict[str, str] = {}
        self.most_per_page = 100
        self.next_host = "https://www.blenderkit.com"
        """What `next` begins with: an older name of the service."""

    def add(
        self,
        name: str,
        files: dict[str, tuple[str, bytes]],
        *,
        kind: str = "model",
        **facts: object,
    ) -> dict:
        """Offer an asset; `files` is fileType -> (suffix, bytes)."""
        base, version = stable_uuid(name), stable_uuid(name, "version", facts.get("versionNumber"))
        listed = []
        for file_type, (suffix, data) in files.items():
            file = stable_uuid(version, file_type)
            path = f"/assets/{version.replace('-', '')}/files/{file_type}_{file}{suffix}"
            self.files.files[path], self.paths[file] = data, path
            listed.append({
                "fileType": file_type,
                "downloadUrl": f"{self.address}/api/v1/downloads/{file}/",
                "uuid": file,
                "filename": path[1:],
                "fileUploadSize": len(data),
                "isThumbnail": file_type == "thumbnail",
            })  # fmt: skip
        row = {
            "url": f"{self.address}/api/v1/assets/{version}/",
            "id": version, "assetBaseId": base, "versionNumber": 1,
            "author": {"id": 1826089, "firstName": "Ada", "lastName": "Love",
                       "fullName": "Ada Love"},
            "name": name, "displayName": name, "assetType": kind, "category": "table",
            "isFree": True, "isForSale": False, "basePrice": None, "tags": ["table", "chair"],
            "license": "royalty_free", "verificationStatus": "validated", "isPrivate": False,
            "files": listed, "filesSize": float(sum(len(data) for _, data in files.values())),
            "score": 480.0, "access": "free", "accessLabel": "Free",
            "dictParameters": {"faceCount": 20384} if kind == "model" else {"trueHDR": True},
            "canDownload": True, "canDownloadError": True,
        } | facts  # fmt: skip
        self.rows.append(row)
        return row

    def answer(self, request: Request) -> Answer:
        if request.headers.get("user-agent", "python-httpx").startswith("python-httpx"):
            return html(403)
        sent = request.headers.get("authorization")
        if sent not in (None, f"Bearer {self.KEY}"):
            return as_json({"detail": "Invalid token."}, 401)
        if request.path == "/api/v1/search/":
            return self.search(request)
        if match := re.fullmatch(r"/api/v1/downloads/([0-9a-f-]+)/", request.path):
            return self.resolve(match[1], request)
        return as_json({"detail": "Not found."}, 404)

    def search(self, request: Request) -> Answer:
        filters, words = {}, []
        for word in request.query["query"].split():
            key, colon, value = word.partition(":")
            if colon:
                filters[key] = value
            else:
                words.append(word.lower())
        named = {"asset_type": "assetType", "license": "license", "asset_base_id": "assetBaseId"}
        rows = [
            row
            for row in self.rows
            if all(row[named[key]] in filters[key].split(",") for key in filters.keys() & named)
            and all(word in json.dumps(row).lower() for word in words)
        ]  # fmt: skip
        page = int(request.query.get("page", 1))
        count = min(int(request.query.get("page_size", 20)), self.most_per_page)
        if page > 1 and (page - 1) * count >= len(rows):
            return as_json({"detail": "Invalid page."}, 404)
        more = f"{self.next_host}/api/v1/search/?page={page + 1}&page_size={count}&query="
        query = request.query["query"].replace(" ", "+").replace(":", "%3A")
        dict_parameters = "&dict_parameters=1" if "dict_parameters" in request.query else ""
        return as_json({
            "count": len(rows),
            "next": more + query + dict_parameters if page * count < len(rows) else None,
            "previous": None,
            "results": rows[(page - 1) * count : page * count],
        })  # fmt: skip

    def resolve(self, file: str, request: Request) -> Answer:
        if not re.fullmatch(r"[0-9a-f-]{36}", request.query.get("scene_uuid", "")):
            return as_json({"detail": "scene_uuid is needed"}, 400)
        if file not in self.paths:
            return as_json({"detail": "Not found."}, 404)
        link = self.files.link(self.paths[file])
        return as_json({"fileType": "blend", "uuid": file, "filePath": link})

    @contextmanager
    def running(self) -> Iterator[None]:
        with super().running(), self.files.running():
            yield


class FakePolyHaven(Site):
    """An object of assets, an object of files; the files lie on another host."""

    def __init__(self) -> None:
        super().__init__()
        self.files = FileHost(signed=False)
        self.assets: dict[str, dict] = {}
        self.listings: dict[str, dict] = {}

    def put(self, path: str, data: bytes) -> dict:
        """Host a file; return what `/files/<id>` says of it."""
        self.files.files[path] = data
        url = f"{self.files.address}{path}"
        return {"url": url, "size": len(data), "md5": hashlib.md5(data).hexdigest()}

    def add(self, slug: str, listing: dict, *, kind: int, **facts: object) -> None:
        self.listings[slug] = listing
        text = json.dumps(listing)
        self.assets[slug] = {
            "name": slug.replace("_", " "), "type": kind, "download_count": 10,
            "files_hash": hashlib.sha1(text.encode()).hexdigest(),
            "authors": {"Greg Zaal": "All"}, "categories": ["furniture", "seating"],
            "tags": ["wood", "chair"], "max_resolution": [8192, 8192],
        } | facts  # fmt: skip

    def answer(self, request: Request) -> Answer:
        if request.headers.get("user-agent", "python-httpx").startswith("python-httpx"):
            return html(403)
        if request.path == "/assets":
            number = {"hdris": 0, "models": 2}.get(request.query["type"])
            if number is None:
                return as_json({"error": "Unsupported asset type."}, 400)
            found = {slug: row for slug, row in self.assets.items() if row["type"] == number}
            return as_json(dict(sorted(found.items())))
        slug = request.path.removeprefix("/files/")
        if slug in self.listings:
            return as_json(self.listings[slug])
        return as_json({"error": "No asset."}, 404)

    @contextmanager
    def running(self) -> Iterator[None]:
        with super().running(), self.files.running():
            yield


def stable_uuid(*parts: object) -> str:
    """An id that is the same in every run."""
    text = hashlib.md5(repr(parts).encode()).hexdigest()
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))
