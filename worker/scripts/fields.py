"""What a script returns of a view: numbers, words and small arrays, as JSON has them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from pydantic import JsonValue

from farm.errors import ScriptError

MOST_BYTES = 64 * 1024
"""Most that the fields of a view take, as JSON: a record is read whole."""
MOST_NAME = 100
PLAIN = (str, bool, int, float, type(None))
LARGEST_WHOLE = 2**63
HOLDS_NUMBERS = "biuf"
"""Kinds of numpy's arrays that are numbers."""


def as_fields(returned: object, *, by: str) -> dict[str, JsonValue]:
    """Return what a function of a script returned as fields of a record.

    Args:
        returned: What it was.
        by: What the user reads of who returned it: `cubes.py, frame`.

    Raises:
        ScriptError: It is not made of numbers, words and small arrays, or is too much.
    """
    if returned is None:
        return {}
    if not isinstance(returned, Mapping):
        kind = type(returned).__name__
        raise ScriptError(f"{by}: it returned {article(kind)}: return a dict of fields, or nothing")
    found = {name_of(name, by=by): as_json(value, f"{by}: field {name!r}")
             for name, value in returned.items()}  # fmt: skip
    check_size(found, by=by)
    return found


def name_of(name: object, *, by: str) -> str:
    """Return the name of a field.

    Raises:
        ScriptError: It is not a word.
    """
    if not isinstance(name, str) or not 0 < len(name) <= MOST_NAME or not name.isprintable():
        raise ScriptError(
            f"{by}: the name {str(name)[:MOST_NAME]!r} of a field is not a word of up to "
            f"{MOST_NAME} characters"
        )
    return name


def as_json(value: Any, place: str) -> JsonValue:
    """Return a number, a word or an array as JSON has it: arrays are lists of lists.

    Raises:
        ScriptError: It is none of these.
    """
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, PLAIN):
        return plain(value, place)
    if isinstance(value, list | tuple) and all(isinstance(each, str) for each in value):
        return [plain(each, place) for each in value]
    return listed(array_of(value, place), place)


def plain(value: Any, place: str) -> JsonValue:
    """Return a number or a word.

    Raises:
        ScriptError: JSON cannot hold it.
    """
    if isinstance(value, float) and not np.isfinite(value):
        raise ScriptError(f"{place} is {value}, which JSON does not have: use None where none is")
    if isinstance(value, int) and not -LARGEST_WHOLE <= value < LARGEST_WHOLE:
        raise ScriptError(f"{place} is a whole number of more than 64 bits: use a float or a text")
    if isinstance(value, str) and not is_text(value):
        raise ScriptError(f"{place} is not valid Unicode: use other characters")
    return value  # type: ignore[no-any-return]  # one of PLAIN


def is_text(value: str) -> bool:
    """Say whether a text can be written."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def array_of(value: Any, place: str) -> np.ndarray[Any, Any]:
    """Return what is like an array as one: of numpy, of Blender, or lists of numbers.

    Raises:
        ScriptError: It is nothing like that.
    """
    if not (isinstance(value, np.ndarray) or is_like_a_list(value)):
        raise refused(value, place)
    try:
        array = np.asarray(value)
    except (ValueError, TypeError) as error:
        raise refused(value, place) from error
    if array.dtype.kind not in HOLDS_NUMBERS:
        raise refused(value, place)
    return array


def is_like_a_list(value: Any) -> bool:
    """Say whether a value holds others in order, as vectors, colours and matrices do."""
    if isinstance(value, str | bytes | Mapping | set | frozenset):
        return False
    return hasattr(value, "__len__") and hasattr(value, "__getitem__")


def listed(array: np.ndarray[Any, Any], place: str) -> JsonValue:
    """Return an array as lists of lists.

    Raises:
        ScriptError: It is too large, or holds what is not a number.
    """
    if array.size * 2 > MOST_BYTES:  # a digit and a comma each, at least
        raise ScriptError(
            f"{place} is an array of {' x '.join(map(str, array.shape))}, which is more than "
            f"{MOST_BYTES // 1024} kB as JSON: fields are for small things, pictures come as passes"
        )
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise ScriptError(
            f"{place} holds NaN or infinity, which JSON does not have: leave such values out, or "
            "replace them by a number"
        )
    values: JsonValue = array.tolist()
    return values


def refused(value: Any, place: str) -> ScriptError:
    """Return what is told of a value that is not a number, a word or an array."""
    kind = type(value).__name__
    return ScriptError(
        f"{place} is {article(kind)}: a field must be a number, a string or an array of numbers"
    )


def article(word: str) -> str:
    """Return a word with its article."""
    return f"{'an' if word[:1].lower() in 'aeiou' else 'a'} {word}"


def check_size(fields: Mapping[str, JsonValue], *, by: str) -> None:
    """Make sure that the fields of a view are small.

    Raises:
        ScriptError: They are not; the largest is named.
    """
    sizes = {name: len(json.dumps(value)) for name, value in fields.items()}
    if sum(sizes.values()) > MOST_BYTES:
        largest = max(sizes, key=lambda name: sizes[name])
        raise ScriptError(
            f"{by}: its fields take {sum(sizes.values()) // 1024} kB, {largest!r} the most of it; "
            f"at most {MOST_BYTES // 1024} kB are kept for a view: pictures come as passes"
        )


def merged(parts: Iterable[Mapping[str, JsonValue]], *, by: str) -> dict[str, JsonValue]:
    """Return all fields of a view together, the later of two that have one name.

    Raises:
        ScriptError: They are too much.
    """
    found: dict[str, JsonValue] = {}
    for part in parts:
        found |= part
    check_size(found, by=by)
    return found
