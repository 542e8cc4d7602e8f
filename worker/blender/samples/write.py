"""The samples as files, each with a sidecar that names its author and licence."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import bpy

from farm.spec.asset import Credit
from worker.blender.samples.chair import add_chair
from worker.blender.samples.cup import add_cup
from worker.blender.samples.goblet import add_goblet
from worker.blender.samples.things import THINGS, Thing, add_thing

SHIPPED_HDRIS = ("datafiles", "studiolights", "world")
MODELS: dict[str, Callable[[], None]] = {"cup": add_cup, "chair": add_chair, "goblet": add_goblet}
HDRIS = {"forest": "ninomaru_teien", "interior": "hotel_room", "sunset": "venice_sunset"}
"""File name in Blender's own folder -> name at Poly Haven."""


def write_samples(folder: Path, *, things: bool = False) -> list[Path]:
    """Write models and HDRIs under `folder`, as far as they are not there; return all of them.

    Args:
        folder: Where to.
        things: Write things for a table in place of the models.
    """
    if things:
        models = [write_thing(folder / "things", thing) for thing in THINGS]
    else:
        models = [write_model(folder / "models", name, name, MODELS[name]) for name in MODELS]
    hdris = [copy_hdri(folder / "hdrs", name) for name in HDRIS]
    return models + hdris


def write_thing(folder: Path, thing: Thing) -> Path:
    """Build one thing for a table."""
    return write_model(
        folder, f"{thing.colour}_{thing.noun}", thing.noun, partial(add_thing, thing)
    )


def write_model(folder: Path, name: str, category: str, add: Callable[[], None]) -> Path:
    """Build one model in an empty file of its own."""
    path = folder / f"{name}.blend"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        # Operators, for once: only they write a file with a scene and a window to open it in.
        bpy.ops.wm.read_factory_settings(use_empty=True)  # noqa: TID251
        add()
        partial = path.with_name(f".partial-{path.name}")
        with silent_stdout():  # Blender would report the partial name
            bpy.ops.wm.save_as_mainfile(filepath=str(partial), compress=True)  # noqa: TID251
        partial.replace(path)
    credit = Credit(
        name=name.replace("_", " ").capitalize(),
        category=category,
        author="Viewfarm",
        licence="CC0-1.0",
        source="viewfarm",
    )
    write_sidecar(path, credit)
    return path


@contextlib.contextmanager
def silent_stdout() -> Iterator[None]:
    """Drop what is written to the process's standard output, also by native code."""
    sys.stdout.flush()
    kept = os.dup(1)
    try:
        with open(os.devnull, "wb") as nowhere:  # noqa: PTH123  a device, not a path of ours
            os.dup2(nowhere.fileno(), 1)
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)


def copy_hdri(folder: Path, name: str) -> Path:
    """Copy one of the HDRIs that come with Blender."""
    path = folder / f"{name}.exr"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        shipped = Path(bpy.utils.resource_path("LOCAL"), *SHIPPED_HDRIS, path.name)
        partial = path.with_name(f".partial-{path.name}")
        shutil.copyfile(shipped, partial)
        partial.replace(path)
    title = HDRIS[name]
    credit = Credit(
        name=title.replace("_", " ").title(),
        author="Greg Zaal",
        licence="CC0-1.0",
        source="polyhaven",
        url=f"https://polyhaven.com/a/{title}",
    )
    write_sidecar(path, credit)
    return path


def write_sidecar(path: Path, credit: Credit) -> None:
    """Write what is known of a file's origin beside it."""
    text = credit.model_dump_json(indent=2, exclude_none=True) + "\n"
    path.with_name(f"{path.name}.json").write_text(text, encoding="utf-8")
