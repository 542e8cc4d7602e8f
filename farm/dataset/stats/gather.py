"""What a dataset covers: cameras, sizes, places, brightness; counted in one pass."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydantic import Field

from farm.dataset.images import to_8_bit
from farm.dataset.parallel import mapped, mapped_in_processes, pays
from farm.dataset.reader import Dataset, DatasetView, LineReader, Piece
from farm.dataset.records.assets import AssetCounter, AssetKey, AssetSummary, key_of
from farm.dataset.stats.histogram import BINS, Histogram
from farm.dataset.stats.motion import (
    MotionGatherer,
    MotionPixels,
    MotionStats,
    look_at_motion,
)
from farm.dataset.stats.sentences import SentenceGatherer, SentenceStats
from farm.dataset.verify.view_checks import edge_fraction
from farm.soundness import shares_of, tight_box
from farm.spec.asset import Asset
from farm.spec.base import Spec
from farm.spec.counted import counted
from farm.spec.record import IllLit, ViewRecord

YAWS, PITCHES = 36, 9
"""Fields of the dome: of 10 degrees each way."""
PLACES, SIZES = 48, 24
"""Fields of the heat maps along each side."""
PIXEL_VIEWS = 2000
"""Views whose pixels are read, unless told otherwise."""
PIECE = 512
"""Views that another process counts at a time."""
STRAIGHT_DOWN_DEG = 89.999
"""Pitch from which on a camera has no side."""
DEGREE_DIGITS = 4
"""Matrices hold angles less exactly than this."""
Box = tuple[float, float, float, float]


class AssetStats(AssetSummary):
    """An asset, how often it is seen, and how its views look: means, None where not read."""

    coverage: float | None
    brightness: float | None
    edges: float | None


class DatasetStats(Spec):
    """What is in a dataset."""

    views: int
    empty_views: int
    ill_lit: dict[IllLit, int] = Field(default_factory=dict)
    """Views of which nearly all of the model is black, or clipped."""
    pixel_views: int
    """Views whose pixels were read: brightness, edges and, where records have none, boxes."""
    resolutions_px: dict[str, int]
    passes: dict[str, int]
    facets: dict[str, dict[str, int]]
    """What recipes count views by, such as `framing`, and how often each word of it occurs."""
    categories: dict[str, int]
    """Objects of each category."""
    assets: tuple[AssetStats, ...]
    dome: tuple[tuple[int, ...], ...]
    """Objects by the side from which they are seen, in their own frame: by pitch (9 rows of 10
    degrees, from the horizon up) and yaw (36 columns of 10; 0 is their +Y, 90 their +X)."""
    position: tuple[tuple[float, ...], ...]
    """Share of views in which the model covers each of 48 x 48 fields of the picture."""
    position_from: str
    """`masks`, or `boxes` where no mask was read."""
    size: tuple[tuple[int, ...], ...]
    """Objects by the height (24 rows) and width (24 columns) of their box, as shares of the
    picture's sides."""
    coverage: Histogram
    """Of the picture, the share that the model covers."""
    brightness: Histogram
    """Mean of a picture, 0..1, as it is shown."""
    edges: Histogram
    """Of a mask, the share of partly covered pixels."""
    motion: MotionStats | None = None
    """How sequences move; None where there are none."""
    sentences: SentenceStats | None = None
    """What sentences say, and of what they are true; None where there are none."""

    @property
    def ill_lit_told(self) -> str:
        """How many views are black or clipped, in words; empty where none is."""
        return ", ".join(
            f"{counted(views, 'view')} {how} at 98 % of the model or more"
            for how, views in self.ill_lit.items()
        )


class Pixels(NamedTuple):
    """What was read from one view's pixels."""

    brightness: float | None = None
    edge: float | None = None
    box: Box | None = None
    """Of the mask, pixels: left, top, right, bottom."""
    places: NDArray[np.float64] | None = None
    """(PLACES, PLACES), the share of each field that the mask covers."""
    motion: MotionPixels = MotionPixels()


