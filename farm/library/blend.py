"""Dependencies of a .blend, as the Blender Asset Tracer's command `bat` lists them."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

TIMEOUT_S = 300.0
"""A file that takes longer to read is not worth waiting for."""

HOW_TO_GET_IT = "pip install 'viewfarm[trace]'"
MISSING = re.compile(r"Path (.+?) does not exist for <")


def trace_blend(path: Path, remark: Callable[[str], None]) -> list[Path]:
    """Return the files that a .blend names: textures, libraries, and what those name."""
    command = find_bat()
    if command is None:
        remark(f"external textures of .blend files are not traced; {HOW_TO_GET_IT} for that")
        return []
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
        remark(f"{path.name}: its external files cannot be traced; it is uploaded without them")
        return []
    for name in MISSING.findall(done.stderr):
        remark(f"{path.name} needs {name}, which does not exist")
    return [Path(name) for names in listed.values() for name in names] + [
        Path(name) for name in listed if Path(name) != path
    ]


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
