"""Where functions of the drop-in find what runs now: they have no other way to be told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from worker.scripts.failures import RefusedCall
from worker.scripts.ground import Ground

if TYPE_CHECKING:
    from worker.scripts.btb.drop_in import DropIn

RUNNING: list[DropIn] = []
"""The drop-in whose script runs now is the last one."""


def here() -> DropIn:
    """Return the drop-in of the script that runs now.

    Raises:
        RefusedCall: None does.
    """
    if not RUNNING:
        raise RefusedCall("btb works while the farm calls the script, not in a thread of its own")
    return RUNNING[-1]


def ground() -> Ground:
    """Return the scene of the script that runs now."""
    return here().ground
