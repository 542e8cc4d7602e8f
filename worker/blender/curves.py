"""What moves values from frame to frame: the curves of actions, and drivers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import bpy


def curves_of(action: Any, slot: Any = None) -> Iterator[bpy.types.FCurve]:
    """Yield the curves of an action; all of them, or those for one of its slots."""
    for bag in bags_of(action):
        if slot is None or bag.slot_handle == slot.handle:
            yield from bag.fcurves


def bags_of(action: Any) -> Iterator[Any]:
    """Yield the curves of an action by what they act on."""
    for layer in action.layers:
        for strip in layer.strips:
            yield from strip.channelbags


def actions_of(owner: Any) -> Iterator[tuple[Any, Any]]:
    """Yield the actions that move a data-block, with their slots: its own, and those of strips."""
    animation = owner.animation_data
    if animation is None:
        return
    if animation.action is not None:
        yield animation.action, animation.action_slot
    for track in animation.nla_tracks:
        for strip in track.strips:
            if strip.action is not None:
                yield strip.action, strip.action_slot


def drop_curves(owner: Any, *paths: str) -> None:
    """Take away what moves those values of a data-block whose paths begin so; they stay as they
    are.
    """
    animation = owner.animation_data
    if animation is None:
        return
    bags = [bag.fcurves for action, _slot in actions_of(owner) for bag in bags_of(action)]
    for curves in (animation.drivers, *bags):
        for curve in [each for each in curves if each.data_path.startswith(paths)]:
            curves.remove(curve)
