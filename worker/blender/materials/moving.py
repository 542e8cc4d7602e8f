"""Inputs of nodes whose values move with time, by keys or drivers, such as a fading alpha."""

from __future__ import annotations

import hashlib
from typing import Any

import bpy

from worker.blender.curves import actions_of, bags_of, curves_of

KINDS = {"VALUE": "ShaderNodeValue", "RGBA": "ShaderNodeRGB"}
"""Nodes that hold such values; others do not count as moving."""
FOLLOWER = "viewfarm follower "
"""How the names of nodes begin that move as others do."""


def moves(socket: Any) -> bool:
    """Tell whether the value of an input, which nothing is linked to, moves."""
    tree = socket.id_data
    if socket.type not in KINDS or tree.animation_data is None:
        return False
    path = path_of(socket)
    return any(driver.data_path == path for driver in tree.animation_data.drivers) or any(
        curve.data_path == path
        for action, slot in actions_of(tree)
        for curve in curves_of(action, slot)
    )


def follower(socket: Any) -> Any:
    """Return the output of a node, in the same tree, that moves as the value of an input does."""
    tree, path = socket.id_data, path_of(socket)
    name = f"{FOLLOWER}{hashlib.blake2s(path.encode(), digest_size=8).hexdigest()}"
    if (known := tree.nodes.get(name)) is not None:
        return known.outputs[0]
    node = tree.nodes.new(KINDS[socket.type])
    node.name = name
    output = node.outputs[0]
    output.default_value = socket.default_value
    drivers = tree.animation_data.drivers
    for driver in [each for each in drivers if each.data_path == path]:
        drivers.from_existing(src_driver=driver).data_path = path_of(output)
    for action, slot in actions_of(tree):
        for bag in bags_of(action):
            if slot is None or bag.slot_handle == slot.handle:
                copy_curves(bag.fcurves, path, path_of(output))
    return output


def copy_curves(curves: Any, path: str, to: str) -> None:
    """Let something else move as `path` does, unless it does already: actions may be shared."""
    for curve in [each for each in curves if each.data_path == path]:
        if curves.find(to, index=curve.array_index) is None:
            curves.new_from_fcurve(curve, data_path=to)


def path_of(socket: bpy.types.NodeSocket) -> str:
    """Return where its tree has the value of a socket."""
    return f"{socket.path_from_id()}.default_value"
