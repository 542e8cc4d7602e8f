"""Checks of the flow of a sequence: followed from frame to frame, does it lead to what it says?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from farm.dataset.images import DecodeError, decode_pass
from farm.errors import StorageError
from farm.projection import project, rays
from farm.spec.counted import counted
from farm.spec.passes import CARRIED, PassName
from farm.spec.record import CameraRecord, ViewRecord
from farm.spec.task import dataset_key
from farm.storage import Storage

Numbers = NDArray[np.float64]
Side = Literal["forward", "backward"]
FLOW: dict[Side, PassName] = {"forward": "flow_forward", "backward": "flow_backward"}
VALID: dict[Side, PassName] = {
    "forward": "flow_forward_valid",
    "backward": "flow_backward_valid",
}
OTHER: dict[Side, Side] = {"forward": "backward", "backward": "forward"}
NEIGHBOUR: dict[Side, str] = {"forward": "next", "backward": "previous"}
READ: tuple[PassName, ...] = (
    "rgb", "depth", "index", *FLOW.values(), *VALID.values(), *sorted(CARRIED)
)  # fmt: skip
MOST_PIXELS = 20_000
"""Valid pixels of a frame that are followed, evenly spread: enough for shares of a hundredth."""
BACK_PX, BACK_SHARE = 1.0, 0.5
"""How far a point that went to the other frame and back may be from where it started: pixels, and
a share of the way from it to the centre of the pixel that shows it. Twice what the renderer asks,
so that its own flow passes whatever the noise: labels have none."""
FEW, ASTRAY = 4, 0.02
"""Pixels, and share of those that are valid, that may lead astray: at hairs and wires."""
MOVING_PX, STIRRING_PX = 1.0, 0.5
"""What moves less tells nothing of where it goes: in pictures, and beside what poses say."""
LEAST_MOVING = 64
"""Fewer moving pixels of a sequence tell nothing."""
FITS_PX, FITS_SHARE = 0.25, 0.05
"""How far from a supposed flow a flow may be that fits it."""
FITS_MOST, FITS_MORE = 0.5, 0.4
"""A wrong sense is told where it fits this share of pixels, and this much more than the right
one: things that move by themselves fit neither."""
WARP_MORE, WARP_LEAST = 1.25, 0.02
"""Pictures along the flow may differ by so much more than in place (a share, and of 0..1): noise
and lamps change both, a wrong flow only the first."""
SENSES: dict[str, tuple[float, float]] = {
    "runs backwards": (-1.0, -1.0),
    "has x turned round": (-1.0, 1.0),
    "has y turned round": (1.0, -1.0),
}
"""Usual mistakes, as factors on x and y of what poses and depth say."""


class Frame(NamedTuple):
    """What flow is followed through."""

    record: ViewRecord
    dataset: str
    arrays: dict[PassName, NDArray[Any]]
    """Those passes of `READ` that could be read."""

    def path(self, name: PassName) -> str:
        """Return the key of a pass's file."""
        return dataset_key(self.dataset, self.record.files[name].path)


class Followed(NamedTuple):
    """What one step of flow, from a frame to its neighbour, tells."""

    side: Side
    astray: str = ""
    """What is wrong with it; empty where nothing is."""
    file: str = ""
    moving: int = 0
    """Pixels that move by what poses and depth say of what stands still."""
    fits: int = 0
    """Of these, pixels whose flow is that."""
    senses: tuple[int, ...] = ()
    """Of these, pixels whose flow is that with each of `SENSES`."""
    pace: float | None = None
    """Median over these of their flow along what it should be, as a share of that."""
    keep_pace: int = 0
    """Of these, pixels whose flow is that times the pace."""
    along: float | None = None
    """Median difference of the pictures along the flow, 0..1."""
    in_place: float | None = None


def read_frame(storage: Storage, dataset: str, record: ViewRecord) -> Frame:
    """Read what flow is followed through; what cannot be read was told of before."""
    arrays: dict[PassName, NDArray[Any]] = {}
    width, height = record.resolution_px
    for name in (name for name in READ if name in record.files):
        path = dataset_key(dataset, record.files[name].path)
        try:
            data = storage.get(path)
            pixels = None if data is None else decode_pass(data, path, name)
        except (DecodeError, StorageError):
            continue
        if pixels is not None and pixels.shape[:2] == (height, width):
            arrays[name] = pixels
    return Frame(record, dataset, arrays)


