"""Materials that let all through or nothing at each point, so that no label is left to chance."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import bpy

from worker.blender.materials.transparency import (
    NOTHING,
    Level,
    Scope,
    UndecidedError,
    level_of,
    may_let_through,
)  # fmt: skip
from worker.blender.view_passes import OPAQUE_FROM


@dataclass(frozen=True, eq=False)
class Switch:
    """An input of a material's output, with what it gets in pictures and what for labels."""

    tree: Any
    socket: Any
    picture: Any
    """An output of a node; None where nothing is linked."""
    labels: Any

    def turn(self, *, on: bool) -> None:
        """Link what labels need, or what the picture needs."""
        wanted = self.labels if on else self.picture
        if wanted is not None:
            self.tree.links.new(wanted, self.socket)
        else:
            self.tree.links.remove(self.socket.links[0])


class ClearCut:
    """The materials of a model that are neither solid nor clear, and how labels see them.

    A surface that is half opaque at a point is solid there, one that is less so is not there, and
    neither is what scatters light inside of a volume, or that of the whole world, nor what only
    catches shadows.
    """

    def __init__(
        self,
        materials: Iterable[bpy.types.Material | bpy.types.World],
        catchers: Iterable[bpy.types.Object] = (),
    ) -> None:
        self._switches: list[Switch] = []
        self._catchers = [item for item in catchers if item.visible_camera]
        self._undecided = False
        self._on = False
        for material in materials:
            try:
                self._switches += switches(material)
            except UndecidedError:  # wherever it is not wholly clear it counts as solid
                self._undecided = True

    def __bool__(self) -> bool:
        """Tell whether there is any such material."""
        return self._undecided or bool(self._switches or self._catchers)

    def turn(self, *, on: bool) -> None:
        """Show all materials as labels see them, or as they are."""
        if self._on != on:
            self._on = on
            for switch in self._switches:
                switch.turn(on=on)
            for item in self._catchers:
                item.visible_camera = not on


def switches(material: bpy.types.Material | bpy.types.World) -> Iterator[Switch]:
    """Yield what of a material is other for labels; nothing where it is wholly solid.

    Raises:
        UndecidedError: It lets light through in a way that only Cycles knows.
    """
    tree: Any = material.node_tree
    output = tree.get_output_node("CYCLES") if tree is not None else None
    if output is None or output.id_data != tree:
        return
    surface, volume = output.inputs["Surface"], output.inputs["Volume"]
    is_misty = bool(volume.links)
    if surface.links and may_let_through(material):
        scope = Scope(tree)
        level = level_of(scope, surface)
        if level != NOTHING:
            picture = surface.links[0].from_socket
            yield Switch(tree, surface, picture, decided(scope, level, picture))
    elif is_misty and not surface.links and isinstance(material, bpy.types.Material):
        yield Switch(tree, surface, None, Scope(tree).add("ShaderNodeBsdfTransparent").outputs[0])
    if is_misty:
        yield Switch(tree, volume, volume.links[0].from_socket, None)


def decided(scope: Scope, level: Level, shader: Any) -> Any:
    """Return a shader that is `shader` where enough of it is opaque, and clear elsewhere.

    Args:
        scope: The material's own tree.
        level: What `shader` lets through.
        shader: Output of a node.
    """
    choice = scope.add("ShaderNodeMixShader")
    scope.feed(choice.inputs[0], is_clear_at(scope, opacity_sum(scope, level)))
    scope.feed(choice.inputs[1], shader)
    scope.feed(choice.inputs[2], scope.add("ShaderNodeBsdfTransparent").outputs[0])
    return choice.outputs[0]


def opacity_sum(scope: Scope, level: Level) -> Any:
    """Return the sum of the opacities, 0..1, to red, green and blue: an output of a node.

    Args:
        scope: The material's own tree.
        level: What its surface lets through.
    """
    opacity = scope.add("ShaderNodeVectorMath", operation="SUBTRACT")
    scope.feed(opacity.inputs[0], (1.0, 1.0, 1.0))
    scope.feed(opacity.inputs[1], level)
    at_least = scope.add("ShaderNodeVectorMath", operation="MAXIMUM")
    scope.feed(at_least.inputs[0], opacity.outputs[0])
    scope.feed(at_least.inputs[1], (0.0, 0.0, 0.0))
    at_most = scope.add("ShaderNodeVectorMath", operation="MINIMUM")
    scope.feed(at_most.inputs[0], at_least.outputs[0])
    scope.feed(at_most.inputs[1], (1.0, 1.0, 1.0))
    total = scope.add("ShaderNodeVectorMath", operation="DOT_PRODUCT")
    scope.feed(total.inputs[0], at_most.outputs[0])
    scope.feed(total.inputs[1], (1.0, 1.0, 1.0))
    return total.outputs["Value"]


def is_clear_at(scope: Scope, opacity: Any) -> Any:
    """Return where labels look through: 1, elsewhere 0; an output of a node.

    Args:
        scope: The material's own tree.
        opacity: `opacity_sum` of its surface.
    """
    is_clear = scope.add("ShaderNodeMath", operation="LESS_THAN")
    scope.feed(is_clear.inputs[0], opacity)
    scope.feed(is_clear.inputs[1], 3 * OPAQUE_FROM)  # as exact as 8 bits: 127 is less, 128 is not
    return is_clear.outputs[0]
