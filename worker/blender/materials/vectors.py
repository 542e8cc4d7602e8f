"""Sums of values that are known, or told by nodes: nodes are added only where they must be."""

from __future__ import annotations

from typing import Any

from worker.blender.materials.transparency import NOTHING, Level, Scope, Socket, is_socket

Number = Socket | float
"""A number: known, or told by the socket."""

WHOLE: Level = (1.0, 1.0, 1.0)
LUMINANCE = (0.2126, 0.7152, 0.0722)
"""How much red, green and blue make of a grey, where a colour feeds a number."""


def number_of(value: Any) -> Number:
    """Return a value as an input for numbers takes it: a colour's luminance, a vector's mean."""
    if is_socket(value):
        return value
    if isinstance(value, int | float):
        return float(value)
    parts = tuple(value)
    if len(parts) == len(LUMINANCE):
        return sum(parts) / len(parts)
    return sum(part * share for part, share in zip(parts[:3], LUMINANCE, strict=True))


def joined(scope: Scope, *parts: Number) -> Level:
    """Return three numbers as one vector."""
    if not any(is_socket(part) for part in parts):
        return tuple(parts)
    node = scope.add("ShaderNodeCombineXYZ")
    for socket, part in zip(node.inputs, parts, strict=True):
        scope.feed(socket, part)
    return node.outputs[0]


def held(scope: Scope, share: Number) -> Number:
    """Return a share, held within 0..1."""
    if not is_socket(share):
        return min(1.0, max(0.0, float(share)))
    node = scope.add("ShaderNodeMath", operation="MULTIPLY", use_clamp=True)
    scope.feed(node.inputs[0], share)
    scope.feed(node.inputs[1], 1.0)
    return node.outputs[0]


def scaled(scope: Scope, vector: Level, factor: Number) -> Level:
    """Return a vector times a number."""
    if vector == NOTHING or not is_socket(factor):
        if vector == NOTHING or factor == 0.0:
            return NOTHING
        if factor == 1.0:
            return vector
        if not is_socket(vector):
            return tuple(part * factor for part in vector)
    node = scope.add("ShaderNodeVectorMath", operation="SCALE")
    scope.feed(node.inputs["Vector"], vector)
    scope.feed(node.inputs["Scale"], factor)
    return node.outputs["Vector"]


def summed(scope: Scope, one: Level, other: Level) -> Level:
    """Return the sum of two vectors."""
    if NOTHING in (one, other):
        return other if one == NOTHING else one
    if not is_socket(one) and not is_socket(other):
        return tuple(a + b for a, b in zip(one, other, strict=True))
    node = scope.add("ShaderNodeVectorMath", operation="ADD")
    scope.feed(node.inputs[0], one)
    scope.feed(node.inputs[1], other)
    return node.outputs[0]


def mixed(scope: Scope, factor: Number, one: Level, other: Level) -> Level:
    """Return what is between two vectors, by a factor of 0..1."""
    known = not is_socket(one) and not is_socket(other)
    if known and one == other:
        return one
    if known and not is_socket(factor):
        return tuple(a + (b - a) * factor for a, b in zip(one, other, strict=True))
    node = scope.add("ShaderNodeMix", data_type="VECTOR")
    by_name = {each.identifier: each for each in (*node.inputs, *node.outputs)}
    names = ("Factor_Float", "A_Vector", "B_Vector")
    for name, value in zip(names, (factor, one, other), strict=True):
        scope.feed(by_name[name], value)
    return by_name["Result_Vector"]
