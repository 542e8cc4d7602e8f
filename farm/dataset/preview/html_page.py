"""A dataset as one HTML file that needs nothing else: some views, their passes and records."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable, Iterable
from importlib.resources import files
from typing import Any

from PIL import Image

from farm.dataset.preview.tiles import view_tiles
from farm.dataset.reader import DatasetView
from farm.spec.recipes import word_of
from farm.spec.record import ViewRecord

TEMPLATE = "page.html"
DATA = "<!-- data -->"
THUMB_PX = 240
TILE_SIDES_PX = ((400, 400), (1600, 256), (float("inf"), 160))
"""(pictures up to, longer side): so the page stays below some 15 MB, whatever it shows."""
QUALITY = 82


def make_page(
    views: Iterable[DatasetView],
    *,
    count: int,
    title: str,
    subtitle: str,
    progress: Callable[[int], None] = lambda _views: None,
) -> str:
    """Return the page.

    Args:
        views: Those to show.
        count: How many they are.
        title: What a person calls the dataset.
        subtitle: What it holds.
        progress: Called with the number of views that were drawn since it was called.
    """
    shown: list[dict[str, Any]] = []
    for view in views:
        pictures = count * (len(view.passes) + 1)
        side_px = next(side for most, side in TILE_SIDES_PX if pictures <= most)
        shown.append(show(view, side_px=side_px))
        progress(1)
    data = json.dumps({"title": title, "subtitle": subtitle, "views": shown}, ensure_ascii=False)
    # What closes the element that the data are in must not be in the data.
    safe = data.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
    template = files("farm.dataset.preview").joinpath(TEMPLATE).read_text(encoding="utf-8")
    return template.replace(DATA, safe)


def show(view: DatasetView, *, side_px: int) -> dict[str, Any]:
    """Return what the page knows of a view."""
    record = view.record
    tiles = list(view_tiles(view, side_px=side_px))
    thumb = tiles[0].picture.copy()
    thumb.thumbnail((THUMB_PX, THUMB_PX))
    return {
        "key": view.key,
        "title": record.title,
        "roles": roles_shown(record),
        "facts": record.view.caption,
        "thumb": data_uri(thumb),
        "width": record.resolution_px[0],
        "height": record.resolution_px[1],
        "tiles": [
            {"title": tile.title, "note": tile.note, "src": data_uri(tile.picture)}
            for tile in tiles
        ],
        "record": record.model_dump(mode="json", exclude={"view_id", "timings"}),
    }


def roles_shown(record: ViewRecord) -> dict[str, list[str]]:
    """Return the titles of a view's assets, under what one of each role is called."""
    found: dict[str, list[str]] = {}
    for asset in record.assets:
        found.setdefault(word_of(asset.role), []).append(asset.title)
    return found


def data_uri(picture: Image.Image) -> str:
    """Return a picture as an address that holds it."""
    file = io.BytesIO()
    picture.save(file, "WEBP", quality=QUALITY, method=4)
    return f"data:image/webp;base64,{base64.b64encode(file.getvalue()).decode()}"
