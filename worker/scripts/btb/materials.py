"""Materials that scripts ask for."""

from __future__ import annotations

from typing import Any, NoReturn

from worker.scripts.failures import RefusedCall


def create_normal_material(name: str = "normals", **_more: Any) -> NoReturn:
    """Say that normals are a pass."""
    del name
    raise RefusedCall("create_normal_material: name the pass normal with --passes instead")
