"""A dataset as one HTML file that needs nothing else: some views, their passes and records."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable, Iterable
from importlib.resources import files
from itertools import islice
from typing import Any

from PIL import Image

from farm.dataset.preview.outlines import Loop, object_outlines
from farm.dataset.preview.tiles import fitting, view_tiles
from farm.dataset.reader import DatasetView
from farm.dataset.spoken import anchors_of, colours_said, nouns_said
from farm.spec.expression import Expression
from farm.spec.recipes import word_of
from farm.spec.record import ViewRecord

TEMPLATE = "page.html"
DATA = "<!-- data -->"
PAGE = "<!-- pages -->"
VIEWS_PER_PAGE = 48
"""A browser has no more in its hands at once, however many there are to leaf through."""
TILE_SIDES_PX = ((400, 400), (1600, 256), (12_000, 160), (float("inf"), 96))
"""(pictures up to, longer side): so the file stays small enough to send, some 20 MB for 2,000
pictures, 60 MB for 60,000."""
QUALITY = 82
WHOLE_RECORDS = 1000
"""Views whose records are in a page as they are: some 40 kB each, where there are sentences."""
BRIEF: dict[str, Any] = {
    **dict.fromkeys(("title", "group", "resolution_px", "coverage", "samples", "files"), True),
    "objects": {
        "__all__": {
            "name", "category", "box_px", "area_px", "visible_fraction", "truncation", "keypoints",
            "attributes",
        }
    },
    "expressions": {
        "__all__": {
            "text", "kind", "level", "targets", "phrases", "negative", "edited", "edited_from",
            "rivals", "source",
        }
    },
}  # fmt: skip
"""What a page of more views has of each record."""
MOST_SENTENCES = 120_000
"""On all of a page: of each view the first, so many that they share evenly."""

PAGE_ELEMENT = '<script type="application/json" id="page-{number}">{data}</script>\n'
"""Views that a browser reads when they are wanted."""
Roles = dict[str, list[str]]
"""What assets of each role are called."""


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
    index: list[Roles] = []
    told: list[list[dict[str, Any]]] = []
    pages: list[str] = []
    most = max(1, MOST_SENTENCES // max(count, 1))
    left = iter(views)
    while some := list(islice(left, VIEWS_PER_PAGE)):
        shown: list[dict[str, Any]] = []
        for view in some:
            pictures = count * (len(view.passes) + 1)
            side_px = next(side for most, side in TILE_SIDES_PX if pictures <= most)
            whole = count <= WHOLE_RECORDS
            shown.append(show(view, side_px=side_px, sentences=most, whole=whole))
            told.append([facets_of(each) for each in view.record.expressions[:most]])
            progress(1)
        index += [each["roles"] for each in shown]
        pages.append(PAGE_ELEMENT.format(number=len(pages), data=as_element(shown)))
    data: dict[str, Any] = {
        "title": title,
        "subtitle": subtitle,
        "perPage": VIEWS_PER_PAGE,
        "views": index,
    }
    data["sentences"] = told
    template = files("farm.dataset.preview").joinpath(TEMPLATE).read_text(encoding="utf-8")
    before, after = template.split(PAGE)
    return "".join((before.replace(DATA, as_element(data)), *pages, after))


def as_element(data: Any) -> str:
    """Return data as JSON that closes no element that it is in."""
    text = json.dumps(data, ensure_ascii=False)
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def show(
    view: DatasetView, *, side_px: int, sentences: int = 0, whole: bool = True
) -> dict[str, Any]:
    """Return what the page knows of a view.

    Args:
        view: The view.
        side_px: Longer side of its pictures.
        sentences: So many of those about it, the first ones.
        whole: Its record as it is, else what the page itself needs of it.
    """
    record = view.record
    tiles = list(view_tiles(view, side_px=side_px))
    shown = record.expressions[:sentences]
    size = fitting(record.resolution_px, side_px)
    meant = {at for each in shown for at in (*each.targets, *anchors_of(each))}
    outlines = object_outlines(view, meant, size)
    record = record.model_copy(update={"expressions": shown})
    return {
        "key": view.key,
        "title": record.title,
        "roles": roles_shown(record),
        "facts": record.view.caption,
        "width": record.resolution_px[0],
        "height": record.resolution_px[1],
        "tiles": [
            {"title": tile.title, "note": tile.note, "src": data_uri(tile.picture)}
            for tile in tiles
        ],
        "record": record.model_dump(mode="json", exclude={"view_id", "timings"})
        if whole
        else record.model_dump(mode="json", include=BRIEF),
        "whole": whole,
        "size": size,
        "outlines": {at: path_of(loops) for at, loops in outlines.items()},
        "more": len(view.record.expressions) - len(shown),
    }


def facets_of(expression: Expression) -> dict[str, Any]:
    """Return by what the page finds a sentence; it reads no more of it until it is looked at."""
    return {
        "text": expression.text,
        "kind": expression.kind,
        "level": expression.level,
        "nouns": nouns_said(expression),
        "colours": colours_said(expression),
        "meant": len(expression.targets),
        "negative": expression.negative,
    }


def path_of(loops: Iterable[Loop]) -> str:
    """Return outlines as the data of a path in SVG."""
    return "".join(
        "M" + "L".join(f"{x:.4g} {y:.4g}" for x, y in loop) + "Z" for loop in loops if loop
    )


def roles_shown(record: ViewRecord) -> Roles:
    """Return the titles of a view's assets, under what one of each role is called."""
    found: Roles = {}
    for asset in record.assets:
        found.setdefault(word_of(asset.role), []).append(asset.title)
    return found


def data_uri(picture: Image.Image) -> str:
    """Return a picture as an address that holds it."""
    file = io.BytesIO()
    picture.save(file, "WEBP", quality=QUALITY, method=4)
    return f"data:image/webp;base64,{base64.b64encode(file.getvalue()).decode()}"
