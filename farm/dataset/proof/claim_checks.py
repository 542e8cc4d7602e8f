"""Does a sentence say of its targets what their labels and pixels say?"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from farm.dataset.proof.measured import MeasuredView
from farm.dataset.proof.programs import named
from farm.spec.expression import Expression, ExpressionKind, Step

BOX_SLACK_PX = 0.01
"""How far boxes may differ that were written with other digits."""
SIDE_RELATIONS = frozenset({"left", "right", "front", "behind", "on", "in"})


def strange_claims(view: MeasuredView, expression: Expression) -> Iterator[str]:
    """Say which claims of a sentence, besides its program's, do not hold."""
    if not expression.text.strip():
        yield "has no text"
    if len(set(expression.targets)) != len(expression.targets):
        yield "has a target twice"
    yield from strange_kind(expression)
    yield from strange_edit(expression)
    yield from strange_visible(view, expression)
    yield from strange_boxes(view, expression)
    yield from strange_points(view, expression)


def unknown_object(view: MeasuredView, expression: Expression) -> int | None:
    """Return an object that a sentence speaks of and that is not in the record, if there is one."""
    places = {*expression.targets, *(at for each in expression.phrases for at in each.objects)}
    lost = sorted(at for at in places if not 0 <= at < len(view.record.objects))
    return lost[0] if lost else None


def strange_kind(expression: Expression) -> Iterator[str]:
    """Say where the kind is not that of the program or the number of targets."""
    kind, count = expression.kind, len(expression.targets)
    if kind == "none" or expression.negative:
        if count:
            yield f"is {'negative' if expression.negative else 'of kind none'}, but has targets"
        return
    if not count:
        yield f"is of kind {kind}, but has no target"
    elif count > 1 and kind != "plural":
        yield f"is of kind {kind}, but has {count} targets"
    elif count < 2 and kind == "plural":
        yield "is of kind plural, but has one target"
    if (holds := BY_KIND.get(kind)) and not any(map(holds, expression.program)):
        yield f"is of kind {kind}, of which its program has no step"


BY_KIND: dict[ExpressionKind, Callable[[Step], bool]] = {
    "relation": lambda step: step.op == "relate" and step.value in SIDE_RELATIONS,
    "between": lambda step: step.op == "between",
    "nearest": lambda step: step.op == "nearest",
    "ordinal": lambda step: step.op == "ordinal",
    "superlative": lambda step: step.op == "superlative",
    "same": lambda step: step.op == "same",
    "negation": lambda step: step.op == "not_colour",
}
"""What a program of a kind has."""


def strange_edit(expression: Expression) -> Iterator[str]:
    """Say what is wrong with how a negative was made."""
    if not expression.negative:
        if expression.edited or expression.edited_from:
            yield "tells how it was edited, but is not negative"
        return
    if not expression.edited_from or not expression.edited:
        yield "is negative, but does not tell what it was made of, and how"
    elif expression.edited_from.casefold() == expression.text.casefold():
        yield "is the very sentence of which it is said to be made"


def strange_visible(view: MeasuredView, expression: Expression) -> Iterator[str]:
    """Say which of what is named is seen too little."""
    anchors = {at for each in expression.phrases for at in each.objects}
    for place in sorted({*expression.targets, *anchors}):
        thing = view.objects.get(place)
        if thing is None:
            yield f"names {named([place], view)}, of which nothing is seen"
        elif thing.is_surface and place not in expression.targets:
            continue
        elif thing.area < view.naming.pixels:
            yield f"names {named([place], view)}, of which only {thing.area} pixels are seen"
        elif (share := thing.visible_fraction) is not None and share < view.naming.fraction:
            yield f"names {named([place], view)}, of which only {share:.0%} are seen"


def strange_boxes(view: MeasuredView, expression: Expression) -> Iterator[str]:
    """Say which boxes are not those of the targets' labels."""
    if len(expression.boxes_px) != len(expression.targets):
        yield f"has {len(expression.boxes_px)} boxes for {len(expression.targets)} targets"
        return
    for place, box in zip(expression.targets, expression.boxes_px, strict=True):
        own = view.record.objects[place].box_px
        if own is None or any(abs(a - b) > BOX_SLACK_PX for a, b in zip(own, box, strict=True)):
            yield f"has the box {list(box)} for {named([place], view)}, whose box is not that"


def strange_points(view: MeasuredView, expression: Expression) -> Iterator[str]:
    """Say which points do not lie on what is seen of the targets."""
    if len(expression.points_px) != len(expression.targets):
        yield f"has {len(expression.points_px)} points for {len(expression.targets)} targets"
        return
    for place, (u, v) in zip(expression.targets, expression.points_px, strict=True):
        thing = view.objects.get(place)
        if thing is None:
            continue
        height, width = thing.pixels.shape
        inside = 0 <= u < width and 0 <= v < height
        if not inside or not thing.pixels[int(v), int(u)]:
            yield f"has the point {u:g}, {v:g} for {named([place], view)}, which is not there"
