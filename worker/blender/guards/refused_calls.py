"""Calls that a user's script may not make while it runs: each is refused with a sentence.

They are a courtesy: what a script must never do, the walls around its process do not let it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import bpy

from worker.scripts.failures import RefusedCall

RENDERS = (
    "the farm renders each view when the script is done with it: change the scene, and leave the "
    "render to the farm"
)
ENDS = "Blender belongs to the farm and cannot be ended: return from the function instead"
OPENS = (
    "the scene belongs to the farm, which has opened it: change it as it is, or name another file "
    "with --scene"
)
OPERATORS: dict[tuple[str, str], str] = {
    ("render", "render"): RENDERS,
    ("render", "opengl"): RENDERS,
    ("render", "view_show"): RENDERS,
    ("render", "play_rendered_anim"): RENDERS,
    ("wm", "quit_blender"): ENDS,
    ("wm", "window_close"): ENDS,
    ("wm", "open_mainfile"): OPENS,
    ("wm", "revert_mainfile"): OPENS,
    ("wm", "recover_last_session"): OPENS,
    ("wm", "recover_auto_save"): OPENS,
    ("wm", "read_homefile"): OPENS,
    ("wm", "read_factory_settings"): OPENS,
    ("wm", "read_userpref"): OPENS,
    ("scene", "delete"): OPENS,
}


@contextmanager
def refuse_calls() -> Iterator[None]:
    """Refuse inside what ends Blender, renders, or opens another file."""
    operators: Any = bpy.ops
    make = operators._op_create_function
    ends = os._exit, os.abort
    operators._op_create_function = lambda module, name: found(make, module, name)
    os._exit = refused("os._exit", ENDS)
    os.abort = refused("os.abort", ENDS)
    try:
        yield
    finally:
        operators._op_create_function = make
        os._exit, os.abort = ends


def found(make: Callable[[str, str], Any], module: str, name: str) -> Any:
    """Return an operator, or what refuses to be called in its place."""
    sentence = OPERATORS.get((module, name))
    return make(module, name) if sentence is None else refused(f"bpy.ops.{module}.{name}", sentence)


def refused(name: str, sentence: str) -> Callable[..., Any]:
    """Return a function that raises what says why it is refused."""

    def refuse(*_: object, **__: object) -> Any:
        raise RefusedCall(f"{name} is refused: {sentence}")

    return refuse
