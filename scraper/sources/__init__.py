"""The sites that assets come from; a new one is one file and one line here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from scraper.fetching.http_client import Note, PoliteClient
from scraper.settings import SourceSettings
from scraper.sources.base import Query, Source
from scraper.sources.blenderkit import BlenderKit
from scraper.sources.polyhaven import PolyHaven

__all__ = ["SOURCES", "Query", "Source", "Tools"]


@dataclass(frozen=True)
class Tools:
    """What a source is made from."""

    client: PoliteClient
    settings: SourceSettings
    scene_uuid: Callable[[], str]
    """Gives the id of the project that assets are fetched for."""
    note: Note


def _blenderkit(tools: Tools) -> Source:
    return BlenderKit(
        tools.client,
        server=tools.settings.blenderkit_server,
        key=tools.settings.blenderkit_api_key.get_secret_value(),
        scene_uuid=tools.scene_uuid,
        note=tools.note,
    )


def _polyhaven(tools: Tools) -> Source:
    return PolyHaven(tools.client, server=tools.settings.polyhaven_server)


SOURCES: dict[str, Callable[[Tools], Source]] = {
    "blenderkit": _blenderkit,
    "polyhaven": _polyhaven,
}
