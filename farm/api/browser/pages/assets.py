"""What the library holds, and what its models are called."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query
from pydantic import JsonValue
from starlette.responses import RedirectResponse, Response

from farm.api.access.owners import sees
from farm.api.browser.rendering import page
from farm.api.browser.visitor import Looking, Pressing
from farm.api.routes.assets import Find, wanted_assets, words_of
from farm.api.routes.parameters import Cursor
from farm.api.services import FarmServices
from farm.api.shelf import assets as shelf_assets
from farm.api.shelf import words as shelf_words
from farm.api.shelf.assets import UNKNOWN, Wanted
from farm.spec.asset import KINDS
from farm.spec.wire import WordsList, WordsOf

router = APIRouter(include_in_schema=False)

AT_ONCE = 60
WORDS_AT_ONCE = 24
TEXTS = ("noun", "plural", "article", "synonyms", "hypernym", "material")
CHOICES = ("symmetric", "stands")


@router.get("/assets")
def show_assets(
    services: FarmServices,
    who: Looking,
    wanted: Annotated[Wanted, Depends(wanted_assets)],
    cursor: Cursor = None,
) -> Response:
    """Show what the library holds."""
    may_see = sees(services, who.info)
    found = shelf_assets.shelf(
        services.shelf, services.book, may_see, wanted, cursor=cursor, limit=AT_ONCE
    )
    said = {name: value for name, value in wanted.model_dump().items() if value}
    return page(
        "assets",
        who=who,
        found=found,
        wanted=wanted,
        kinds=KINDS,
        unknown=UNKNOWN,
        licences=shelf_assets.licences(services.shelf.assets(may_see)),
        here_at=address("/assets", said, cursor=cursor),
        first=address("/assets", said) if cursor else None,
        after=address("/assets", said, cursor=found.next) if found.next else None,
    )


@router.get("/assets/words")
def show_words(
    services: FarmServices,
    who: Looking,
    *,
    find: Find = "",
    is_open: Annotated[bool, Query(alias="open")] = False,
    cursor: Cursor = None,
) -> Response:
    """Show what models are called, to confirm it."""
    found = shelf_words.list_words(
        services.shelf, services.words, sees(services, who.info), words_of(services, who.info),
        find=find, is_open=is_open, cursor=cursor, limit=WORDS_AT_ONCE,
    )  # fmt: skip
    said = {"find": find, "open": "true" if is_open else ""}
    return page(
        "words",
        who=who,
        found=found,
        find=find,
        is_open=is_open,
        cursor=cursor or "",
        here_at=address("/assets/words", said, cursor=cursor),
        first=address("/assets/words", said) if cursor else None,
        after=address("/assets/words", said, cursor=found.next) if found.next else None,
    )


@router.post("/assets/words")
def confirm_words(services: FarmServices, who: Looking, fields: Pressing) -> Response:
    """Keep what somebody says of one model."""
    sha256 = fields.get("sha256", "")
    sent = WordsList(entries=(WordsOf.model_construct(sha256=sha256, words=words_in(fields)),))
    shelf_words.say_words(
        services.shelf, services.words, sees(services, who.info), words_of(services, who.info),
        sent, by=who.info.name,
    )  # fmt: skip
    back = {name: fields.get(name, "") for name in ("find", "open", "cursor")}
    return RedirectResponse(address("/assets/words", back), 303)


def words_in(fields: dict[str, str]) -> dict[str, JsonValue]:
    """Return what a form says of a model, as an entry of `words.yaml` has it."""
    said: dict[str, JsonValue] = {
        name: fields[name] for name in TEXTS if fields.get(name, "").strip()
    }
    said |= {name: True for name in CHOICES if fields.get(name)}
    said |= {"confirmed": True}
    size = [fields.get(name, "").strip() for name in ("size_least", "size_most")]
    return said | ({"size_m": list[JsonValue](size)} if any(size) else {})


def address(place: str, said: dict[str, Any], *, cursor: str | None = None) -> str:
    """Return the address of a list."""
    words = {**said, "cursor": cursor}
    query = urlencode(
        {name: "true" if value is True else value for name, value in words.items() if value}
    )
    return f"{place}?{query}" if query else place
