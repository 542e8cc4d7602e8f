"""TAP-Vid: tracks of points with whether they are hidden, and the video, as `.npz`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from farm.dataset.export.base import ExportJob, ExportPart, Lines, NumberedView, Written
from farm.dataset.export.cameras import only_pinholes
from farm.dataset.export.geometry.rigid_tracks import (
    FLOATING,
    Body,
    Numbers,
    Sight,
    changes_size,
    inside_box,
    look,
    points_of,
)
from farm.dataset.export.passes.npz import Stacks, put_npz, stacks
from farm.dataset.export.sequences import WholeExporter, moment_of
from farm.dataset.export.survey import things
from farm.dataset.export.timeline import ObjectKey
from farm.dataset.images import to_8_bit
from farm.errors import SpecError
from farm.spec.base import digest
from farm.spec.record import ViewRecord

LEAST_POINTS = 5
"""Floating points that are no proof yet."""


class Shown(NamedTuple):
    """A frame, and points that are seen in it."""

    rgb: NDArray[np.uint8]
    depth: NDArray[np.float32]
    ids: NDArray[np.uint16]
    record: ViewRecord
    points: dict[ObjectKey, Numbers]
    """(N, 3) in the frame of each thing."""
    outside: set[ObjectKey]
    """Things that are seen where their boxes are not."""


class Followed(NamedTuple):
    """A frame, and where the points are in it that were followed when it was rendered."""

    rgb: NDArray[np.uint8]
    rows: NDArray[Any]
    """(N,), as the pass `tracks` has them."""


class Tracks(NamedTuple):
    """Points over time."""

    px: Numbers
    """(N, T, 2)."""
    visible: NDArray[np.bool_]
    """(N, T)."""


class TapvidExporter(WholeExporter[Shown | Followed]):
    """`<split>/<sequence>.npz`: `video`, `points` (N, T, 2) of 0..1, `occluded` (N, T)."""

    reader = "TAP-Vid"
    takes = frozenset({"points"})
    needs = (("rgb",), ("tracks", "depth"), ("tracks", "index"))

    def __init__(self, job: ExportJob) -> None:
        super().__init__(job)
        self._followed = "tracks" in self.survey.common_passes()
        if not self._followed:
            only_pinholes(self.survey, self.reader)

    def take_frame(self, view: NumberedView) -> Shown | Followed:
        rgb = to_8_bit(view.pixels("rgb"))
        return Followed(rgb, view.pixels("tracks")) if self._followed else self._posed(view, rgb)

    def _posed(self, view: NumberedView, rgb: NDArray[np.uint8]) -> Shown:
        """Return a frame with points that its depth shows."""
        record = view.record
        depth, index = view.pixels("depth"), view.pixels("index")
        sight = Sight(record.camera, depth, index)
        points: dict[ObjectKey, Numbers] = {}
        outside: set[ObjectKey] = set()
        for key, body in bodies_of(record).items():
            own = np.argwhere(np.isin(index, body.indices) & np.isfinite(depth))
            found = points_of(sight, body, self._some(own, view, key))
            inside = inside_box(found, body)
            points[key] = found[inside]
            if not inside.all():
                outside.add(key)
        return Shown(rgb, depth, index, record, points, outside)

    def write_sequence(self, part: ExportPart, frames: Iterator[Shown | Followed]) -> Written:
        if self._followed:
            return self._write_followed(part, cast("Iterator[Followed]", frames))
        return self._write_posed(part, cast("Iterator[Shown]", frames))

    def _write_followed(self, part: ExportPart, frames: Iterator[Followed]) -> Written:
        """Write the tracks that were rendered."""
        name = part.views[0].sequence
        rows: list[NDArray[Any]] = []
        with stacks(self.outbox, len(part.views)) as video:
            for frame in frames:
                video.add("video", frame.rgb)
                rows.append(frame.rows)
                if not np.array_equal(rows[0]["id"], frame.rows["id"]):
                    raise SpecError(f"{name}: its frames follow different points: render it again")
            keep = np.arange(len(rows[0]))
            if "points" in self.options.model_fields_set:
                keep = np.sort(lot(name).permutation(keep)[: self.options.points])
            tracks = Tracks(
                np.stack([each["px"][keep] for each in rows], axis=1),
                np.stack([each["visible"][keep] for each in rows], axis=1),
            )
            told = {**arrays_of(tracks, part), "id": rows[0]["id"][keep]}
            told["fps"] = np.float64(self.reels[name].fps)
            path = put_npz(self.outbox, f"{part.split}/{name}.npz", video, told)
        return Written([path], [{"tracks": len(keep), "notes": []}])

    def _write_posed(self, part: ExportPart, frames: Iterator[Shown]) -> Written:
        """Write tracks by the poses of things."""
        name = part.views[0].sequence
        records: list[ViewRecord] = []
        points: defaultdict[ObjectKey, list[Numbers]] = defaultdict(list)
        bent: set[ObjectKey] = set()
        with (
            stacks(self.outbox, len(part.views)) as video,
            stacks(self.outbox, len(part.views)) as maps,
        ):
            for frame in frames:
                video.add("video", frame.rgb)
                maps.add("depth", frame.depth)
                maps.add("index", frame.ids)
                records.append(frame.record)
                bent |= frame.outside
                for key, some in frame.points.items():
                    points[key].append(some)
            told, notes = self._tracks(part, records, points, bent, maps)
            if told is None:
                return Written([], [{"tracks": 0, "notes": [*notes]}])
            path = put_npz(self.outbox, f"{part.split}/{name}.npz", video, told)
        return Written([path], [{"tracks": len(told["points"]), "notes": [*notes]}])

    def close(self, lines: Lines) -> list[str]:
        found = [line for split in self.survey.splits for line in lines(split)]
        self.notes += [note for line in found for note in line["notes"]]
        if found and not any(line["tracks"] for line in found):
            raise SpecError(f"nothing here can be tracked: {self.notes[0]}")
        return []

    def _some(
        self, pixels: NDArray[np.intp], view: NumberedView, key: ObjectKey
    ) -> NDArray[np.intp]:
        """Return some of a thing's pixels (N, 2), by lot: the same each time.

        Those of all frames are enough, if it were the only thing.
        """
        moment = moment_of(view)
        rng = lot(view.sequence, moment.place, key.model_dump())
        return pixels[rng.permutation(len(pixels))[: -(-self.options.points // moment.of)]]

    def _tracks(
        self,
        part: ExportPart,
        records: list[ViewRecord],
        points: dict[ObjectKey, list[Numbers]],
        bent: set[ObjectKey],
        maps: Stacks,
    ) -> tuple[dict[str, Any] | None, list[str]]:
        """Return the arrays of a sequence, None where nothing in it can be followed, and why."""
        name = part.views[0].sequence
        bodies = [bodies_of(record) for record in records]
        depth, index = (maps.known[of].read() for of in ("depth", "index"))
        sights = [Sight(record.camera, depth[at], index[at]) for at, record in enumerate(records)]
        found: list[Tracks] = []
        names: list[str] = []
        refused: dict[str, list[str]] = defaultdict(list)
        for key in sorted(points, key=lambda key: (key.name, key.asset)):
            there = [of[key] for of in bodies if key in of]
            if len(there) < len(records):
                refused["not there in all frames"].append(key.name)
            elif key in bent or changes_size(there):
                refused["not rigid"].append(key.name)
            else:
                own = np.concatenate(points[key])
                tracks = follow(own, there, sights)
                if tracks is None:
                    refused["not rigid"].append(key.name)
                else:
                    found.append(tracks)
                    names += [key.name] * len(own)
        notes = notes_of(name, refused)
        return (self._chosen(part, found, names) if names else None), notes

    def _chosen(self, part: ExportPart, found: list[Tracks], names: list[str]) -> dict[str, Any]:
        """Return the arrays of as many points as are wanted, spread evenly over things."""
        name = part.views[0].sequence
        counts = shares([len(tracks.px) for tracks in found], self.options.points)
        first = np.cumsum([0, *(len(tracks.px) for tracks in found)])
        keep = np.concatenate(
            [
                at + np.sort(lot(name, int(at)).permutation(len(tracks.px))[:count])
                for at, tracks, count in zip(first, found, counts, strict=False)
            ]
        )
        px = np.concatenate([tracks.px for tracks in found])[keep]
        visible = np.concatenate([tracks.visible for tracks in found])[keep]
        return {
            **arrays_of(Tracks(px, visible), part),
            "objects": np.array(names, dtype=np.str_)[keep],
            "fps": np.float64(self.reels[name].fps),
        }


def notes_of(name: str, refused: dict[str, list[str]]) -> list[str]:
    """Say which things of a sequence have no tracks, and why."""
    notes = []
    for why, names in refused.items():
        shown = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if names[5:] else "")
        notes.append(
            f"{name}: no tracks on {shown}: {why}, so poses cannot carry its points; "
            "render with --tracks 256 to follow them"
        )
    return notes


def arrays_of(tracks: Tracks, part: ExportPart) -> dict[str, Any]:
    """Return tracks as TAP-Vid has them: shares of width and height, and where they are hidden."""
    size = part.views[0].record.resolution_px
    return {
        "points": (np.nan_to_num(tracks.px) / size).astype(np.float32),
        "occluded": ~tracks.visible,
    }


def lot(*what: object) -> np.random.Generator:
    """Return a source of chance that is the same for the same things."""
    return np.random.default_rng(int(digest(*what)[:16], 16))


def shares(there: list[int], wanted: int) -> list[int]:
    """Return how many to take of each, as evenly as there are enough."""
    found = [0] * len(there)
    for left, at in enumerate(sorted(range(len(there)), key=there.__getitem__)):
        found[at] = min(there[at], -(-(wanted - sum(found)) // (len(there) - left)))
    return found


def bodies_of(record: ViewRecord) -> dict[ObjectKey, Body]:
    """Return the things of a frame."""
    return {
        key: Body(label.indices, np.array(label.camera_from_object), label.size)
        for key, label in things(record)
    }


def follow(points: Numbers, bodies: list[Body], sights: list[Sight]) -> Tracks | None:
    """Return the tracks of points (N, 3) of a thing's own frame; None where it is not rigid."""
    seen = [look(points, body, sight) for body, sight in zip(bodies, sights, strict=True)]
    floating = np.stack([each.floating for each in seen], axis=1)
    if np.count_nonzero(floating) > max(LEAST_POINTS, FLOATING * floating.size):
        return None
    px = np.stack([each.px for each in seen], axis=1)
    return Tracks(px, np.stack([each.visible for each in seen], axis=1))
