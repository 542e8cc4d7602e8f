"""The API on a real server of the loopback interface, with tokens and a client for each role."""

from __future__ import annotations

import hashlib
import socket
import threading
from pathlib import Path
from typing import Any

import httpx

from farm.api.access.guesses import Guesses
from farm.api.server import make_server
from farm.api.services import Services
from farm.api.settings import ApiSettings
from farm.feeding.book import StreamBook
from farm.glimpses import GlimpseBook
from farm.job_store import JobStore
from farm.ledger import open_ledger
from farm.library import Library
from farm.queue import CeleryQueue
from farm.spec.asset import Asset
from farm.spec.job import JobSpec
from farm.spec.wire import Submission
from farm.storage import FolderStorage, Storage
from farm.tallies.book import TallyBook
from farm.tokens import TokenBook
from tests.support.waiting import wait_for

STREAM_BYTES = 1 << 20
MODEL, HDR = b"a model", b"a bright sky"


async def at_once(_seconds: float) -> None:
    """Let whoever guesses tokens guess: tests send very many wrong ones."""


class ApiServer:
    """A running API; `client(role)` talks to it."""

    def __init__(
        self, redis_url: str, folder: Path, *, storage: Storage | None = None, **settings: Any
    ) -> None:
        self.folder = folder
        self.root = folder / "storage"
        self.storage = storage or FolderStorage(self.root)
        self.queue = CeleryQueue(redis_url)
        self.streams = StreamBook(redis_url, bound_bytes=STREAM_BYTES)
        self.glimpses = GlimpseBook(redis_url)
        self.tallies = TallyBook(redis_url)
        self.services = Services(
            ledger=open_ledger(redis_url),
            queue=self.queue,
            storage=self.storage,
            library=Library(self.storage),
            book=JobStore(self.storage),
            tokens=TokenBook(self.storage),
            settings=ApiSettings(spool=folder / "spool", **settings),
            guesses=Guesses(sleep=at_once),
            streams=self.streams,
            glimpses=self.glimpses,
            tallies=self.tallies,
        )
        self.ledger = self.services.ledger
        self.port = 0
        self._listen()
        self.url = f"http://127.0.0.1:{self.port}"
        self.clients: list[httpx.Client] = []
        self.tokens: dict[str, str] = {}

    def _listen(self) -> None:
        """Take a port, which is nobody else's from now on, and have a server ready for it."""
        listener = socket.create_server(("127.0.0.1", self.port))
        self.port = listener.getsockname()[1]
        self.server = make_server(self.services, host="127.0.0.1", port=self.port)
        self.thread = threading.Thread(target=self.server.run, args=([listener],))

    def __enter__(self) -> ApiServer:
        self.thread.start()
        wait_for(lambda: self.server.started or not self.thread.is_alive(), "the server is up")
        for role in ("read", "submit", "script", "admin"):
            self.tokens[role], _ = self.services.tokens.create(f"a {role}er", role)
        return self

    def __exit__(self, *_: object) -> None:
        for client in self.clients:
            client.close()
        self.services.job_feed.close()
        self.server.should_exit = True
        self.thread.join()
        self.queue.close()
        self.streams.close()
        self.glimpses.close()
        self.tallies.close()
        self.ledger.store.client.close()

    def restart(self) -> None:
        """End the server, and start another one on its port."""
        self.services.job_feed.close()
        self.server.should_exit = True
        self.thread.join()
        self._listen()
        self.thread.start()
        wait_for(lambda: self.server.started, "the server is up again")

    def client(self, role: str | None) -> httpx.Client:
        headers = {"Authorization": f"Bearer {self.tokens[role]}"} if role else {}
        client = httpx.Client(base_url=self.url, headers=headers, timeout=60)
        self.clients.append(client)
        return client

    def upload(self, data: bytes) -> str:
        sha256 = hashlib.sha256(data).hexdigest()
        headers = {"Upload-Offset": "0", "Upload-Length": str(len(data))}
        answer = self.client("submit").patch(
            f"/v1/assets/{sha256}/upload", content=data, headers=headers
        )
        assert answer.json() == {"sha256": sha256, "received_bytes": len(data), "complete": True}
        return sha256

    def stored(self) -> set[str]:
        """Return all that is kept, but the tokens and what the farm notes of itself."""
        keys = {key for key in self.storage.keys("") if not key.startswith(("auth/", "status/"))}
        return keys | {path.name for path in (self.folder / "spool").iterdir()}


def asset(kind: str, name: str, data: bytes, **changes: Any) -> Asset:
    known = Asset(
        kind=kind,
        role=f"{kind}s",
        id=name[:8].partition(".")[0],
        name=name,
        path=name,
        sha256=hashlib.sha256(data).hexdigest(),
        size_bytes=len(data),
        in_library=True,
    )
    return known.model_copy(update=changes)


def a_submission(*, tasks: int = 4, views: int = 2, **spec: Any) -> Submission:
    """One model under one HDRI; so many tasks of so many views."""
    fields = {
        "models": ("chair.blend",),
        "hdrs": ("studio.exr",),
        "recipe": {"yaw": tasks * views, "pitch": 1},
        "views_per_task": views,
    }
    return Submission(
        spec=JobSpec.model_validate(fields | spec),
        assets=(asset("model", "chair.blend", MODEL), asset("hdr", "studio.exr", HDR)),
    )


def body(submission: Submission) -> dict[str, Any]:
    found: dict[str, Any] = submission.model_dump(mode="json")
    return found