class Counts:
    """A histogram that is being made."""

    def __init__(self) -> None:
        self._counts = np.zeros(BINS, dtype=np.int64)
        self._sum = 0.0

    def add(self, value: float) -> None:
        """Count a number of 0..1."""
        share = clipped(value)
        self._counts[field_of(share, BINS)] += 1
        self._sum += share

    def merge(self, other: Counts) -> None:
        """Add what another one has counted."""
        self._counts += other._counts
        self._sum += other._sum

    def result(self) -> Histogram:
        """Return what was counted."""
        total = int(self._counts.sum())
        return Histogram(
            low=0.0,
            high=1.0,
            counts=tuple(self._counts.tolist()),
            mean=round(self._sum / total, 6) if total else None,
        )


class AssetGatherer(AssetCounter):
    """Counts the views of each asset, and what is measured on them."""

    def __init__(self) -> None:
        super().__init__()
        self._sums: defaultdict[tuple[AssetKey, str], float] = defaultdict(float)
        self._measured: Counter[tuple[AssetKey, str]] = Counter()

    def measure(self, asset: Asset, what: str, value: float | None) -> None:
        """Take a number of 0..1 of a view of `asset`, if there is one."""
        if value is not None:
            self._sums[key_of(asset), what] += clipped(value)
            self._measured[key_of(asset), what] += 1

    def merge(self, other: Self) -> None:
        """Add what another one has counted of later views."""
        super().merge(other)
        self._measured.update(other._measured)
        for key, total in other._sums.items():
            self._sums[key] += total

    def stats(self) -> tuple[AssetStats, ...]:
        """Return all assets, by name."""
        return tuple(
            AssetStats(
                **dict(asset),
                coverage=self._mean((asset.role, asset.sha256), "coverage"),
                brightness=self._mean((asset.role, asset.sha256), "brightness"),
                edges=self._mean((asset.role, asset.sha256), "edges"),
            )
            for asset in self.summaries()
        )

    def _mean(self, asset: AssetKey, what: str) -> float | None:
        count = self._measured[asset, what]
        return round(self._sums[asset, what] / count, 6) if count else None


