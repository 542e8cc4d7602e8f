"""Whether the API can do its work."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from farm.api.services import Services
from farm.errors import FarmError


def checks(services: Services) -> Iterator[tuple[str, bool, str]]:
    """Yield (part, works, a sentence) for all that the API depends on."""
    yield look("redis", services.ledger.now_s)
    yield look("storage", lambda: services.storage.size("jobs/.health"))


def look(part: str, ask: Callable[[], object]) -> tuple[str, bool, str]:
    """Ask one part something cheap."""
    try:
        ask()
    except FarmError as error:
        return part, False, f"{part}: {error}"
    return part, True, f"{part}: ok"
