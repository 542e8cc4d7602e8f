"""Ports of this machine: free, or answered by a server."""

from __future__ import annotations

import socket
import urllib.request

from farm.errors import SetupError
from farm.local.processes.redis_server import free_port

PROBE_S = 5.0


def check_port(host: str, port: int, *, flag: str) -> None:
    """Fail at once if another program listens.

    Raises:
        SetupError: `port` is not available; `flag` chooses another.
    """
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise SetupError(
                f"{host}:{port} is not available ({error.strerror}): "
                f"choose another port, such as {flag} {free_port()}"
            ) from None


def answers_ok(url: str) -> bool:
    """Say whether a server of this machine answers with 200."""
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with direct.open(url, timeout=PROBE_S) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
