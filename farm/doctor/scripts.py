"""What scripts of users may import on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import distributions

from farm.doctor.finding import Finding, fine
from farm.doctor.machine import installed

OWN = "viewfarm"


def scripts() -> Iterator[Finding]:
    """List the packages that are installed beside Blender: a script can install none itself."""
    if installed("bpy") is None:
        yield fine("scripts", "no Blender here: scripts run where there is one")
        return
    found = {each.name.lower(): f"{each.name} {each.version}" for each in distributions()}
    found.pop(OWN, None)
    yield fine("scripts", f"may import {', '.join(found[name] for name in sorted(found))}")