class Gatherer:
    """Takes views one after the other."""

    def __init__(self) -> None:
        self.assets = AssetGatherer()
        self.coverage, self.brightness, self.edges = Counts(), Counts(), Counts()
        self.counted: Counter[str] = Counter()
        self.resolutions: Counter[str] = Counter()
        self.passes: Counter[str] = Counter()
        self.ill_lit: Counter[IllLit] = Counter()
        self.facets: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self.categories: Counter[str] = Counter()
        self.dome = np.zeros((PITCHES, YAWS), dtype=np.int64)
        self.size = np.zeros((SIZES, SIZES), dtype=np.int64)
        self.motion = MotionGatherer()
        self.sentences = SentenceGatherer()
        self.places = {"masks": np.zeros((PLACES, PLACES)), "boxes": np.zeros((PLACES, PLACES))}

    def take(self, view: DatasetView, pixels: Pixels | None) -> None:
        """Count one view, and how it moves."""
        self.add(view.record, pixels)
        self.motion.add(view, pixels.motion if pixels else MotionPixels())

    def merge(self, other: Gatherer) -> None:
        """Add what another one has taken of later views."""
        self.assets.merge(other.assets)
        for kind in ("coverage", "brightness", "edges"):
            getattr(self, kind).merge(getattr(other, kind))
        for kind in ("counted", "resolutions", "passes", "ill_lit", "categories"):
            getattr(self, kind).update(getattr(other, kind))
        for facet, words in other.facets.items():
            self.facets[facet].update(words)
        self.dome += other.dome
        self.size += other.size
        for kind, places in other.places.items():
            self.places[kind] += places
        self.motion.merge(other.motion)
        self.sentences.merge(other.sentences)

    def add(self, record: ViewRecord, pixels: Pixels | None) -> None:
        """Count one view."""
        self.assets.add(record.assets)
        for asset in {key_of(each): each for each in record.assets}.values():
            self.assets.measure(asset, "coverage", record.coverage)
            if pixels is not None:
                self.assets.measure(asset, "brightness", pixels.brightness)
                self.assets.measure(asset, "edges", pixels.edge)
        self.coverage.add(record.coverage)
        self.counted["views"] += 1
        self.counted["empty"] += record.coverage == 0
        self.ill_lit.update([record.ill_lit] if record.ill_lit else [])
        self.resolutions["x".join(map(str, record.resolution_px))] += 1
        self.passes.update(record.files.keys())
        for facet, word in record.view.facets.items():
            self.facets[facet][word] += 1
        for yaw_deg, pitch_deg in sides_seen(record):
            pitch = field_of(clipped(pitch_deg / 90), PITCHES)
            self.dome[pitch, field_of(clipped(yaw_deg % 360 / 360), YAWS)] += 1
        self.sentences.add(record)
        self.categories.update(label.category for label in record.objects)
        boxes = [label.box_px for label in record.objects if label.box_px is not None]
        if pixels is not None:
            self._add_pixels(pixels)
            if not record.objects and pixels.box is not None:
                boxes = [pixels.box]
        for box in boxes:
            self._add_box(box, record.resolution_px)

    def _add_pixels(self, pixels: Pixels) -> None:
        self.counted["pixels"] += 1
        if pixels.brightness is not None:
            self.brightness.add(pixels.brightness)
        if pixels.edge is not None:
            self.edges.add(pixels.edge)
        if pixels.places is not None:
            self.places["masks"] += pixels.places
            self.counted["masks"] += 1

    def _add_box(self, box: Box, resolution_px: tuple[int, int]) -> None:
        left, right = (clipped(box[side] / max(resolution_px[0], 1)) for side in (0, 2))
        top, bottom = (clipped(box[side] / max(resolution_px[1], 1)) for side in (1, 3))
        self.size[field_of(bottom - top, SIZES), field_of(right - left, SIZES)] += 1
        rows, columns = (
            slice(field_of(low, PLACES), max(field_of(low, PLACES) + 1, round(high * PLACES)))
            for low, high in ((top, bottom), (left, right))
        )
        self.places["boxes"][rows, columns] += 1
        self.counted["boxes"] += 1

    def result(self) -> DatasetStats:
        """Return what was counted."""
        kind = "masks" if self.counted["masks"] else "boxes"
        share = self.places[kind] / max(self.counted[kind], 1)
        return DatasetStats(
            views=self.counted["views"],
            empty_views=self.counted["empty"],
            ill_lit=dict(sorted(self.ill_lit.items())),
            pixel_views=self.counted["pixels"],
            resolutions_px=dict(self.resolutions.most_common()),
            passes=dict(self.passes.most_common()),
            facets={name: dict(words.most_common()) for name, words in self.facets.items()},
            categories=dict(self.categories.most_common()),
            assets=self.assets.stats(),
            dome=rows_of(self.dome),
            position=rows_of(np.round(share, 6)),
            position_from=kind,
            size=rows_of(self.size),
            coverage=self.coverage.result(),
            brightness=self.brightness.result(),
            edges=self.edges.result(),
            motion=self.motion.result(),
            sentences=self.sentences.result(),
        )


