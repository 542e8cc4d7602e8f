"""What a site must be able to do. A new one is one file beside this with a class like it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from farm.spec.asset import AssetKind
from scraper.asset import RemoteAsset


@dataclass(frozen=True)
class Query:
    """What is looked for."""

    kind: AssetKind = "model"
    words: str = ""
    license: str | None = None
    """`cc_zero` or another word of the source's."""


class Source(Protocol):
    """A site that has assets."""

    name: str
    credit: str | None
    """What the site wants its users to read."""

    def search(self, query: Query) -> Iterator[RemoteAsset]:
        """Yield what the site has, the best first; files may still be missing."""

    def complete(self, asset: RemoteAsset) -> RemoteAsset:
        """Return `asset` with its files."""

    def link(self, url: str) -> str:
        """Return where the bytes behind a file's `download_url` come from right now.

        Raises:
            ItemError: They are not to be had.
            SiteRefusedError: The site wants no more requests.
        """


def listed(value: object) -> list[Any]:
    """Return a list of a site's answer; an empty one where it is none."""
    return value if isinstance(value, list) else []
