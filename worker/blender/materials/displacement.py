"""Materials that move the surface that they are on."""

from __future__ import annotations

import bpy

DISPLACING = {"DISPLACEMENT", "BOTH"}
"""How materials displace that do more than shade."""


def moves_surface(material: bpy.types.Material) -> bool:
    """Tell whether a material moves the surface that it is on."""
    return material.displacement_method in DISPLACING and displaces(material)


def displaces(material: bpy.types.Material) -> bool:
    """Tell whether something is linked to a material's displacement."""
    output = material.node_tree.get_output_node("CYCLES") if material.node_tree else None
    return output is not None and bool(output.inputs["Displacement"].links)
