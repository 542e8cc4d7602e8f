"""A server that says it is a farm, and lies."""

from __future__ import annotations

import contextlib
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Lie:
    """One answer as bytes."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    content_length: str | None = None
    """Left out: the truth."""


def as_json(data: object) -> Lie:
    return Lie(200, json.dumps(data).encode(), {"Content-Type": "application/json"})


class StrangeFarm:
    """Answers each request with the first lie whose pattern its path matches."""

    def __init__(self) -> None:
        self.lies: dict[str, Lie] = {}
        strange = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self) -> None:
                length = self.headers.get("Content-Length", "0")
                self.rfile.read(int(length) if length.isdigit() else 0)
                lie = strange.find(self.path)
                self.send_response(lie.status)
                for name, value in lie.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", lie.content_length or str(len(lie.body)))
                self.send_header("Viewfarm-Version", "0.1.0")
                self.end_headers()
                with contextlib.suppress(ConnectionError):  # the client has had enough
                    self.wfile.write(lie.body)

            do_GET = do_POST = do_PATCH = do_DELETE = answer

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def find(self, path: str) -> Lie:
        return next((lie for key, lie in self.lies.items() if re.match(key, path)), Lie(404))

    @contextmanager
    def running(self) -> Iterator[StrangeFarm]:
        thread = threading.Thread(target=self.server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield self
        finally:
            self.server.shutdown()
            self.server.server_close()
            thread.join()
