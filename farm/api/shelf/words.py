"""What people call the models of the library: guessed, until somebody confirms or mends it.

`words/<whose>/<sha256>.json` on storage has what was said of a file: of all users of a farm that
shares, else of each by themselves.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import PurePath

from pydantic import ValidationError

from farm.api.problems import ApiProblem, not_found
from farm.api.shelf.assets import cursor_of, found_by, page_of
from farm.api.shelf.index import Held, ShelfIndex
from farm.holdings import hash_of_name
from farm.spec.base import Kept
from farm.spec.wire import NamedAsset, NamedAssets, WordsList
from farm.spec.words import AssetWords, key_of, reason_of
from farm.storage import Storage
from farm.words.guess import Guess, Known, guess
from farm.words.names import name_of_path

log = logging.getLogger(__name__)

FOLDER = "words"
ALL = "all"
"""Whose words are those of a farm that shares."""
ASKED_AT_ONCE = 16
LOOKED_AT = 500
"""Most models that are looked at for one answer, where few fit."""
FRESH_S = 30.0
"""Time for which what was read is not read again: another server may write, too."""
MOST_KEPT = 100_000


class SaidWords(Kept):
    """What somebody said of a file."""

    words: AssetWords
    by: str
    at_s: float


class WordShelf:
    """What people said, on a farm's storage; many threads may ask."""

    def __init__(self, storage: Storage, clock: Callable[[], float] = time.time) -> None:
        self.storage = storage
        self._clock = clock
        self._kept: dict[tuple[str, str], tuple[float, SaidWords | None]] = {}
        self._lock = threading.Lock()

    def said(self, whose: str, sha256s: Sequence[str]) -> dict[str, SaidWords]:
        """Return what was said of files."""
        now_s = self._clock()
        old = [
            sha256
            for sha256 in sha256s
            if now_s - self._kept.get((whose, sha256), (-FRESH_S, None))[0] >= FRESH_S
        ]
        if old:
            with ThreadPoolExecutor(ASKED_AT_ONCE) as pool:
                found = list(pool.map(lambda sha256: self._read(whose, sha256), old))
            for sha256, said in zip(old, found, strict=True):
                self._remember(whose, sha256, said)
        kept = ((sha256, self._kept.get((whose, sha256))) for sha256 in sha256s)
        return {sha256: known[1] for sha256, known in kept if known and known[1]}

    def say(self, whose: str, sha256: str, words: AssetWords, *, by: str) -> SaidWords:
        """Keep what somebody says of a file."""
        said = SaidWords(words=words, by=by, at_s=self._clock())
        self.storage.put(key(whose, sha256), said.model_dump_json().encode())
        self._remember(whose, sha256, said)
        return said

    def _read(self, whose: str, sha256: str) -> SaidWords | None:
        data = self.storage.get(key(whose, sha256))
        try:
            return SaidWords.model_validate_json(data) if data else None
        except ValidationError as error:
            log.warning("%s: is not what this version can read: %s", key(whose, sha256), error)
            return None

    def _remember(self, whose: str, sha256: str, said: SaidWords | None) -> None:
        with self._lock:
            while len(self._kept) >= MOST_KEPT:
                self._kept.pop(next(iter(self._kept)))
            self._kept[whose, sha256] = (self._clock(), said)


def key(whose: str, sha256: str) -> str:
    """Return where storage keeps what was said of a file."""
    return f"{FOLDER}/{whose}/{sha256}.json"


def whose_words(name: str, *, shared: bool) -> str:
    """Return whose words somebody reads and writes."""
    return ALL if shared else hash_of_name(name)


