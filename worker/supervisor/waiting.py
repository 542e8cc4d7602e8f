"""`python -m worker.supervisor.waiting`: a worker that learns its settings when it is loaded.

Whoever starts it writes an order to its standard input, or closes that: then it ends.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import tempfile
from typing import TypedDict

FAILED = 2
"""Exit code of a worker that cannot be set up so, as of the command."""


class Order(TypedDict):
    """What a worker is to be."""

    environment: dict[str, str]
    """Its settings."""
    open_ahead: bool
    """Its first renderer opens Blender without waiting for a task."""


def main() -> int:
    """Load, wait for the settings, and render by them; return the exit code."""
    gc.disable()  # what is imported stays
    load()
    from farm.errors import FarmError
    from farm.settings import load_settings
    from worker.supervisor.early_child import EarlyChild
    from worker.supervisor.service import serve

    gc.freeze()  # it is shared with what is split off
    gc.enable()
    child = EarlyChild() if sys.platform == "linux" else None
    told = sys.stdin.buffer.read()
    if not told:
        return 0
    order: Order = json.loads(told)
    os.environ.update(order["environment"])
    tempfile.tempdir = None  # what was thought of it before
    if child is not None:
        child.stand_ready(open_ahead=order["open_ahead"])
    try:
        return serve(load_settings(), die_with_parent=True)
    except FarmError as error:
        for line in str(error).splitlines():
            sys.stderr.write(f"error: {line}\n")
        return FAILED


def load() -> None:
    """Import what Celery imports by name; all of it may be there before a renderer has walls."""
    from celery.concurrency import prefork  # noqa: F401

    from worker.attempt import celery_task  # noqa: F401
    from worker.supervisor import service  # noqa: F401


if __name__ == "__main__":
    raise SystemExit(main())
