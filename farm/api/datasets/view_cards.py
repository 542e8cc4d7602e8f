"""A view as people look at it: its pictures by hash, its things, sentences and place in time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, get_args

from farm.glimpses import ShownFile, shown_of
from farm.spec.base import Spec
from farm.spec.label import ObjectLabel, Point2
from farm.spec.passes import PassName
from farm.spec.record import ViewRecord

Flag = Literal[
    "empty", "cut", "hidden", "textures", "unread", "see_through", "corrected", "varies", "ill_lit"
]
"""What may be worth a look at a view that counts. What does not count has failed its task."""
FLAGS: tuple[Flag, ...] = get_args(Flag)
CUT_FROM = 0.01
"""Part of a thing's silhouette outside of the picture from which on it is cut off."""
HIDDEN_BELOW = 0.4
"""Part of a thing to be seen below which it is hidden."""

MEANT: dict[Flag, Callable[[ViewRecord], bool]] = {
    "empty": lambda record: record.coverage == 0,
    "cut": lambda record: any(each.truncation >= CUT_FROM for each in record.objects),
    "hidden": lambda record: any(is_hidden(each) for each in record.objects),
    "textures": lambda record: bool(record.missing_textures),
    "unread": lambda record: bool(record.unread),
    "see_through": lambda record: record.see_through,
    "corrected": lambda record: any(record.notes.values()),
    "varies": lambda record: record.deterministic is False,
    "ill_lit": lambda record: record.ill_lit is not None,
}


class ShownPoint(Spec):
    """A point that a model names."""

    name: str
    px: Point2
    visible: bool | None


class ShownObject(Spec):
    """A thing in a view."""

    name: str
    category: str
    indices: tuple[int, ...]
    """Values of the index pass that belong to it."""
    box_px: tuple[float, float, float, float] | None
    visible_fraction: float | None
    keypoints: tuple[ShownPoint, ...] = ()
    """Those in front of the camera."""


class ShownSentence(Spec):
    """A sentence about a view."""

    text: str
    kind: str
    level: int
    targets: tuple[int, ...]
    """Places in `objects`."""
    negative: bool


class ShownMoment(Spec):
    """The place of a view in its sequence."""

    sequence: str
    place: int
    of: int
    number: int
    fps: float


class ViewCard(Spec):
    """A view, as far as people look at it."""

    name: str
    view_id: str
    cursor: str
    """Where to leaf on from to begin with this view."""
    dataset: str
    """Folder of its dataset within the job's."""
    title: str
    caption: str
    task_id: str
    worker: str
    assets: tuple[str, ...]
    resolution_px: tuple[int, int]
    pictures: dict[PassName, ShownFile]
    """Of each pass, the 8-bit picture of it, or its file."""
    without_picture: tuple[PassName, ...] = ()
    """Passes that are arrays, of which there is nothing to see."""
    objects: tuple[ShownObject, ...]
    sentences: tuple[ShownSentence, ...] = ()
    moment: ShownMoment | None = None
    flags: tuple[Flag, ...] = ()
    coverage: float
    render_s: float


def flags_of(record: ViewRecord) -> tuple[Flag, ...]:
    """Return what may be worth a look at a view."""
    return tuple(flag for flag in FLAGS if MEANT[flag](record))


def is_hidden(label: ObjectLabel) -> bool:
    """Say whether other things hide most of a thing."""
    return label.visible_fraction is not None and label.visible_fraction < HIDDEN_BELOW


def card(record: ViewRecord, inner: str, cursor: str) -> ViewCard:
    """Return what people look at of a view."""
    pictures = shown_of(record, inner)
    moment = record.view.moment
    return ViewCard(
        name=record.view.name,
        view_id=record.view_id,
        cursor=cursor,
        dataset=inner.rstrip("/"),
        title=record.title,
        caption=record.view.caption,
        task_id=record.task_id,
        worker=record.worker,
        assets=tuple(asset.name for asset in record.assets),
        resolution_px=record.resolution_px,
        pictures=pictures,
        without_picture=tuple(name for name in record.files if name not in pictures),
        objects=tuple(shown_object(label) for label in record.objects),
        sentences=tuple(
            ShownSentence(
                text=each.text,
                kind=each.kind,
                level=each.level,
                targets=each.targets,
                negative=each.negative,
            )
            for each in record.expressions
        ),
        moment=None
        if moment is None
        else ShownMoment(
            sequence=moment.sequence,
            place=moment.place,
            of=moment.of,
            number=moment.number,
            fps=moment.fps,
        ),
        flags=flags_of(record),
        coverage=record.coverage,
        render_s=record.timings.render_s,
    )


def shown_object(label: ObjectLabel) -> ShownObject:
    """Return what people look at of a thing."""
    return ShownObject(
        name=label.name,
        category=label.category,
        indices=label.indices,
        box_px=label.box_px,
        visible_fraction=label.visible_fraction,
        keypoints=tuple(
            ShownPoint(name=each.name, px=each.px, visible=each.visible)
            for each in label.keypoints
            if each.px is not None
        ),
    )
