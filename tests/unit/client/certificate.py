"""A certificate that no authority has signed, made by the openssl command."""

from __future__ import annotations

import contextlib
import shutil
import socket
import ssl
import subprocess
from pathlib import Path

import pytest

if shutil.which("openssl") is None:
    pytest.skip("no openssl command", allow_module_level=True)


def write(folder: Path) -> Path:
    """Write key and certificate into one file."""
    file = folder / "server.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
         "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1",
         "-keyout", file, "-out", folder / "cert.pem"],
        check=True, capture_output=True,
    )  # fmt: skip
    file.write_bytes(file.read_bytes() + (folder / "cert.pem").read_bytes())
    return file


def greet(server: socket.socket, context: ssl.SSLContext) -> None:
    """Offer the certificate to one client."""
    raw, _address = server.accept()
    with raw, contextlib.suppress(ssl.SSLError, OSError):
        context.wrap_socket(raw, server_side=True).close()
