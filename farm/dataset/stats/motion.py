"""How sequences move: their cameras, and what is seen."""

from __future__ import annotations

import math
import zlib
from array import array
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from farm.dataset.reader import DatasetView
from farm.dataset.sequences import prefix_of
from farm.dataset.stats.histogram import Histogram, histogram_of
from farm.spec.base import Spec
from farm.spec.passes import PassName
from farm.spec.record import ViewRecord
from farm.spec.task import dataset_key

Numbers = NDArray[np.float64]
FAST_PERCENT = 95.0
DIGITS = 6
FLOWS: tuple[tuple[PassName, PassName], ...] = (
    ("flow_forward", "flow_forward_valid"),
    ("flow_backward", "flow_backward_valid"),
)
"""The first that a frame has is looked at."""


class SequenceStats(Spec):
    """How one sequence moves; None of what its passes do not tell."""

    sequence: str
    """Its folder, from the place that was opened."""
    frames: int
    fps: float
    seconds: float
    speed: float | None
    """Of the camera, units of its world per second: the median over frames."""
    fastest: float | None
    """The greatest speed."""
    flow_px: float | None
    """Length of valid flow: the median over frames of their medians."""
    fast_flow_px: float | None
    """The same of the length that 95 % of a frame's pixels do not exceed."""
    baseline: float | None
    """Way of the camera between neighbours over the median depth of what is seen: the median."""
    valid: float | None
    """Share of the picture, 0..1, whose flow is valid: the mean over frames with a neighbour."""


class MotionStats(Spec):
    """How all sequences move, frame by frame."""

    sequences: tuple[SequenceStats, ...]
    speed: Histogram
    flow_px: Histogram
    """Median of a frame."""
    fast_flow_px: Histogram
    """What 95 % of a frame's pixels do not exceed."""
    baseline: Histogram
    valid: Histogram


class MotionPixels(NamedTuple):
    """What the pixels of one frame tell of motion; NaN of what they do not."""

    depth: float = math.nan
    flow_px: float = math.nan
    fast_flow_px: float = math.nan
    valid: float = math.nan


def look_at_motion(view: DatasetView) -> MotionPixels:
    """Return what the pixels of a frame tell."""
    seen = MotionPixels()
    if "depth" in view.passes:
        depth = view["depth"]
        there = depth[np.isfinite(depth)]
        if there.size:
            seen = seen._replace(depth=float(np.median(there)))
    found = [names for names in FLOWS if names[0] in view.passes]
    if not found or not has_neighbour(view.record, found[0][0]):
        return seen
    return look_at_flow(seen, view, *found[0])


def has_neighbour(record: ViewRecord, flow: PassName) -> bool:
    """Say whether a frame has the neighbour that a flow leads to."""
    moment = record.view.moment
    if moment is None:
        return False
    return moment.place < moment.of - 1 if flow == "flow_forward" else moment.place > 0


def look_at_flow(
    seen: MotionPixels, view: DatasetView, flow: PassName, valid: PassName
) -> MotionPixels:
    """Add what a flow tells, where it is valid if that is known."""
    lengths = np.linalg.norm(view[flow], axis=-1)
    if valid in view.passes:
        trusted = view[valid] > 0
        seen = seen._replace(valid=float(trusted.mean()))
        lengths = lengths[trusted]
    if not lengths.size:
        return seen
    median, fast = np.percentile(lengths, (50.0, FAST_PERCENT)).tolist()
    return seen._replace(flow_px=median, fast_flow_px=fast)


