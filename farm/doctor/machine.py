"""The Python and the memory of this machine."""

from __future__ import annotations

import platform
import shutil
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from farm.doctor.finding import Finding, fine, warning

ROLES = {
    "client": ("pydantic", "httpx", "typer"),
    "server": ("celery", "redis", "flower", "fastapi", "uvicorn"),
    "worker": ("celery", "redis", "bpy", "openexr", "imagecodecs"),
}
"""Packages of each kind of install; it counts only if it has all of them."""
WORKER_PYTHON = (3, 13)
SHARED_MEMORY = Path("/dev/shm")
WANTED_SHARED_BYTES = 256 << 20
"""Passes of one view of 4096 x 4096 pixels, twice."""


def python() -> Iterator[Finding]:
    """Report which Python runs; bpy has wheels for only one."""
    sentence = f"Python {platform.python_version()} on {platform.platform(terse=True)}"
    if sys.version_info[:2] == WORKER_PYTHON:
        yield fine("python", sentence)
    else:
        yield fine("python", f"{sentence}: it can submit and serve; only 3.13 renders")


def packages() -> Iterator[Finding]:
    """Report what is installed, and what that is enough for."""
    found = {name: installed(name) for names in ROLES.values() for name in names}
    able = [role for role, names in ROLES.items() if all(found[name] for name in names)]
    told = ", ".join(f"{name} {number}" for name, number in found.items() if number)
    yield fine(
        "packages",
        f"viewfarm {installed('viewfarm') or 'unpacked'} as {' + '.join(able) or 'nothing'}: "
        f"{told}",
    )


def installed(package: str) -> str | None:
    """Return the version of a package, None where it is not installed."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def shared_memory() -> Iterator[Finding]:
    """Report whether temporary pictures fit into memory."""
    if not SHARED_MEMORY.is_dir():
        return  # not Linux: they pass through the system's folder for temporary files
    size = shutil.disk_usage(SHARED_MEMORY)
    sentence = f"{SHARED_MEMORY} has {readable(size.free)} of {readable(size.total)} free"
    if size.free < WANTED_SHARED_BYTES:
        yield warning(
            "memory",
            f"{sentence}, too little for the passes of large pictures",
            "give a container --shm-size 1g (shm_size in Compose), or set FARM_SCRATCH to a folder",
        )
    else:
        yield fine("memory", sentence)


def readable(size_bytes: int) -> str:
    """Return a size for people."""
    if size_bytes >= 1 << 30:
        return f"{size_bytes / (1 << 30):.1f} GiB"
    return f"{size_bytes / (1 << 20):.0f} MiB"
