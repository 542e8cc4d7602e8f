"""A farm over HTTP: the client behind the command line, usable from Python."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from farm.client.client import Client
    from farm.client.download import DownloadSummary

__all__ = ["Client", "DownloadSummary"]


def __getattr__(name: str) -> Any:
    """Import what is asked for: commands that talk to nobody need no HTTP."""
    if name == "Client":
        from farm.client.client import Client

        return Client
    if name == "DownloadSummary":
        from farm.client.download import DownloadSummary

        return DownloadSummary
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
