"""The environment as this process was started with: Linux shows it in /proc as long as it lives."""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys
from pathlib import Path

STAT = Path("/proc/self/stat")
START, END = 50, 51
"""Its fields, counted from 1, that say where the environment begins and ends."""
AFTER_NAME = 3
"""The field after the program's name, which may hold anything."""


def blank() -> None:
    """Leave nothing to read in /proc/self/environ; the variables themselves stay as they are."""
    if not sys.platform.startswith("linux"):
        return
    with contextlib.suppress(OSError, IndexError, ValueError):
        fields = STAT.read_text().rpartition(")")[2].split()
        start, end = (int(fields[number - AFTER_NAME]) for number in (START, END))
        for variable, value in os.environb.items():
            os.putenv(variable, value)  # a copy, which the C library has from now on
        if 0 < start < end:
            ctypes.memset(start, 0, end - start)