def gather_stats(
    data: Dataset,
    *,
    pixel_views: int = PIXEL_VIEWS,
    workers: int,
    processes: bool = False,
    progress: Callable[[int], None] = lambda _views: None,
) -> DatasetStats:
    """Count what is in a dataset, or in several.

    Args:
        data: What was opened.
        pixel_views: Number of views, evenly spread, of which the pixels are read.
        workers: Views to read at a time.
        processes: Where there are many, in processes, which import the program's main module anew.
        progress: Called with the number of views that were counted since it was called.
    """
    stride = max(1, -(-len(data) // pixel_views)) if pixel_views else 0
    gatherer = Gatherer()
    if processes and data.suits_processes and pays(views=len(data), workers=workers):
        gather = partial(gather_piece, data.reader, stride=stride)
        for other in mapped_in_processes(gather, data.pieces(PIECE), workers=workers):
            gatherer.merge(other)
            progress(other.counted["views"])
        return gatherer.result()
    read = partial(read_view, stride=stride)
    for view, pixels in mapped(read, enumerate(data), workers=workers):
        gatherer.take(view, pixels)
        progress(1)
    return gatherer.result()


def gather_piece(reader: LineReader, piece: Piece, *, stride: int) -> Gatherer:
    """Count some views in a row."""
    gatherer = Gatherer()
    for number, line in enumerate(reader.lines(piece), start=piece.number):
        gatherer.take(*read_view((number, reader.view(line)), stride=stride))
    return gatherer


def read_view(place: tuple[int, DatasetView], *, stride: int) -> tuple[DatasetView, Pixels | None]:
    """Return a view, and of every `stride`-th what its pixels tell."""
    number, view = place
    if not stride or number % stride:
        return view, None
    pixels = Pixels()
    if "rgb" in view.passes:
        pixels = pixels._replace(brightness=float(to_8_bit(view["rgb"]).mean()) / 255)
    if "mask" in view.passes:
        pixels = look_at_mask(pixels, view["mask"])
    if view.record.view.moment is not None:
        pixels = pixels._replace(motion=look_at_motion(view))
    return view, pixels


def look_at_mask(pixels: Pixels, mask: NDArray[Any]) -> Pixels:
    """Add what a mask, (H, W), tells."""
    small = Image.fromarray(to_8_bit(mask)).resize((PLACES, PLACES), Image.Resampling.BOX)
    pixels = pixels._replace(places=np.asarray(small, dtype=np.float64) / 255)
    box = tight_box(shares_of(mask))
    return pixels._replace(edge=edge_fraction(mask), box=box) if box else pixels


def sides_seen(record: ViewRecord) -> list[tuple[float, float]]:
    """Return yaw and pitch, degrees, at which the camera stands in the frame of each object.

    A record without objects is looked at from the world's frame.
    """
    poses = [np.array(label.camera_from_object) for label in record.objects]
    if not poses:
        poses = [np.linalg.inv(np.array(record.camera.world_from_camera))]
    far_off = record.camera.model == "orthographic"
    return [side_seen(pose, far_off=far_off) for pose in poses]


def side_seen(
    camera_from_object: NDArray[np.float64], *, far_off: bool = False
) -> tuple[float, float]:
    """Return yaw and pitch of the camera, degrees; straight above, yaw follows the picture's up.

    With `far_off`, its rays run side by side, so that it sees all things from where it looks from.
    """
    turn, shift = camera_from_object[:3, :3], camera_from_object[:3, 3]
    x, y, z = (turn[2] if far_off else -turn.T @ shift).tolist()
    pitch_deg = math.degrees(math.atan2(z, math.hypot(x, y)))
    if pitch_deg > STRAIGHT_DOWN_DEG:
        x, y, _ = (-turn[1]).tolist()
    return round(math.degrees(math.atan2(x, y)), DEGREE_DIGITS), round(pitch_deg, DEGREE_DIGITS)


def clipped(value: float) -> float:
    """Return the number of 0..1 that is nearest; 0 for what is no number."""
    return 0.0 if math.isnan(value) else min(1.0, max(0.0, value))


def field_of(share: float, fields: int) -> int:
    """Return which of `fields` equal parts of 0..1 a number falls into."""
    return min(fields - 1, max(0, int(share * fields)))


def rows_of(table: NDArray[Any]) -> tuple[tuple[Any, ...], ...]:
    """Return an array, (rows, columns), as plain numbers."""
    return tuple(tuple(row) for row in table.tolist())