def follow(here: Frame, there: Frame | None, side: Side) -> Followed | None:
    """Follow the valid flow of a frame to its neighbour; None where nothing says where it is."""
    flow, valid = here.arrays.get(FLOW[side]), here.arrays.get(VALID[side])
    if valid is None:
        return None
    file = here.path(VALID[side])
    if odd := int(np.count_nonzero((valid != 0) & (valid != 255))):
        what = f"{VALID[side]} holds numbers besides 0 and 255 at {counted(odd, 'pixel')}"
        return Followed(side, what, file)
    claimed = int(np.count_nonzero(valid))
    if there is None:
        what = f"{VALID[side]} marks {counted(claimed, 'pixel')}, but there is no "
        what += f"{NEIGHBOUR[side]} frame, or another camera sees it"
        return Followed(side, what if claimed else "", file)
    if flow is None or flow.shape[2:] != (2,) or not claimed:
        return Followed(side)
    pixels = np.flatnonzero(valid)[:: max(1, -(-claimed // MOST_PIXELS))]
    start = centres(pixels, valid.shape[1])
    moved = flow.reshape(-1, 2)[pixels].astype(np.float64)
    moved[~np.isfinite(moved).all(axis=-1)] = 0.0  # told of before
    astray = int(np.count_nonzero(~arrives(here, there, side, pixels, start + moved)))
    told = Followed(side)
    if astray > max(FEW, ASTRAY * len(pixels)):
        share = astray / len(pixels)
        what = f"{FLOW[side]} leads {share:.1%} of its valid pixels to something else in "
        told = told._replace(astray=what + there.record.view.name, file=here.path(FLOW[side]))
    told = compare_poses(told, here, there, pixels, moved)
    return compare_pictures(told, here, there, pixels, moved)


def centres(pixels: NDArray[np.intp], width: int) -> Numbers:
    """Return the centres (N, 2) of pixels that are numbered row by row."""
    return np.stack([pixels % width + 0.5, pixels // width + 0.5], axis=-1)


def arrives(
    here: Frame, there: Frame, side: Side, pixels: NDArray[np.intp], landed: Numbers
) -> NDArray[np.bool_]:
    """Return for which pixels (N,) one of the four around where they land shows the same thing.

    That is one of the same number, or where nothing has numbers a surface, which flows back to
    where they came from.
    """
    height, width = there.record.resolution_px[::-1]
    start = centres(pixels, here.record.resolution_px[0])
    corner = np.floor(landed - 0.5)
    found = np.zeros(len(pixels), np.bool_)
    for right, down in ((0, 0), (1, 0), (0, 1), (1, 1)):
        spot = corner + np.array((right, down))
        inside = ((spot >= 0) & (spot < (width, height))).all(axis=-1)
        x, y = np.clip(spot, 0, (width - 1, height - 1)).astype(np.intp).T
        same = inside & shows_same(here, there, pixels, x, y)
        back = there.arrays.get(FLOW[OTHER[side]])
        if back is not None and back.shape[2:] == (2,):
            away = spot + 0.5 - landed
            error = np.linalg.norm(landed + back[y, x] - start, axis=-1)
            same &= error < BACK_PX + BACK_SHARE * np.linalg.norm(away, axis=-1)
        found |= same
    return found


def shows_same(
    here: Frame, there: Frame, pixels: NDArray[np.intp], x: NDArray[np.intp], y: NDArray[np.intp]
) -> NDArray[np.bool_]:
    """Return for which pixels (N,) of a frame those at (x, y) of another show the same thing."""
    if "index" in here.arrays and "index" in there.arrays:
        mine = here.arrays["index"].reshape(-1)[pixels]
        return np.asarray(there.arrays["index"][y, x] == mine)
    if "depth" in here.arrays and "depth" in there.arrays:
        mine = np.isfinite(here.arrays["depth"].reshape(-1)[pixels])
        return np.asarray(np.isfinite(there.arrays["depth"][y, x]) == mine)
    return np.ones(len(pixels), np.bool_)


def compare_poses(
    told: Followed, here: Frame, there: Frame, pixels: NDArray[np.intp], moved: Numbers
) -> Followed:
    """Count where the flow is what poses and depth say of what stands still, or a turned one."""
    depth = here.arrays.get("depth")
    if depth is None:
        return told
    expected = still_flow(depth, here.record.camera, there.record.camera, pixels)
    with np.errstate(invalid="ignore"):
        moving = (np.linalg.norm(expected, axis=-1) >= STIRRING_PX) & (
            np.linalg.norm(moved, axis=-1) >= STIRRING_PX
        )
    expected, moved = expected[moving], moved[moving]
    if not len(moved):
        return told
    pace = float(np.median((moved * expected).sum(axis=-1) / (expected**2).sum(axis=-1)))
    return told._replace(
        moving=len(moved),
        fits=count_fits(moved, expected),
        pace=pace,
        keep_pace=count_fits(moved, expected * pace),
        senses=tuple(count_fits(moved, expected * sense) for sense in SENSES.values()),
    )


def count_fits(moved: Numbers, expected: Numbers) -> int:
    """Return how many of some flows (N, 2) are what is expected."""
    bound = FITS_PX + FITS_SHARE * np.linalg.norm(expected, axis=-1)
    return int(np.count_nonzero(np.linalg.norm(moved - expected, axis=-1) < bound))


def still_flow(
    depth: NDArray[np.float32], here: CameraRecord, there: CameraRecord, pixels: NDArray[np.intp]
) -> Numbers:
    """Return the flow (N, 2) of pixels whose points stand still in the world; NaN if unknown."""
    height, width = depth.shape
    origins, directions = (part.reshape(-1, 3)[pixels] for part in rays(here, (width, height)))
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        reach = (depth.reshape(-1)[pixels] / -directions[:, 2])[:, None]
        points = np.where(np.isfinite(reach), origins + directions * reach, np.nan)
        one, other = np.array(here.world_from_camera), np.array(there.world_from_camera)
        world = points @ one[:3, :3].T + one[:3, 3]
        return project((world - other[:3, 3]) @ other[:3, :3], there) - centres(pixels, width)


def compare_pictures(
    told: Followed, here: Frame, there: Frame, pixels: NDArray[np.intp], moved: Numbers
) -> Followed:
    """Add how much pictures differ along the flow, and in place."""
    one, other = here.arrays.get("rgb"), there.arrays.get("rgb")
    moving = np.linalg.norm(moved, axis=-1) >= MOVING_PX
    if one is None or other is None or np.count_nonzero(moving) < LEAST_MOVING:
        return told
    top = np.iinfo(one.dtype).max
    start = centres(pixels, one.shape[1])[moving]
    mine = one.reshape(-1, one.shape[-1])[pixels[moving]] / top
    along = np.abs(sampled(other, start + moved[moving]) / top - mine).mean(axis=-1)
    in_place = np.abs(sampled(other, start) / top - mine).mean(axis=-1)
    return told._replace(along=float(np.median(along)), in_place=float(np.median(in_place)))


def sampled(picture: NDArray[Any], at: Numbers) -> Numbers:
    """Return the pixels (N, channels) of a picture at places (N, 2), mixed of the four around."""
    height, width = picture.shape[:2]
    spot = np.clip(at - 0.5, 0, (width - 1, height - 1))
    x, y = np.floor(spot).astype(np.intp).T
    right, down = np.minimum(x + 1, width - 1), np.minimum(y + 1, height - 1)
    u, v = (spot - np.floor(spot)).T[..., None]
    upper = picture[y, x] * (1 - u) + picture[y, right] * u
    lower = picture[down, x] * (1 - u) + picture[down, right] * u
    return np.asarray(upper * (1 - v) + lower * v)


class FlowTally:
    """What the flow to one side tells over a whole sequence."""

    def __init__(self, side: Side) -> None:
        self.side = side
        self.moving = self.fits = self.keep_pace = 0
        self.paces: list[float] = []
        self.senses = np.zeros(len(SENSES), np.int64)
        self.along: list[float] = []
        self.in_place: list[float] = []

    def add(self, step: Followed) -> None:
        """Take one more step."""
        self.moving += step.moving
        self.fits += step.fits
        if step.pace is not None:
            self.senses += step.senses
            self.paces.append(step.pace)
            self.keep_pace += step.keep_pace
        if step.along is not None and step.in_place is not None:
            self.along.append(step.along)
            self.in_place.append(step.in_place)

    def strange_sense(self) -> Iterator[str]:
        """Say whether the flow goes another way than poses and depth say of what stands still."""
        if self.moving < LEAST_MOVING:
            return
        best = int(self.senses.argmax())
        share, right = self.senses[best] / self.moving, self.fits / self.moving
        if share >= FITS_MOST and share >= right + FITS_MORE:
            yield (
                f"{FLOW[self.side]} {list(SENSES)[best]}: at {share:.0%} of what moves, depth and "
                f"poses say so; delete its files, and the same farm render renders it again"
            )

    def strange_pace(self) -> Iterator[str]:
        """Say whether most of what is seen goes farther, or less far, than what stands still."""
        if self.moving < LEAST_MOVING:
            return
        share, right = self.keep_pace / self.moving, self.fits / self.moving
        if share >= FITS_MOST and share >= right + FITS_MORE:
            yield (
                f"{FLOW[self.side]} is {np.median(self.paces):.3g} times what depth and poses say "
                f"of what stands still, at {share:.0%} of what moves: right only if most of the "
                "scene moves like that"
            )

    def strange_pictures(self) -> Iterator[str]:
        """Say whether pictures look less alike along the flow than without it."""
        if not self.along:
            return
        along, in_place = float(np.median(self.along)), float(np.median(self.in_place))
        if along > WARP_MORE * in_place + WARP_LEAST:
            yield (
                f"along {FLOW[self.side]} pictures differ by {along:.3f} of full brightness, in "
                f"place by {in_place:.3f}: look at it with farm dataset preview"
            )
