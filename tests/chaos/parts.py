"""The processes of a run: Redis, the dispatcher and the workers, each real and each mortal."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import redis

from farm.local.processes.redis_server import server_program
from tests.chaos.net import NamespaceNet, NamespacePlace, ProxyNet, ProxyPlace, spawn
from tests.support.farms.whole_farm import RUN_WORKER
from tests.support.waiting import wait_for

Place = ProxyPlace | NamespacePlace
Net = ProxyNet | NamespaceNet


class Part:
    """A process that somebody starts again whenever it ends, as a container engine would."""

    def __init__(self, name: str, command: list[str], environment: dict[str, str], log: Path):
        self.name = name
        self.command = command
        self.environment = environment
        self.log = log
        self.net: int | None = None
        self.process: subprocess.Popen[bytes] | None = None
        self.started = 0

    def start(self) -> None:
        self.process = spawn(self.command, environment=self.environment, log=self.log, net=self.net)
        self.started += 1

    def signal(self, number: int, pids: Iterable[int]) -> None:
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    @property
    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def family(self) -> list[int]:
        """Return the processes of this part: it leads a session, and they are in it."""
        pids = [int(folder.name) for folder in Path("/proc").iterdir() if folder.name.isdigit()]
        return [pid for pid in pids if session_of(pid) == self.pid]

    def renderers(self) -> list[int]:
        """Return the processes that render: not the main one, nor the one of semaphores."""
        return [pid for pid in self.family() if b"spawn_main" in command_of(pid)]

    def kill(self) -> None:
        """Kill it with all that it started, frozen or not."""
        if self.process is not None:
            self.signal(signal.SIGKILL, self.family())
            self.process.wait()

    def terminate(self, timeout_s: float = 120) -> None:
        """Ask it to end, and wait for that."""
        if self.process is None or not self.alive:
            return
        self.process.terminate()
        try:
            self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(
                f"{self.name} did not end {timeout_s:.0f} s after SIGTERM"
            ) from None
        self.kill()


class RedisPart:
    """A Redis with a log that is written once a second, and with a past that can be cut off."""

    def __init__(self, folder: Path, net: Net) -> None:
        self.folder = folder
        self.folder.mkdir()
        self.net = net
        self.password = secrets.token_urlsafe(12)
        self.process: subprocess.Popen[bytes] | None = None
        self.client = redis.Redis.from_url(
            self.url(net.redis_address), decode_responses=True, socket_timeout=60
        )

    def url(self, address: str) -> str:
        return f"redis://:{self.password}@{address}/0"

    def start(self) -> None:
        log = self.folder.with_suffix(".log")
        self.process = spawn(
            [server_program(), "-"],
            environment=os.environ.copy(),
            log=log,
            net=self.net.redis_net,
            stdin=subprocess.PIPE,
        )
        assert self.process.stdin is not None
        self.process.stdin.write(self._config().encode())
        self.process.stdin.close()
        wait_for(self._answers, f"Redis answers; see {log}")

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def terminate(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait(120)

    def log_size(self) -> int:
        return self._newest_log().stat().st_size

    def forget_since(self, size: int) -> None:
        """Cut off what was written after the log had this size, while Redis is down."""
        path = self._newest_log()
        os.truncate(path, min(size, path.stat().st_size))

    def forget_all(self) -> None:
        shutil.rmtree(self.folder)
        self.folder.mkdir()

    def _newest_log(self) -> Path:
        return max(
            (self.folder / "appendonlydir").glob("*.incr.aof"), key=lambda p: p.stat().st_mtime
        )

    def _answers(self) -> bool:
        with contextlib.suppress(redis.RedisError):
            return bool(self.client.ping())
        return False

    def _config(self) -> str:
        return "\n".join(
            (
                f"bind {self.net.redis_bind}",
                f"port {self.net.redis_port}",
                f"requirepass {self.password}",
                f"dir {self.folder}",
                "appendonly yes",
                "appendfsync everysec",
                "auto-aof-rewrite-percentage 0",
                'save ""',
                "daemonize no",
                "",
            )
        )


def worker_part(number: int, environment: dict[str, str], log: Path) -> Part:
    name = f"w{number}"
    return Part(name, [sys.executable, "-c", RUN_WORKER, "--name", name], environment, log)


def dispatcher_part(environment: dict[str, str], log: Path) -> Part:
    return Part("dispatcher", [sys.executable, "-m", "farm", "dispatcher"], environment, log)


def command_of(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def session_of(pid: int) -> int:
    try:
        return os.getsid(pid)
    except OSError:
        return -1
