"""Nodes beside those of materials that write into passes what their surfaces are.

They write nothing where labels look through a surface: what Cycles writes adds up along a ray.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import bpy

from worker.blender.materials.clear_cut import is_clear_at, opacity_sum
from worker.blender.materials.displacement import displaces
from worker.blender.materials.surface import Reader, Told
from worker.blender.materials.transparency import (
    NOTHING,
    Level,
    Scope,
    UndecidedError,
    is_socket,
    level_of,
    may_let_through,
)  # fmt: skip
from worker.blender.materials.trees import trees_of
from worker.blender.materials.vectors import Number, scaled
from worker.told import BUMPED, TOLD_FROM


class Tellers:
    """What was added to materials, until it is taken out again."""

    def __init__(self) -> None:
        self._nodes: dict[int, frozenset[str]] = {}
        """By material: names of nodes."""
        self._groups: set[int] = set()
        self._untold: dict[int, str] = {}
        """By material: its name, where only Cycles knows what it is."""

    @property
    def untold(self) -> tuple[str, ...]:
        """Names of the materials that cannot tell what they are."""
        return tuple(sorted(self._untold.values()))

    def add(self, materials: Iterable[bpy.types.Material]) -> None:
        """Let materials tell of their surfaces that do not yet; those that move, as they are now.

        What makes half-clear materials clear-cut must be switched off.
        """
        wanted = [each for each in materials if each.node_tree is not None]
        self._remove(uid for uid in map(uid_of, filter(moves, wanted)) if uid in self._nodes)
        new = [each for each in wanted if uid_of(each) not in self._nodes]
        known = {group.session_uid for group in bpy.data.node_groups} if new else set()
        for material in new:
            self._nodes[uid_of(material)] = frozenset(self._added_to(material))
        if new:
            self._groups |= {group.session_uid for group in bpy.data.node_groups} - known

    def clear(self) -> None:
        """Take all out again."""
        self._remove(list(self._nodes))
        for group in [each for each in bpy.data.node_groups if each.session_uid in self._groups]:
            bpy.data.node_groups.remove(group)
        self._groups.clear()

    def _added_to(self, material: bpy.types.Material) -> set[str]:
        """Let a material tell of its surface; return the names of the nodes that were added."""
        tree: Any = material.node_tree
        before = {node.name for node in tree.nodes}
        try:
            add_teller(Scope(tree), material)
        except UndecidedError:  # nothing is written
            self._untold[uid_of(material)] = material.name
        return {node.name for node in tree.nodes} - before

    def _remove(self, uids: Iterable[int]) -> None:
        gone = {uid: self._nodes.pop(uid) for uid in list(uids)}
        self._untold = {uid: name for uid, name in self._untold.items() if uid not in gone}
        for material in bpy.data.materials if gone else ():
            tree: Any = material.node_tree
            for name in gone.get(material.session_uid, ()) if tree is not None else ():
                if (node := tree.nodes.get(name)) is not None:
                    tree.nodes.remove(node)


def uid_of(material: bpy.types.Material) -> int:
    """Return what tells a material from all others of this process."""
    return int(material.session_uid)


def moves(material: bpy.types.Material) -> bool:
    """Tell whether numbers of a material change from frame to frame."""
    return any(tree.animation_data is not None for tree in trees_of([material]))


def add_teller(scope: Scope, material: bpy.types.Material) -> None:
    """Add nodes that write what the surface of a material is.

    Raises:
        UndecidedError: Only Cycles knows.
    """
    output = scope.tree.get_output_node("CYCLES")
    if output is None or output.id_data != scope.tree:
        return
    surface = output.inputs["Surface"]
    told = Reader().read(scope, surface)
    level = level_of(scope, surface) if may_let_through(material) else NOTHING
    if told.is_silent and level == NOTHING:  # Cycles shows no surface, or nothing is said of it
        return
    opacity: Number = 1.0
    share: Number = 1.0
    if level != NOTHING:
        total = opacity_sum(scope, level)
        opacity = math(scope, "DIVIDE", total, 3.0)
        share = math(scope, "SUBTRACT", 1.0, is_clear_at(scope, total))
    bumped = displaces(material) and material.displacement_method != "DISPLACEMENT"
    write_all(scope, told, opacity=opacity, share=share, bumped=bumped)


def write_all(scope: Scope, told: Told, *, opacity: Number, share: Number, bumped: bool) -> None:
    """Write what a surface is.

    Args:
        scope: The material's own tree.
        told: What its shaders say.
        opacity: How much of the light behind it does not go straight through.
        share: 1 where labels see it, else 0.
        bumped: Its displacement shades it, before any node could read how it was.
    """
    for name, part in zip(("base", "finish", "light", "shares"), told.parts, strict=True):
        write(scope, f"surface_{name}", scaled(scope, part, share))
    geometry = scope.add("ShaderNodeNewGeometry")
    normal = geometry.outputs["True Normal" if bumped else "Normal"]
    write(scope, "surface_normal", scaled(scope, normal, share))
    shown = math(scope, "ADD", opacity, TOLD_FROM + BUMPED * bumped)
    node = scope.add("ShaderNodeOutputAOV", aov_name="surface_told")
    scope.feed(node.inputs["Value"], math(scope, "MULTIPLY", shown, share))


def write(scope: Scope, name: str, vector: Level) -> None:
    """Write a vector into a pass; where it is zero, nothing need be written."""
    if vector == NOTHING:
        return
    node = scope.add("ShaderNodeOutputAOV", aov_name=name)
    scope.feed(node.inputs["Color"], vector if is_socket(vector) else (*vector, 1.0))


def math(scope: Scope, operation: str, one: Number, other: Number) -> Number:
    """Return what is made of two numbers; of two that are known, at once."""
    if not is_socket(one) and not is_socket(other):
        return one + other if operation == "ADD" else one * other
    node = scope.add("ShaderNodeMath", operation=operation)
    scope.feed(node.inputs[0], one)
    scope.feed(node.inputs[1], other)
    return node.outputs[0]
