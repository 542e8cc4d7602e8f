"""The network of a run, and ways to cut it: real ones in namespaces, a proxy on the loopback."""

from __future__ import annotations

import contextlib
import ctypes
import os
import selectors
import shutil
import signal
import socket
import subprocess
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

from farm.local.processes.redis_server import free_port

PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None)
"""Loaded before any fork: a child between fork and exec must not load anything."""
NET = "10.213.7"
REDIS_PORT = 6379


def spawn(
    command: Sequence[str], *, environment: Mapping[str, str], log: Path, net: int | None,
    stdin: int | IO[bytes] = subprocess.DEVNULL,
) -> subprocess.Popen[bytes]:  # fmt: skip
    """Start a process that leads its own group, in a network namespace, and dies with us."""

    def before() -> None:
        LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if net is not None:
            os.setns(net, os.CLONE_NEWNET)

    with log.open("ab") as output:
        return subprocess.Popen(
            command,
            stdin=stdin,
            stdout=output,
            stderr=output,
            env=environment,
            start_new_session=True,
            preexec_fn=before,
        )


class Gate(threading.Thread):
    """Passes bytes on from a port of its own to another one, until it is cut: then silence."""

    def __init__(self, port: int) -> None:
        super().__init__(name="gate", daemon=True)
        self.target = port
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port: int = self.listener.getsockname()[1]
        self.open = threading.Event()
        self.open.set()
        self.ended = threading.Event()
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.listener, selectors.EVENT_READ, None)

    def run(self) -> None:
        while not self.ended.is_set():
            self.open.wait()
            for key, _ in self.selector.select(0.1):
                if not self.open.is_set():
                    break
                if key.data is None:
                    self._accept()
                else:
                    self._pass_on(key.fileobj, key.data)

    def close(self) -> None:
        self.ended.set()
        self.open.set()
        self.join()
        for key in list(self.selector.get_map().values()):
            key.fileobj.close()
        self.selector.close()

    def _accept(self) -> None:
        near, _ = self.listener.accept()
        try:
            far = socket.create_connection(("127.0.0.1", self.target), timeout=1)
        except OSError:
            near.close()
            return
        for one, other in ((near, far), (far, near)):
            one.settimeout(30)
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.selector.register(one, selectors.EVENT_READ, other)

    def _pass_on(self, source: socket.socket, target: socket.socket) -> None:
        if source.fileno() < 0:  # closed a moment ago, with its other end
            return
        try:
            data = source.recv(1 << 16)
            target.sendall(data)
        except OSError:
            data = b""
        if not data:
            for each in (source, target):
                with contextlib.suppress(KeyError, ValueError):
                    self.selector.unregister(each)
                each.close()


class ProxyPlace:
    """A place on the loopback from which Redis is reached through a gate."""

    def __init__(self, redis_port: int) -> None:
        self.gate = Gate(redis_port)
        self.gate.start()
        self.redis_address = f"127.0.0.1:{self.gate.port}"
        self.net: int | None = None

    def cut(self, *, silently: bool) -> None:
        self.gate.open.clear()

    def mend(self) -> None:
        self.gate.open.set()

    def close(self) -> None:
        self.gate.close()


class ProxyNet:
    """All on the loopback."""

    name = "loopback, cut by a proxy"

    def __init__(self) -> None:
        self.redis_port = free_port()
        self.redis_bind = "127.0.0.1"
        self.redis_net: int | None = None
        self.redis_address = f"127.0.0.1:{self.redis_port}"
        self.places: list[ProxyPlace] = []

    def place(self) -> ProxyPlace:
        self.places.append(ProxyPlace(self.redis_port))
        return self.places[-1]

    def cut_redis(self) -> None:
        for place in self.places:
            place.cut(silently=True)

    def mend_redis(self) -> None:
        for place in self.places:
            place.mend()

    def close(self) -> None:
        for place in self.places:
            place.close()


class NamespacePlace:
    """A network namespace of its own, with a cable to the bridge of the run."""

    def __init__(self, number: int) -> None:
        self.cable = f"cable{number}"
        self.net: int | None = new_namespace()
        ip("link", "add", self.cable, "type", "veth", "peer", "name", "inside")
        ip("link", "set", "inside", "netns", f"/proc/{os.getpid()}/fd/{self.net}")
        ip("link", "set", self.cable, "master", "farm", "up")
        for command in (
            ("link", "set", "lo", "up"),
            ("addr", "add", f"{NET}.{number}/24", "dev", "inside"),
            ("link", "set", "inside", "up"),
        ):
            ip(*command, net=self.net)
        self.redis_address = f"{NET}.1:{REDIS_PORT}"

    def cut(self, *, silently: bool) -> None:
        """Pull the cable; silently: packets vanish while the cable seems to be in."""
        if silently:
            ip("link", "set", self.cable, "nomaster")
        else:
            ip("link", "set", self.cable, "down")

    def mend(self) -> None:
        ip("link", "set", self.cable, "master", "farm", "up")

    def close(self) -> None:
        if self.net is not None:
            os.close(self.net)  # with its last process the namespace is gone, and its cable


class NamespaceNet:
    """A bridge in a namespace of this process; each part of the farm has one of its own beside it.

    Nothing is named in the system and nothing has to be cleaned up: a namespace lives as long as
    somebody is in it or holds it open.
    """

    name = "network namespaces, cut at their cables"

    def __init__(self) -> None:
        os.unshare(os.CLONE_NEWNET)
        ip("link", "set", "lo", "up")
        ip("link", "add", "farm", "type", "bridge")
        ip("addr", "add", f"{NET}.254/24", "dev", "farm")
        ip("link", "set", "farm", "up")
        self.places: list[NamespacePlace] = []
        self.redis = self.place()
        self.redis_port = REDIS_PORT
        self.redis_bind = f"{NET}.1"
        self.redis_net = self.redis.net
        self.redis_address = self.redis.redis_address

    def place(self) -> NamespacePlace:
        self.places.append(NamespacePlace(len(self.places) + 1))
        return self.places[-1]

    def cut_redis(self) -> None:
        self.redis.cut(silently=True)

    def mend_redis(self) -> None:
        self.redis.mend()

    def close(self) -> None:
        for place in self.places:
            place.close()


def namespaces_are_here() -> str:
    """Return why no network namespace can be made here; nothing where one can."""
    if not hasattr(os, "setns"):
        return "Python 3.12 or newer can, this one cannot"
    if shutil.which("ip") is None:
        return "there is no `ip` (iproute2)"
    asked = ["ip", "link", "add", "farm-probe", "type", "bridge"]
    done = subprocess.run(["unshare", "--net", *asked], capture_output=True, text=True, check=False)
    return done.stderr.strip().splitlines()[-1] if done.returncode else ""


def new_namespace() -> int:
    """Return an open file that keeps a new network namespace."""
    here = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    try:
        os.unshare(os.CLONE_NEWNET)
        return os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    finally:
        os.setns(here, os.CLONE_NEWNET)
        os.close(here)


def ip(*words: str, net: int | None = None) -> None:
    """Configure the network, of this process or of another namespace."""

    def enter() -> None:
        if net is not None:
            os.setns(net, os.CLONE_NEWNET)

    subprocess.run(["ip", *words], check=True, capture_output=True, text=True, preexec_fn=enter)
