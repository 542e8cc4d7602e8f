"""What the commands work with: settings, sources, one polite client, a place for words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import version

import httpx
from rich.console import Console
from rich.markup import escape

from farm.errors import SpecError
from farm.spec.hint import none_of
from scraper.asset import RemoteAsset
from scraper.catalog import Catalog
from scraper.fetching.http_client import TIMEOUT, Clock, PoliteClient
from scraper.settings import SourceSettings, load_source_settings
from scraper.sources import SOURCES, Source, Tools


@dataclass
class Context:
    """Opened for one command."""

    settings: SourceSettings
    client: PoliteClient
    catalog: Catalog
    clock: Clock
    console: Console
    """For people: stderr, so that stdout is for what was asked for."""
    _sources: dict[str, Source] = field(default_factory=dict)

    def note(self, sentence: str) -> None:
        """Tell the user something."""
        say(self.console, sentence)

    def source(self, name: str) -> Source:
        """Return the source called `name`, made once; show what it wants to be shown.

        Raises:
            SpecError: There is none.
        """
        if name not in SOURCES:
            raise SpecError(f"source: {none_of(name, SOURCES)}")
        if name not in self._sources:
            tools = Tools(self.client, self.settings, self.catalog.scene_uuid, self.note)
            source = self._sources[name] = SOURCES[name](tools)
            if source.credit:
                self.console.print(escape(source.credit))
        return self._sources[name]

    def complete(self, asset: RemoteAsset) -> RemoteAsset:
        """Return `asset` with its files."""
        return asset if asset.files else self.source(asset.source).complete(asset)


@contextmanager
def open_context(catalog: Catalog, clock: Clock) -> Iterator[Context]:
    """Read the environment and make the client; nothing is sent yet."""
    console = Console(stderr=True, highlight=False)
    settings = load_source_settings()

    def note(sentence: str) -> None:
        say(console, sentence)

    with httpx.Client(timeout=TIMEOUT) as http:
        client = PoliteClient(
            http,
            user_agent=user_agent(settings.farm_assets_contact),
            clock=clock,
            note=note,
            spacing_s=settings.farm_assets_spacing_s,
        )
        yield Context(settings, client, catalog, clock, console)


def user_agent(contact: str) -> str:
    """Return who we are, and whom to turn to if the user has said so."""
    name = f"viewfarm/{version('viewfarm')} (asset library of a render farm"
    plain = "".join(char for char in contact if " " <= char <= "~")
    return f"{name}; {plain})" if plain else f"{name})"


def say(console: Console, sentence: str) -> None:
    """Print one sentence for the user."""
    console.print(f"note: {escape(sentence)}", soft_wrap=True)