def list_words(  # noqa: PLR0913 - what is listed, for whom, and which part of it
    index: ShelfIndex,
    shelf: WordShelf,
    sees: Callable[[str], bool],
    whose: str,
    *,
    find: str = "",
    is_open: bool = False,
    cursor: str | None,
    limit: int,
) -> NamedAssets:
    """Return a page of the models that somebody may see, and what they are called.

    Args:
        index: What jobs tell of assets.
        shelf: What people said.
        sees: Says whether somebody may see what is an owner's.
        whose: Whose words are read.
        find: Words that must all be in what is known of a model.
        is_open: Only those that nobody has confirmed.
        cursor: Where to continue.
        limit: Most models of the page.

    Raises:
        ApiProblem: This server did not issue the cursor.
    """
    unread = index.refresh()
    models = [held for held in index.assets(sees) if held.kind == "model"]
    names = Counter(held.name for held in models)
    part = page_of(
        [held for held in models if found_by(held, find)], cursor=cursor, limit=LOOKED_AT
    )
    said = shelf.said(
        whose, [held.sha256 for held in (part.held if is_open else part.held[:limit])]
    )
    found: list[NamedAsset] = []
    for at, held in enumerate(part.held):
        if len(found) == limit:
            after = cursor_of(part.held[at - 1])
            return NamedAssets(items=tuple(found), next=after, unread=unread)
        named = named_asset(held, said.get(held.sha256), alone=names[held.name] == 1)
        if not (is_open and named.words.confirmed):
            found.append(named)
    return NamedAssets(items=tuple(found), next=part.next, unread=unread)


def named_asset(held: Held, said: SaidWords | None, *, alone: bool) -> NamedAsset:
    """Return what a model is called: what somebody said, else what is guessed."""
    name = held.name if alone else key_of(held.name, held.sha256)
    guessed = guess_of(held, name)
    return NamedAsset(
        sha256=held.sha256,
        name=held.name,
        key=name,
        words=said.words if said else guessed.words,
        why=f"{'confirmed' if said.words.confirmed else 'said'} by {said.by}"
        if said
        else guessed.why,
        is_sure=said is not None or guessed.is_sure,
    )


def guess_of(held: Held, name: str) -> Guess:
    """Guess what a model is called, by its name, category and tags."""
    credit = held.credit
    known = Known(
        key=name,
        name=name_of_path((), PurePath(held.name).stem),
        title=credit.name,
        category=credit.category,
        tags=credit.tags,
    )
    return guess(known)


def say_words(  # noqa: PLR0913 - what is said, by whom, of what
    index: ShelfIndex,
    shelf: WordShelf,
    sees: Callable[[str], bool],
    whose: str,
    sent: WordsList,
    *,
    by: str,
) -> tuple[NamedAsset, ...]:
    """Keep what somebody says of models: all of it, or nothing where a part is wrong.

    Raises:
        ApiProblem: A model is not there, or its words are not words.
    """
    index.refresh()
    ready = [(model(index, sees, each.sha256), each.words) for each in sent.entries]
    read = [(held, read_entry(held.name, words)) for held, words in ready]
    kept = [(held, shelf.say(whose, held.sha256, words, by=by)) for held, words in read]
    names = Counter(held.name for held in index.assets(sees) if held.kind == "model")
    return tuple(named_asset(held, said, alone=names[held.name] == 1) for held, said in kept)


def model(index: ShelfIndex, sees: Callable[[str], bool], sha256: str) -> Held:
    """Return a model that somebody may see.

    Raises:
        ApiProblem: There is none.
    """
    held = index.asset(sha256, sees)
    if held is None:
        raise not_found(f"asset {sha256[:12]!r}", "list the assets: GET /v1/assets/shelf")
    if held.kind != "model":
        raise ApiProblem(
            422, f"{held.name}: only models have words, and it is of the kind {held.kind}",
            "leave it out",
        )  # fmt: skip
    return held


def read_entry(name: str, words: Mapping[str, object]) -> AssetWords:
    """Return the words of an entry.

    Raises:
        ApiProblem: They are not words.
    """
    try:
        return AssetWords.model_validate(words)
    except ValidationError as error:
        raise ApiProblem(
            422, f"{name}: {reason_of(error, dict(words))}", "correct it and send it again"
        ) from None
