"""What went wrong in a user's script, in one sentence with their own line."""

from __future__ import annotations

import linecache
import traceback
from types import TracebackType

from farm.errors import FarmError, ScriptError

MOST_CHARS = 2000


class RefusedCall(Exception):
    """Something that a script may not do; the text says why, and what to do instead."""


BODY = "<module>"


def remember(name: str, text: str) -> None:
    """Let tracebacks show the lines of a script, wherever its file is."""
    linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)


def failure(name: str, error: BaseException) -> ScriptError:
    """Return what is told of an error that a script raised, or called for.

    Args:
        name: The script's file, as tracebacks have it.
        error: What came out of it.
    """
    if isinstance(error, ScriptError):
        return error
    if isinstance(error, SyntaxError) and error.filename == name:
        line = (error.text or "").strip()
        return ScriptError(f"{name}, line {error.lineno}: {shown(line)}{error.msg}")
    place = place_of(name, error.__traceback__)
    if isinstance(error, SystemExit):
        return ScriptError(
            f"{place}it tried to end Blender (SystemExit), which belongs to the farm: return from "
            "the function instead"
        )
    words = " ".join(str(error).split())
    if isinstance(error, RefusedCall | FarmError):
        return ScriptError(f"{place}{words}"[:MOST_CHARS])
    told = f"{type(error).__name__}: {words}" if words else type(error).__name__
    return ScriptError(f"{place}{told}"[:MOST_CHARS])


def place_of(name: str, trace: TracebackType | None) -> str:
    """Return which line of a script an error came through last: `cubes.py, line 12, in frame: `."""
    own = [each for each in traceback.extract_tb(trace) if each.filename == name]
    if not own:
        return f"{name}: "
    last = own[-1]
    where = "" if last.name == BODY else f", in {last.name}"
    return f"{name}, line {last.lineno}{where}: {shown((last.line or '').strip())}"


def shown(line: str) -> str:
    """Return a line of code as the beginning of what is told of it."""
    return f"{line}: " if line else ""


def own_trace(name: str, error: BaseException) -> str:
    """Return the traceback of an error from a script's first line on: ours are not the user's."""
    lines = traceback.extract_tb(error.__traceback__)
    first = next((at for at, each in enumerate(lines) if each.filename == name), len(lines))
    told = [*traceback.format_list(lines[first:]), *traceback.format_exception_only(error)]
    return "".join(["Traceback (most recent call last):\n", *told]).rstrip()