class Track:
    """The frames of one sequence, in any order; about 80 bytes for each."""

    def __init__(self, key: str) -> None:
        self.key = key
        self.fps = 0.0
        self._places, self._cameras = array("q"), array("Q")
        self._times_s, self._spots = array("d"), array("d")
        self._seen = array("d")

    def add(self, record: ViewRecord, pixels: MotionPixels) -> None:
        """Take a frame."""
        moment = record.view.moment
        assert moment is not None
        self.fps = moment.fps
        self._places.append(moment.place)
        self._times_s.append(moment.time_s)
        self._cameras.append(zlib.crc32(record.view.facets.get("camera", "").encode()))
        self._spots.extend(row[3] for row in record.camera.world_from_camera[:3])
        self._seen.extend(pixels)

    def merge(self, other: Track) -> None:
        """Add the frames of another one."""
        self.fps = other.fps
        self._places += other._places
        self._cameras += other._cameras
        self._times_s += other._times_s
        self._spots += other._spots
        self._seen += other._seen

    def frames(self) -> dict[str, Numbers]:
        """Return what is known of each frame, (frames,), in order; NaN of what is not."""
        order = np.argsort(np.array(self._places), kind="stable")
        spots = np.array(self._spots).reshape(-1, 3)[order]
        times_s = np.array(self._times_s)[order]
        cameras = np.array(self._cameras)[order]
        steps = np.diff(np.array(self._places)[order])
        ways = np.linalg.norm(np.diff(spots, axis=0), axis=-1)
        ways[(steps != 1) | (np.diff(cameras.astype(np.int64)) != 0)] = np.nan
        lasted_s = np.diff(times_s)
        speed = np.where(lasted_s > 0, ways / np.where(lasted_s > 0, lasted_s, 1.0), np.nan)
        seen = np.array(self._seen).reshape(-1, len(MotionPixels._fields))[order]
        found = dict(zip(MotionPixels._fields, seen.T, strict=True))
        depth = found.pop("depth")[: len(ways)]
        baseline = ways / np.where(depth > 0, depth, np.nan)
        return {"speed": speed, "baseline": baseline, **found}

    def stats(self) -> SequenceStats:
        """Return what was counted."""
        frames = self.frames()
        count = len(self._places)
        return SequenceStats(
            sequence=self.key,
            frames=count,
            fps=self.fps,
            seconds=round(count / self.fps, DIGITS),
            speed=middle(frames["speed"]),
            fastest=known(frames["speed"], np.max),
            flow_px=middle(frames["flow_px"]),
            fast_flow_px=middle(frames["fast_flow_px"]),
            baseline=middle(frames["baseline"]),
            valid=known(frames["valid"], np.mean),
        )


def middle(values: Numbers) -> float | None:
    """Return the median of those values that are known."""
    return known(values, np.median)


def known(values: Numbers, summed_up: Callable[[Numbers], np.floating[Any]]) -> float | None:
    """Return what sums up those values that are known; None where none is."""
    there = values[np.isfinite(values)]
    return round(float(summed_up(there)), DIGITS) if there.size else None


class MotionGatherer:
    """Takes frames one after the other."""

    def __init__(self) -> None:
        self._tracks: dict[str, Track] = {}

    def add(self, view: DatasetView, pixels: MotionPixels) -> None:
        """Take a view; one that is of no sequence is passed over."""
        moment = view.record.view.moment
        if moment is None:
            return
        key = dataset_key(prefix_of(view), moment.sequence)
        if key not in self._tracks:
            self._tracks[key] = Track(key)
        self._tracks[key].add(view.record, pixels)

    def merge(self, other: MotionGatherer) -> None:
        """Add what another one has taken of later views."""
        for key, track in other._tracks.items():
            if key in self._tracks:
                self._tracks[key].merge(track)
            else:
                self._tracks[key] = track

    def result(self) -> MotionStats | None:
        """Return what was counted; None where there is no sequence."""
        if not self._tracks:
            return None
        frames = [track.frames() for track in self._tracks.values()]
        kinds = {kind: histogram_of(all_of(frames, kind)) for kind in frames[0]}
        return MotionStats(
            sequences=tuple(track.stats() for track in self._tracks.values()),
            **kinds | {"valid": histogram_of(all_of(frames, "valid"), high=1.0)},
        )


def all_of(frames: Iterable[dict[str, Numbers]], kind: str) -> Numbers:
    """Return the values of one kind of all sequences that are known."""
    values = np.concatenate([each[kind] for each in frames])
    return np.asarray(values[np.isfinite(values)])


def numbers_of(stats: SequenceStats) -> Iterator[str]:
    """Yield what a chart says of a sequence."""
    yield f"{stats.frames:,} at {stats.fps:.4g} fps"
    told = (
        ("{:.3g} units/s", stats.speed),
        ("flow {:.3g} px", stats.flow_px),
        ("95 % {:.3g}", stats.fast_flow_px),
        ("baseline {:.2g}", stats.baseline),
    )
    yield from (words.format(value) for words, value in told if value is not None)
    if stats.valid is not None:
        yield f"{stats.valid:.0%} valid"
