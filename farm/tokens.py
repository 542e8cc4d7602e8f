"""Tokens: who may ask the farm for what, and until when. Only a hash of each secret is kept."""

from __future__ import annotations

import hashlib
import hmac
import logging
import re
import secrets
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

from pydantic import ValidationError

from farm.errors import StorageError
from farm.spec.base import Kept
from farm.spec.role import Role
from farm.spec.wire import SOON_S, TokenInfo
from farm.storage import Storage

log = logging.getLogger(__name__)

FOLDER = "auth"
CACHE_S = 3.0
"""Longest time that a token stays cached: a revoked one is refused after it."""
CACHED_TOKENS = 1000
NOTED_EVERY_S = 60.0
"""Shortest time between two notes of when a token was used."""
LAST_S = 253_402_300_799.0
"""The last second that calendars know."""
GENERATIONS = 5
"""Most tokens that hang on each other, one made with the one before."""
NAME_CHARS = 80
ID = re.compile(r"[0-9a-f]{12}")
TOKEN = re.compile(r"farm_([0-9a-f]{12})_([0-9A-Za-z_-]{20,100})")


class KeptToken(Kept):
    """The stored facts of a token."""

    info: TokenInfo
    sha256: str
    """Hash of the secret, which has 256 random bits: nothing slower is needed."""


