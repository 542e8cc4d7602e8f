"""Stereo pairs: for each view, the views of the same things from nearest by.

Near is by the angle, at the middle of what is seen, between two cameras; of equal angles, by the
distance between them. Only views of the same things under the same environment go together.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from farm.spec.record import ViewRecord

Numbers = NDArray[np.float64]
STRAIGHT_DEG = 180.0
DIGITS = 4
ROWS = 512
"""Views that are compared with all others at a time."""


class Neighbour(NamedTuple):
    """A view that goes together with another."""

    place: int
    """Among the views of the dataset, from 0, in the order of `views.jsonl`."""
    angle_deg: float
    baseline: float
    """Distance between the cameras, in units of the views' world."""


class Stand(NamedTuple):
    """Where a camera stands."""

    at: Numbers
    """(3,)"""
    toward: Numbers
    """(3,), of length 1: from the middle of what it sees."""


def stand_of(record: ViewRecord) -> Stand:
    """Return where a view's camera stands."""
    pose = np.array(record.camera.world_from_camera, dtype=np.float64)
    things = [np.array(each.camera_from_object)[:3, 3] for each in record.objects]
    middle = pose[:3, :3] @ np.mean(things, axis=0) + pose[:3, 3] if things else np.zeros(3)
    away = pose[:3, 2] if record.camera.model == "orthographic" else pose[:3, 3] - middle
    return Stand(pose[:3, 3], away / max(float(np.linalg.norm(away)), 1e-12))


def neighbours_of(records: Iterable[ViewRecord], count: int) -> list[list[Neighbour]]:
    """Return of each view the `count` that are nearest, or all that there are, nearest first."""
    scenes: dict[tuple[str, ...], list[int]] = {}
    stands: list[Stand] = []
    for place, record in enumerate(records):
        scene = (record.group, light_of(record), *(asset.content for asset in record.assets))
        scenes.setdefault(scene, []).append(place)
        stands.append(stand_of(record))
    found: list[list[Neighbour]] = [[] for _ in stands]
    for places in scenes.values():
        for place, nearest in zip(places, in_scene(places, stands, count), strict=True):
            found[place] = nearest
    return found


def light_of(record: ViewRecord) -> str:
    """Return what tells the lights apart under which a view and its siblings show the same."""
    return record.view.model_dump_json(include={"light"}) if record.view.pose is not None else ""


def in_scene(places: Sequence[int], stands: Sequence[Stand], count: int) -> list[list[Neighbour]]:
    """Return the neighbours of the views of one scene."""
    at = np.array([stands[place].at for place in places])
    toward = np.array([stands[place].toward for place in places])
    found: list[list[Neighbour]] = []
    for start in range(0, len(places), ROWS):
        rows = slice(start, start + ROWS)
        gaps = np.linalg.norm(at[rows, None] - at[None], axis=2)
        angles = angles_deg(toward[rows], toward)
        for row, (angle, gap) in enumerate(zip(angles, gaps, strict=True), start):
            order = np.lexsort((gap, np.round(angle, DIGITS)))
            nearest = [each for each in order[: count + 1].tolist() if each != row][:count]
            found.append(
                [Neighbour(places[each], float(angle[each]), float(gap[each])) for each in nearest]
            )
    return found


def angles_deg(one: Numbers, other: Numbers) -> Numbers:
    """Return the angles (N, M) between directions (N, 3) and (M, 3): exact for small ones, too."""
    apart = np.linalg.norm(one[:, None] - other[None], axis=2)
    return np.asarray(np.degrees(2.0 * np.arcsin(np.clip(apart / 2.0, 0.0, 1.0))))


def as_pair_file(found: Sequence[Sequence[Neighbour]]) -> str:
    """Return pairs as MVSNet's `pair.txt`: ids are places; a score is 180 minus the angle."""
    lines = [str(len(found))]
    for place, nearest in enumerate(found):
        words = [f"{each.place} {STRAIGHT_DEG - each.angle_deg:.{DIGITS}f}" for each in nearest]
        lines += [str(place), " ".join([str(len(nearest)), *words])]
    return "\n".join(lines) + "\n"


def as_json(found: Sequence[Sequence[Neighbour]], names: Sequence[str]) -> str:
    """Return pairs by the names of views."""
    pairs = {
        names[place]: [
            {
                "view": names[each.place],
                "angle_deg": round(each.angle_deg, DIGITS),
                "baseline": float(f"{each.baseline:.6g}"),
            }
            for each in nearest
        ]
        for place, nearest in enumerate(found)
    }
    return json.dumps(pairs, indent=1) + "\n"
