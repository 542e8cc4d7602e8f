"""Tokens: who may ask the farm for what. Only a hash of each secret is kept."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import time
from collections.abc import Callable, Iterator

from pydantic import ValidationError

from farm.spec.base import Spec
from farm.spec.role import Role
from farm.spec.wire import TokenInfo
from farm.storage import Storage

FOLDER = "auth"
CACHE_S = 3.0
"""Longest time that a token stays cached: a revoked one is refused after it."""
CACHED_TOKENS = 1000
ID = re.compile(r"[0-9a-f]{12}")
TOKEN = re.compile(r"farm_([0-9a-f]{12})_([0-9A-Za-z_-]{20,100})")


class KeptToken(Spec):
    """The stored facts of a token."""

    info: TokenInfo
    sha256: str
    """Hash of the secret, which has 256 random bits: nothing slower is needed."""


class TokenBook:
    """The tokens of a farm, on its storage."""

    def __init__(self, storage: Storage, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.storage = storage
        self.clock = clock
        self.cache: dict[str, tuple[float, KeptToken | None]] = {}

    def create(self, name: str, role: Role) -> tuple[str, TokenInfo]:
        """Make a token; return it, for the only time, and its stored facts."""
        secret = secrets.token_urlsafe(32)
        info = TokenInfo(
            token_id=secrets.token_hex(6), name=name, role=role, created_s=round(time.time(), 3)
        )
        kept = KeptToken(info=info, sha256=hash_secret(secret))
        self.storage.put(key(info.token_id), kept.model_dump_json(indent=2).encode())
        return f"farm_{info.token_id}_{secret}", info

    def list(self) -> Iterator[TokenInfo]:
        """Yield the stored facts of all tokens."""
        for name in self.storage.keys(FOLDER):
            if kept := self._read(name):
                yield kept.info

    def revoke(self, token_id: str) -> bool:
        """Revoke a token; False if none has this id."""
        if not ID.fullmatch(token_id) or self.storage.size(key(token_id)) is None:
            return False
        self.storage.delete(key(token_id))
        self.cache.pop(token_id, None)
        return True

    def check(self, token: str) -> TokenInfo | None:
        """Return the stored facts of a token; None if it is not known."""
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

    def _read(self, name: str) -> KeptToken | None:
        data = self.storage.get(name)
        if data is None:
            return None
        try:
            return KeptToken.model_validate_json(data)
        except ValidationError:
            return None


def key(token_id: str) -> str:
    """Return the key of a token."""
    return f"{FOLDER}/{token_id}.json"


def hash_secret(secret: str) -> str:
    """Return the hash of a secret."""
    return hashlib.sha256(secret.encode()).hexdigest()
