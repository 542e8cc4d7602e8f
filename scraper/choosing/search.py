"""Looking for assets: what `search` shows and `scrape` writes down."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice

from scraper.asset import RemoteAsset, newest_of_each
from scraper.choosing.filters import Filter
from scraper.choosing.variants import choose_file
from scraper.context import Context
from scraper.errors import ItemError
from scraper.sources import Query

MAX_ROWS = 10_000
"""Most results that a search looks at before it gives up; BlenderKit itself counts no further."""


@dataclass(frozen=True)
class Search:
    """What is looked for, and where."""

    source: str
    query: Query
    """What the site is asked."""
    wanted: Filter
    """What the user asks beyond that."""
    resolution: str | None = None
    """Variant by whose size the rules go."""
    complete: bool = True
    """Ask for the files of assets that come without."""


def find(context: Context, search: Search) -> Iterator[RemoteAsset]:
    """Yield the assets that fit, as they come; one may come again in another version."""
    site = context.source(search.source)
    for asset in islice(site.search(search.query), MAX_ROWS):
        if search.wanted.refusal(asset, None):
            continue
        try:
            whole = site.complete(asset) if search.complete else asset
        except ItemError as error:
            context.note(str(error))
            continue
        is_open = not search.complete and not whole.files
        file = choose_file(whole, search.resolution)
        if is_open or (file and not search.wanted.refusal(whole, file)):
            yield whole


def gather(
    found: Iterator[RemoteAsset], limit: int, into: list[RemoteAsset], report: Callable[[int], None]
) -> None:
    """Put assets into a list until there are `limit` of them, each in its newest version.

    The list holds what was found, whatever ends the search.
    """
    seen: set[tuple[str, str]] = set()
    try:
        for asset in found:
            into.append(asset)
            seen.add(asset.key)
            report(len(seen))
            if len(seen) >= limit:
                return
    finally:
        into[:] = newest_of_each(into)
