"""Sentences as plain data, for trainings: lists and dicts of text and numbers."""

from __future__ import annotations

from typing import Any

from farm.spec.record import ViewRecord

PlainExpression = dict[str, Any]
"""The fields of an `Expression`, and of each target its `indices`, values of the index pass."""


def plain_expressions(
    record: ViewRecord, size: tuple[int, int] | None = None
) -> list[PlainExpression]:
    """Return the sentences of a view.

    Args:
        record: Of the view.
        size: (width, height) that its pictures are brought to: boxes and points are scaled along.
    """
    width, height = record.resolution_px
    scale = (size[0] / width, size[1] / height) if size else (1.0, 1.0)
    found = []
    for expression in record.expressions:
        plain = expression.model_dump(mode="json")
        for name in ("boxes_px", "points_px"):
            plain[name] = [scaled(numbers, scale) for numbers in plain[name]]
        plain["indices"] = [
            list(record.objects[at].indices) if at < len(record.objects) else []
            for at in expression.targets
        ]
        found.append(plain)
    return found


def scaled(numbers: list[float], scale: tuple[float, float]) -> list[float]:
    """Return numbers that are across and down in turn on a picture of another size."""
    return [number * scale[place % 2] for place, number in enumerate(numbers)]
