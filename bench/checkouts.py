"""The `farm` of this checkout or of another one, by the same Python and packages."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

OURS = Path(__file__).resolve().parents[1]
PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h


def run_farm(arguments: Sequence[str], checkout: Path | None, *, cache: Path) -> None:
    """Run a command of a checkout, quietly; show all of what it says where it fails.

    Args:
        arguments: Of the command.
        checkout: A folder with its source; None: this one.
        cache: A folder for the assets and hashes that it keeps.
    """
    source = (checkout or OURS).resolve()
    adopt_orphans()
    done = subprocess.run(
        [sys.executable, "-m", "farm", *arguments],
        cwd=cache.parent,
        env={**os.environ, "PYTHONPATH": str(source), "XDG_CACHE_HOME": str(cache)},
        capture_output=True,
        text=True,
        check=False,
    )
    reap_orphans()
    if done.returncode:
        raise SystemExit(f"{done.stdout}{done.stderr}\n{source}: ended with {done.returncode}")


def adopt_orphans() -> None:
    """Become the parent of what commands leave behind, so that its CPU time can be counted."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def reap_orphans() -> None:
    """Take leave of what a command has left behind or killed, so that its CPU time counts."""
    try:
        while os.waitpid(-1, 0)[0]:
            pass
    except ChildProcessError:
        return
