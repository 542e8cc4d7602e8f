"""What to render, and the doors to ask for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from farm.client import Client

__all__ = ["Client"]


def __getattr__(name: str) -> Any:
    """Import the client when it is asked for: nobody else needs what it is made of."""
    if name == "Client":
        from farm.client import Client

        return Client
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
