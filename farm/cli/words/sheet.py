"""A page, or one picture, of objects and what they may be called, to confirm it by."""

from __future__ import annotations

import base64
import io
import json
import math
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from farm.errors import SpecError
from farm.spec.asset import Asset
from farm.spec.words import AssetWords, article_of
from farm.words.words_file import FIELDS, Merged, Proposal

if TYPE_CHECKING:
    from PIL.Image import Image

TEMPLATE, DATA = "sheet.html", "<!-- data -->"
PAGES, PICTURES = (".html", ".htm"), (".jpg", ".jpeg", ".png")
COLUMNS, TILE_PX, TEXT_PX, CARD_PX = 6, 192, 18, 264
SURE, UNSURE, CONFIRMED = "#9098a2", "#e8b04a", "#6fc28a"


def check_sheet(path: Path) -> None:
    """Raise a SpecError where a sheet's name does not say what it is."""
    if path.suffix.lower() not in PAGES + PICTURES:
        wanted = ", ".join(PAGES + PICTURES)
        raise SpecError(f"--sheet: {path.name} does not say what it is by its end: {wanted}")


def sheet_of(
    path: Path,
    objects: Sequence[Asset],
    proposals: Sequence[Proposal],
    made: Merged,
    pictures: Mapping[str, Image],
) -> bytes:
    """Return a sheet of objects: a page that writes words.yaml, or a picture, by its suffix.

    Args:
        path: Where it goes.
        objects: What is named.
        proposals: Of each of them.
        made: What words.yaml says now.
        pictures: By the SHA-256 of the object's file; some may be missing.
    """
    shown = [pictures.get(asset.sha256) for asset in objects]
    if path.suffix.lower() in PAGES:
        return page(proposals, made, shown).encode()
    return drawn(proposals, made, shown, kind="PNG" if path.suffix.lower() == ".png" else "JPEG")


def page(proposals: Sequence[Proposal], made: Merged, pictures: Sequence[Image | None]) -> str:
    """Return the page, which needs nothing else."""
    named = {proposal.key for proposal in proposals}
    data = {
        "objects": [
            {
                "key": proposal.key,
                "words": told(made.words[proposal.key]),
                "why": why_of(proposal, made),
                "sure": proposal.guess.is_sure,
                "picture": address(picture),
            }
            for proposal, picture in zip(proposals, pictures, strict=True)
        ],
        "others": {key: told(words) for key, words in made.words.items() if key not in named},
    }
    text = json.dumps(data, ensure_ascii=False).replace("<", "\\u003c")
    template = files(__package__ or "").joinpath(TEMPLATE).read_text(encoding="utf-8")
    return template.replace(DATA, text)


def told(words: AssetWords) -> dict[str, Any]:
    """Return all fields of an entry."""
    fields = words.model_dump(mode="json")
    fields |= {"plural": words.plural_noun, "article": words.article or article_of(words.noun)}
    return {name: fields[name] for name in FIELDS}


def why_of(proposal: Proposal, made: Merged) -> str:
    """Say where the words of an object are from."""
    return proposal.guess.why if proposal.key in made.added else "as words.yaml has it"


def address(picture: Image | None) -> str | None:
    """Return a picture as an address that holds it."""
    if picture is None:
        return None
    file = io.BytesIO()
    picture.save(file, "WEBP", quality=82)
    return f"data:image/webp;base64,{base64.b64encode(file.getvalue()).decode()}"


def drawn(
    proposals: Sequence[Proposal], made: Merged, pictures: Sequence[Image | None], *, kind: str
) -> bytes:
    """Return all objects as one picture, with their nouns below."""
    from PIL import Image, ImageDraw

    from farm.dataset.preview.drawing import BRIGHT, EMPTY, GAP_PX, MARGIN_PX, PAGE, SOFT, write

    columns = min(COLUMNS, len(proposals))
    rows = math.ceil(len(proposals) / columns)
    size = (
        2 * MARGIN_PX + columns * (TILE_PX + GAP_PX) - GAP_PX,
        2 * MARGIN_PX + rows * (CARD_PX + GAP_PX) - GAP_PX,
    )
    sheet = Image.new("RGB", size, PAGE)
    draw = ImageDraw.Draw(sheet)
    for place, (proposal, picture) in enumerate(zip(proposals, pictures, strict=True)):
        x = MARGIN_PX + place % columns * (TILE_PX + GAP_PX)
        y = MARGIN_PX + place // columns * (CARD_PX + GAP_PX)
        tile = picture if picture is not None else Image.new("RGB", (TILE_PX, TILE_PX), EMPTY)
        sheet.paste(tile.resize((TILE_PX, TILE_PX)), (x, y))
        words = made.words[proposal.key]
        mark = CONFIRMED if words.confirmed else SURE if proposal.guess.is_sure else UNSURE
        draw.rectangle((x, y + TILE_PX, x + TILE_PX - 1, y + TILE_PX + 3), fill=mark)
        sure = words.confirmed or proposal.guess.is_sure
        lines = (
            (words.noun if sure else f"{words.noun} ?", BRIGHT),
            (", ".join(filter(None, (words.hypernym, words.material))), SOFT),
            (proposal.key, SOFT),
        )
        for line, (text, colour) in enumerate(lines):
            corner = (x, y + TILE_PX + 8 + line * (TEXT_PX + 3))
            write(draw, corner, text, size=TEXT_PX, colour=colour, room=TILE_PX)
    file = io.BytesIO()
    sheet.save(file, kind, quality=88)
    return file.getvalue()
