"""What keeps a renderer in its own folders on this machine."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

from farm.doctor.finding import Finding, fine, warning
from farm.doctor.machine import installed

TIMEOUT_S = 30
SANDBOX = "worker.sandbox"
"""Run as a program of its own: nobody imports the worker."""


def sandbox() -> Iterator[Finding]:
    """Ask whether Linux can keep a renderer from writing elsewhere."""
    if installed("bpy") is None or not sys.platform.startswith("linux"):
        return
    command = [sys.executable, "-m", SANDBOX]
    try:
        answer = subprocess.run(
            command, capture_output=True, text=True, timeout=TIMEOUT_S, check=True
        )
    except (subprocess.SubprocessError, OSError) as error:
        yield warning("sandbox", f"cannot be asked for: {error}", "see that the install is whole")
        return
    if lacks := answer.stdout.strip():
        remedy = "use a newer Linux, or a container whose seccomp profile allows landlock_*"
        yield warning("sandbox", lacks, remedy)
    else:
        yield fine("sandbox", "renderers write to their own folders alone (Landlock)")
