"""The base of every model."""

from __future__ import annotations

import hashlib
import json

from pydantic import BaseModel, ConfigDict, ValidationError

SHA256_PATTERN = r"^[0-9a-f]{64}$"


class Spec(BaseModel):
    """Base of every description: frozen, closed, documented by its own fields."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class Kept(Spec):
    """Base of the notes that all versions of a farm share while it is upgraded.

    What a newer version has added is carried along, and written back with the rest.
    """

    model_config = ConfigDict(extra="allow")


def digest(*parts: object) -> str:
    """Return the SHA-256 (hex) of `parts` as canonical JSON: the same in every process."""
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def first_reason(error: ValidationError) -> str:
    """Return where the first fault of a description is, and what it is: `camera.fx_px: ...`."""
    first = error.errors(include_url=False, include_context=False)[0]
    place = ".".join(str(part) for part in first["loc"])
    reason = first["msg"].removeprefix("Value error, ")
    return f"{place}: {reason}" if place else reason
