"""What a renderer consists of on this machine: all that it must read beside its task's assets."""

from __future__ import annotations

import mimetypes
import os
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

SYSTEM = (
    "/usr", "/lib", "/lib32", "/lib64", "/bin", "/sbin", "/proc", "/sys",
    "/nix/store", "/gnu/store", "/run/opengl-driver", "/run/current-system",
)  # fmt: skip
"""Programs, libraries, fonts, drivers; of other processes /proc shows no secret from in there."""
ETC = (
    "ld.so.cache", "ld.so.conf", "ld.so.conf.d", "localtime", "timezone", "os-release", "fonts",
    "passwd", "group", "nsswitch.conf", "resolv.conf", "hosts", "host.conf", "gai.conf", "services",
    "protocols", "networks", "ssl/certs", "ssl/openssl.cnf", "ssl/cert.pem", "pki/tls/certs",
    "pki/tls/openssl.cnf", "pki/ca-trust", "ca-certificates", "crypto-policies",
    "nvidia", "OpenCL", "vulkan", "glvnd", "egl",
)  # fmt: skip
RUN = ("/run/nvidia-persistenced", "/run/nvidia-fabricmanager", "/run/systemd/resolve",
       "/run/resolvconf", "/run/nscd", "/var/cache/fontconfig")  # fmt: skip
REPLACED = ("/etc/resolv.conf", "/etc/hosts")
"""Files that others rewrite while a renderer runs: the new ones are not behind its walls."""
NAMED = ("SSL_CERT_FILE", "SSL_CERT_DIR", "FONTCONFIG_PATH", "FONTCONFIG_FILE")
"""Variables that name one file or folder."""
LISTS = ("LD_LIBRARY_PATH",)
OF_REDIS = ("ssl_ca_certs", "ssl_ca_path", "ssl_certfile", "ssl_keyfile")
LIBRARIES = ("stdlib", "platstdlib", "purelib", "platlib")
LISTED = (Path("/dev"),)
"""Drivers look around in there; what they open is named one by one."""


OF_SCRIPTS = (
    "/usr", "/lib", "/lib32", "/lib64", "/bin", "/sbin", "/sys", "/nix/store", "/gnu/store",
    "/run/opengl-driver", "/run/current-system", "/var/cache/fontconfig",
    "/run/nvidia-persistenced", "/proc/self", "/proc/sys", "/proc/driver", "/proc/cpuinfo",
    "/proc/meminfo", "/proc/stat", "/proc/devices", "/proc/modules", "/proc/filesystems",
    "/proc/version", "/proc/loadavg",
)  # fmt: skip
"""The same for a process that runs a user's script: nothing of other processes."""
ETC_OF_SCRIPTS = (
    "ld.so.cache", "ld.so.conf", "ld.so.conf.d", "localtime", "timezone", "os-release", "fonts",
    "nvidia", "OpenCL", "vulkan", "glvnd", "egl",
)  # fmt: skip


def software_of_scripts() -> Iterator[Path]:
    """Yield what a process that runs a user's script must be able to read: no names of users, no
    certificates, no addresses.
    """
    yield from map(Path, OF_SCRIPTS)
    yield from (Path("/etc") / name for name in ETC_OF_SCRIPTS)
    yield from python()
    yield from packages()
    for text in (os.environ.get(name, "") for name in LISTS):
        yield from (Path(part) for part in text.split(":") if part.startswith("/"))


def software(redis_url: str) -> Iterator[Path]:
    """Yield the folders and files that a renderer must be able to read."""
    yield from map(Path, (*SYSTEM, *RUN, *mimetypes.knownfiles))
    yield from (Path("/etc") / name for name in ETC)
    yield from python()
    yield from packages()
    yield from (Path(os.environ[name]) for name in NAMED if os.environ.get(name))
    for text in (os.environ.get(name, "") for name in LISTS):
        yield from (Path(part) for part in text.split(":") if part.startswith("/"))
    asked = parse_qs(urlsplit(redis_url).query)
    yield from (Path(path) for name in OF_REDIS for path in asked.get(name, ()))


def python() -> Iterator[Path]:
    """Yield where Python and what is installed for it stand."""
    yield from (Path(sysconfig.get_path(name)) for name in LIBRARIES)
    home = Path.home()
    for prefix in map(Path, {sys.prefix, sys.base_prefix}):
        if not home.is_relative_to(prefix):  # else it holds all that its user has
            yield prefix


def packages() -> Iterator[Path]:
    """Yield folders of installed packages, and what is imported from elsewhere."""
    for entry in map(Path, filter(None, sys.path)):
        if any(entry.glob("*.dist-info")):
            yield entry
    for name, module in tuple(sys.modules.items()):
        if "." not in name:
            yield from places_of(module)


def places_of(module: object) -> Iterator[Path]:
    """Yield the folders of a package, or the file of a module."""
    folders = getattr(module, "__path__", None)
    file = getattr(module, "__file__", None)
    if folders is not None:
        yield from map(Path, folders)
    elif file:
        yield Path(file)
