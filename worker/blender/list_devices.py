"""What Blender is here and which devices Cycles lists, as one line of JSON: a program."""

from __future__ import annotations

import json
import sys
from typing import Any

import bpy


def inventory() -> dict[str, Any]:
    """Return Blender's version and the devices, each as (kind, name)."""
    preferences: Any = bpy.context.preferences  # noqa: TID251 - asked once, by a process that ends
    cycles = preferences.addons["cycles"].preferences
    cycles.refresh_devices()
    devices = [(device.type, device.name) for device in cycles.devices]
    return {"version": bpy.app.version_string, "devices": devices}


if __name__ == "__main__":
    sys.stdout.write(f"\n{json.dumps(inventory())}\n")