class TokenBook:
    """The tokens of a farm, on its storage."""

    def __init__(
        self,
        storage: Storage,
        *,
        clock: Callable[[], float] = time.monotonic,
        now_s: Callable[[], float] = time.time,
    ) -> None:
        self.storage = storage
        self.clock = clock
        self.now_s = now_s
        self.cache: dict[str, tuple[float, KeptToken | None]] = {}
        self.noted: dict[str, float] = {}

    def create(  # noqa: PLR0913 - the facts of a token, each by its name
        self,
        name: str,
        role: Role,
        *,
        expires_s: float | None = None,
        quota_bytes: int | None = None,
        views_per_day: int | None = None,
        made_by: str | None = None,
    ) -> tuple[str, TokenInfo]:
        """Make a token; return it, for the only time, and its stored facts.

        One that is `made_by` another works no longer than that, and has its quotas.
        """
        secret = secrets.token_urlsafe(32)
        info = TokenInfo(
            token_id=secrets.token_hex(6),
            name=name,
            role=role,
            created_s=round(self.now_s(), 3),
            expires_s=expires_s,
            quota_bytes=quota_bytes,
            views_per_day=views_per_day,
            made_by=made_by,
        )
        self._write(KeptToken(info=info, sha256=hash_secret(secret)))
        return f"farm_{info.token_id}_{secret}", info

    def change(self, token_id: str, **changes: float | None) -> TokenInfo | None:
        """Change when a token expires or its quotas; None if none has this id."""
        kept = self._read(key(token_id)) if ID.fullmatch(token_id) else None
        if kept is None:
            return None
        kept = kept.model_copy(update={"info": kept.info.model_copy(update=changes)})
        self._write(kept)
        return kept.info

    def find(self, token_id: str) -> TokenInfo | None:
        """Return the stored facts of a token, good or not; None if none has this id."""
        kept = self._read(key(token_id)) if ID.fullmatch(token_id) else None
        return kept.info if kept else None

    def list(self) -> Iterator[TokenInfo]:
        """Yield the stored facts of all tokens."""
        for name in self.storage.keys(FOLDER):
            if name.endswith(".json") and (kept := self._read(name)):
                yield kept.info.model_copy(update={"last_used_s": self._last_use(kept.info)})

    def revoke(self, token_id: str) -> bool:
        """Revoke a token; False if none has this id."""
        if not ID.fullmatch(token_id) or self.storage.size(key(token_id)) is None:
            return False
        self.storage.delete(key(token_id))
        self.storage.delete(use_key(token_id))
        self.cache.pop(token_id, None)
        return True

    def check(self, token: str) -> TokenInfo | None:
        """Return the stored facts of a token; None if it is not known, or has expired."""
        info = self._of_secret(token)
        info = None if info is None or self.is_over(info) else self._rooted(info)
        if info is None:
            return None
        self._note_use(info.token_id)
        return info

    def expired(self, token: str) -> TokenInfo | None:
        """Return the stored facts of a token that was good until it expired; else None."""
        info = self._of_secret(token)
        return info if info and self.is_over(info) else None

    def stands(self, info: TokenInfo) -> bool:
        """Say whether a token that was good is so still; as long as nobody can tell, it is."""
        try:
            kept = self._known(info.token_id)
        except StorageError:
            return not self.is_over(info)
        if kept is None or self.is_over(kept.info):
            return False
        try:
            return self._rooted(kept.info) is not None
        except StorageError:
            return True

    def is_over(self, info: TokenInfo) -> bool:
        """Say whether a token has expired."""
        return info.expires_s is not None and info.expires_s <= self.now_s()

    def generations(self, info: TokenInfo) -> int:
        """Return how many tokens a token hangs on, one by the other."""
        count = 0
        while info.made_by is not None and count <= GENERATIONS:
            above = self._known(info.made_by)
            if above is None:
                break
            info, count = above.info, count + 1
        return count

    def _rooted(self, info: TokenInfo, steps: int = GENERATIONS) -> TokenInfo | None:
        """Return a token with the quotas of the one that it hangs on; None if that is not good."""
        if info.made_by is None:
            return info
        above = self._known(info.made_by) if steps else None
        if above is None or self.is_over(above.info):
            return None
        root = self._rooted(above.info, steps - 1)
        if root is None:
            return None
        quotas = {"quota_bytes": root.quota_bytes, "views_per_day": root.views_per_day}
        return info.model_copy(update=quotas)

    def _of_secret(self, token: str) -> TokenInfo | None:
        parts = TOKEN.fullmatch(token)
        kept = self._known(parts.group(1)) if parts else None
        if parts is None or kept is None:
            return None
        same = hmac.compare_digest(kept.sha256, hash_secret(parts.group(2)))
        return kept.info if same else None

    def _known(self, token_id: str) -> KeptToken | None:
        found = self.cache.get(token_id)
        if found is None or self.clock() - found[0] > CACHE_S:
            if len(self.cache) >= CACHED_TOKENS:  # somebody is guessing
                self.cache.clear()
            found = self.cache[token_id] = (self.clock(), self._read(key(token_id)))
        return found[1]

    def _note_use(self, token_id: str) -> None:
        """Note that a token is in use; if that fails, only the list of tokens knows less."""
        now_s = self.now_s()
        if now_s - self.noted.get(token_id, -NOTED_EVERY_S) < NOTED_EVERY_S:
            return
        self.noted[token_id] = now_s
        try:
            self.storage.put(use_key(token_id), f"{now_s:.0f}".encode())
        except StorageError as error:
            log.warning("when a token was used cannot be noted: %s", error)

    def _last_use(self, info: TokenInfo) -> float | None:
        text = self.storage.get(use_key(info.token_id)) or b""
        return float(text) if text.isdigit() and len(text) < 16 else None

    def _write(self, kept: KeptToken) -> None:
        without = kept.info.model_copy(update={"last_used_s": None})
        text = kept.model_copy(update={"info": without}).model_dump_json(indent=2)
        self.storage.put(key(without.token_id), text.encode())
        self.cache.pop(without.token_id, None)

    def _read(self, name: str) -> KeptToken | None:
        data = self.storage.get(name)
        if data is None:
            return None
        try:
            return KeptToken.model_validate_json(data)
        except ValidationError:
            return None


def name_fault(name: str) -> str | None:
    """Say why nobody can be called `name`; None where one can."""
    if not name.strip() or len(name) > NAME_CHARS or not name.isprintable():
        return f"must be 1 to {NAME_CHARS} plain characters"
    return None


def key(token_id: str) -> str:
    """Return the key of a token."""
    return f"{FOLDER}/{token_id}.json"


def use_key(token_id: str) -> str:
    """Return the key of the note on when a token was used last."""
    return f"{FOLDER}/{token_id}.used"


def hash_secret(secret: str) -> str:
    """Return the hash of a secret."""
    return hashlib.sha256(secret.encode()).hexdigest()


def expires_soon(info: TokenInfo, *, now_s: float) -> bool:
    """Say whether a token works still, but not for long."""
    return info.expires_s is not None and now_s < info.expires_s <= now_s + SOON_S


def moment(time_s: float) -> str:
    """Return a time as people on several continents read it."""
    return datetime.fromtimestamp(min(max(time_s, 0.0), LAST_S), UTC).strftime("%Y-%m-%d %H:%M UTC")
