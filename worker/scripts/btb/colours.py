"""Colours of materials as scripts for older Blenders set them: Cycles looks at nodes alone now."""

from __future__ import annotations

from typing import Any

PLAIN = (0.8, 0.8, 0.8)
"""What a new material has, on its own and in its shader."""
SLACK = 1e-4


def show_colours(scene: Any, shown: dict[int, tuple[float, ...]]) -> None:
    """Give the shader of plain materials the colour that was set as their `diffuse_color`.

    Args:
        scene: The scene.
        shown: Material -> the colour that it was given so; what has another one is left alone.
    """
    for material in {slot.material for item in scene.objects for slot in item.material_slots}:
        tree = material.node_tree if material is not None else None
        shader = tree.nodes.get("Principled BSDF") if tree is not None else None
        base = shader.inputs["Base Color"] if shader is not None else None
        if base is None or base.is_linked:
            continue
        has, wants = tuple(base.default_value)[:3], tuple(material.diffuse_color)[:3]
        ours = shown.get(material.session_uid, PLAIN)
        if is_near(has, ours) and not is_near(wants, has) and not is_near(wants, PLAIN):
            base.default_value = (*wants, 1.0)
            shown[material.session_uid] = wants


def is_near(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    """Say whether two colours are the same."""
    return all(abs(a - b) < SLACK for a, b in zip(one, other, strict=True))
