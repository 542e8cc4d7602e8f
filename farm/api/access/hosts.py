"""The names under which a farm answers: a page in a browser cannot reach it under others."""

from __future__ import annotations

from ipaddress import ip_address

from farm.api.problems import ApiProblem
from farm.api.settings import split

LOCAL = "localhost"
SHOWN_CHARS = 100


class HostNames:
    """The configured names; addresses and `localhost` are always taken.

    A name that an attacker owns can lead to this farm, an address or `localhost` cannot. So where
    nothing is configured and only this machine reaches the API, no other names are taken.
    """

    def __init__(self, hosts: str, *, listens_on: str) -> None:
        self.names = frozenset(name.lower() for name in split(hosts))
        self.any = not self.names and not is_local(listens_on)

    def check(self, header: str) -> None:
        """Raise ApiProblem if a request was sent to another name."""
        name = host_of(header)
        if self.any or is_address(name) or is_local(name) or self._knows(name):
            return
        shown = name[:SHOWN_CHARS]
        raise ApiProblem(
            421,
            f"this farm is not called {shown!r}" if shown else "the request names no host",
            "use one of its names, or have the farm's operator add this one to FARM_HOSTS",
        )

    def _knows(self, name: str) -> bool:
        above = name.partition(".")[2]
        return name in self.names or f"*.{above}" in self.names


def host_of(header: str) -> str:
    """Return the name in a `Host` header, without its port, in small letters."""
    text = header.strip().lower()
    if text.startswith("["):
        return text[1:].partition("]")[0]
    return text.partition(":")[0].removesuffix(".")


def is_address(name: str) -> bool:
    """Say whether a name is an address of numbers."""
    try:
        ip_address(name.partition("%")[0])
    except ValueError:
        return False
    return True


def is_local(name: str) -> bool:
    """Say whether a name or an address is of this machine alone."""
    if name == LOCAL or name.endswith(f".{LOCAL}"):
        return True
    return is_address(name) and ip_address(name.partition("%")[0]).is_loopback
