"""Dependencies of a .blend, as the Blender Asset Tracer's command `bat` lists them."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from farm.library.dependencies.places import lies_in

TIMEOUT_S = 300.0
"""A file that takes longer to read is not worth waiting for."""

HOW_TO_GET_IT = "pip install 'blender-asset-tracer<2'"
MISSING = re.compile(r"Path (.+?) does not exist for <")


def trace_blend(
    path: Path, remark: Callable[[str], None], *, within: Path | None = None
) -> list[Path]:
    """Return the files that a .blend names: textures, libraries, and what those name.

    Libraries are asked for by themselves, too: of one that Blender 5 wrote, the tracer follows no
    material to its textures where it comes by a link. What those say that do not lie `within` a
    folder counts for nothing, if one is given.
    """
    command = find_bat()
    if command is None:
        remark(f"external textures of .blend files are not traced; {HOW_TO_GET_IT} for that")
        return []
    found: dict[Path, None] = {}
    blends = [path]
    for blend in blends:  # grows on the way
        listed = list_files(command, blend, within=within)
        if listed is None:
            named = path.name if blend == path else f"{path.name}: {blend.name}"
            remark(f"{named}: its external files cannot be traced; it is uploaded without them")
            continue
        for name in listed.missing:
            remark(f"{path.name} needs {name}, which does not exist")
        for file in listed.files:
            if file not in found and file != path:
                found[file] = None
                if file.suffix.lower() == ".blend" and file.is_file() and lies_in(within, file):
                    blends.append(file)
    return list(found)


class Listed(NamedTuple):
    """What the tracer says of one file."""

    files: list[Path]
    missing: list[str]


def list_files(command: Sequence[str], path: Path, *, within: Path | None = None) -> Listed | None:
    """Ask the tracer for the files that a .blend names; None where it cannot tell."""
    try:
        done = subprocess.run(
            [*command, "list", "--json", str(path)],
            capture_output=True,
            text=True,
            errors="replace",
            stdin=subprocess.DEVNULL,
            timeout=TIMEOUT_S,
            check=True,
        )
        listed = json.loads(done.stdout or "{}")
    except (OSError, subprocess.SubprocessError, ValueError):
        return None
    told = {blend: names for blend, names in listed.items() if lies_in(within, Path(blend))}
    names = [*told, *(name for names in told.values() for name in names)]
    files = dict.fromkeys(Path(os.path.normpath(name)) for name in names)
    files.pop(Path(os.path.normpath(path)), None)
    missing = MISSING.findall(done.stderr) if len(told) == len(listed) else []  # whose is not said
    return Listed(list(files), missing)


@lru_cache
def find_bat() -> tuple[str, ...] | None:
    """Return the command of the Blender Asset Tracer 1.x, if it is installed.

    There is another well-known `bat`, which prints files in colour.
    """
    if find_spec("blender_asset_tracer"):
        return _if_tracer(sys.executable, "-m", "blender_asset_tracer")
    found = shutil.which("bat")
    return _if_tracer(found) if found else None


def _if_tracer(*command: str) -> tuple[str, ...] | None:
    try:
        done = subprocess.run(
            [*command, "--help"], capture_output=True, text=True, timeout=60, check=False
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return command if "Blender Asset Tracer v1." in done.stdout else None
