"""Poses of cameras as other programs write them down: TUM, transforms.json, CSV; plain numbers."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Callable, Iterator, Sequence
from pathlib import PurePath
from typing import Any, Literal, NamedTuple

from farm.errors import SpecError
from farm.spec.camera import Matrix4, not_rigid
from farm.spec.counted import counted
from farm.spec.quote import quoted

Convention = Literal["opengl", "opencv"]
Pose = tuple[float, ...]
"""time_s, x, y, z, qx, qy, qz, qw."""
Where = str
"""File and line, as sentences begin."""

MOST_POSES = 100_000
MOST_BYTES = 64_000_000
"""Largest file that is read."""
TUM_COLUMNS = ("timestamp", "tx", "ty", "tz", "qx", "qy", "qz", "qw")
CSV_NAMES: tuple[tuple[str, ...], ...] = (
    ("time_s", "timestamp", "time", "t"), ("x", "tx"), ("y", "ty"), ("z", "tz"),
    ("qx",), ("qy",), ("qz",), ("qw",),
)  # fmt: skip
"""What the columns of a CSV file may be called."""
LENGTH_SLACK = 0.05
"""Most that the length of a quaternion may be off 1: more is no rounding."""
DIGITS = 9


class Format(NamedTuple):
    """How a kind of file is read, and which cameras it usually holds."""

    read: Callable[[str, str, float | None], Iterator[tuple[Where, Pose]]]
    """Yields the poses of a text, given the name of its file and the poses per second."""
    convention: Convention


def read_trajectory(
    text: str, name: str, *, convention: Convention | None = None, fps: float | None = None
) -> tuple[Pose, ...]:
    """Return the poses of a file, of OpenGL's camera; the first one's time is 0.

    Args:
        text: What is in the file.
        name: The file, whose suffix says what it is.
        convention: Of its cameras; None: what is usual in files of its kind.
        fps: Poses per second, where the file does not say.

    Raises:
        SpecError: It holds no trajectory; the sentence names file and line.
    """
    kind = FORMATS.get(PurePath(name).suffix.lower())
    if kind is None:
        known = ", ".join(FORMATS)
        raise SpecError(f"{name}: is not a trajectory by its suffix: {known} are")
    flip = (convention or kind.convention) == "opencv"
    poses: list[Pose] = []
    begin = 0.0
    for where, (time_s, *rest) in kind.read(text.removeprefix("\ufeff"), name, fps):
        begin = begin if poses else time_s
        pose = checked((time_s - begin, *rest), where)
        if poses and pose[0] <= poses[-1][0]:
            raise SpecError(f"{where}: its time is not after that of the pose before")
        if len(poses) == MOST_POSES:
            raise SpecError(f"{name}: has more than {MOST_POSES:,} poses: leave some out")
        poses.append(turned_over(pose) if flip else pose)
    if len(poses) < 2:
        raise SpecError(
            f"{name}: has {counted(len(poses), 'pose')}, and a path leads from one to another"
        )
    return tuple(poses)


def checked(pose: Pose, where: Where) -> Pose:
    """Return a pose with a quaternion of length 1.

    Raises:
        SpecError: It is not a pose.
    """
    if not all(map(math.isfinite, pose)):
        raise SpecError(f"{where}: holds a value that is not a number")
    length = math.hypot(*pose[4:])
    if abs(length - 1) > LENGTH_SLACK:
        raise SpecError(f"{where}: its quaternion (qx, qy, qz, qw) has the length {length:.4g}: "
                        "normalise it to 1, or put the columns in this order")  # fmt: skip
    quaternion = (part / length for part in pose[4:])
    return tuple(round(number, DIGITS) for number in (*pose[:4], *quaternion))


def turned_over(pose: Pose) -> Pose:
    """Return the pose of OpenGL's camera where OpenCV's stands: half a turn around its X axis."""
    x, y, z, w = pose[4:]
    return (*pose[:4], w, z, -y, -x)


def of_tum(text: str, name: str, _fps: float | None) -> Iterator[tuple[Where, Pose]]:
    """Yield the poses of a file as TUM RGB-D has them: eight numbers a line."""
    for number, line in enumerate(text.splitlines(), 1):
        words = line.replace(",", " ").split()
        if not words or words[0].startswith("#"):
            continue
        where = f"{name}, line {number}"
        if len(words) != len(TUM_COLUMNS):
            columns = " ".join(TUM_COLUMNS)
            raise SpecError(f"{where}: has {len(words)} values and not the 8 of TUM, {columns}")
        yield where, numbers(words, where)


def of_csv(text: str, name: str, _fps: float | None) -> Iterator[tuple[Where, Pose]]:
    """Yield the poses of a table whose first line names its columns."""
    lines = text.splitlines()
    first = next((place for place, line in enumerate(lines) if line.strip()), 0)
    header = lines[first] if lines else ""
    separator = max(",;\t", key=header.count)
    names = [word.strip(" #\"'").casefold() for word in header.split(separator)]
    places = [place_of(names, wanted, f"{name}, line {first + 1}") for wanted in CSV_NAMES]
    for number, row in enumerate(csv.reader(lines[first + 1 :], delimiter=separator), first + 2):
        if not row or not any(map(str.strip, row)):
            continue
        where = f"{name}, line {number}"
        if len(row) <= max(places):
            raise SpecError(f"{where}: has {len(row)} values, and its header {len(names)}")
        yield where, numbers([row[place] for place in places], where)


def place_of(names: Sequence[str], wanted: tuple[str, ...], where: Where) -> int:
    """Return which column has one of some names."""
    for name in wanted:
        if name in names:
            return names.index(name)
    every = ", ".join(each[0] for each in CSV_NAMES)
    raise SpecError(f"{where}: no column is called {' or '.join(wanted)}: a header names {every}")


def of_transforms(text: str, name: str, fps: float | None) -> Iterator[tuple[Where, Pose]]:
    """Yield the poses of a transforms.json, at `time_s` or so many a second."""
    try:
        data = json.loads(text)
    except json.JSONDecodeError as error:
        raise SpecError(f"{name}, line {error.lineno}: is not JSON: {error.msg}") from None
    except RecursionError:
        raise SpecError(f"{name}: is not a transforms.json: it is nested too deep") from None
    frames = data.get("frames") if isinstance(data, dict) else None
    if not isinstance(frames, list):
        raise SpecError(f"{name}: is not a transforms.json: it has no list of frames")
    rate = fps if fps is not None else data.get("fps")
    for place, frame in enumerate(frames):
        where = f"{name}, frame {place}"
        if not isinstance(frame, dict) or "transform_matrix" not in frame:
            raise SpecError(f"{where}: has no transform_matrix")
        matrix = rigid(frame["transform_matrix"], where)
        yield where, (time_of(frame, place, rate, where), *(row[3] for row in matrix[:3]),
                      *quaternion_of(matrix))  # fmt: skip


def time_of(frame: dict[str, Any], place: int, rate: Any, where: Where) -> float:
    """Return when a frame of a transforms.json is, seconds."""
    if "time_s" in frame:
        return number_in(frame["time_s"], f"{where}: time_s")
    if rate is None:
        raise SpecError(f"{where}: has no time_s, and the file no fps: say it with camera.fps")
    pace = number_in(rate, "fps")
    if not (math.isfinite(pace) and pace > 0):
        raise SpecError(f"{where.partition(',')[0]}: fps: {pace:g} is not more than 0")
    return place / pace


def rigid(value: Any, where: Where) -> Matrix4:
    """Return a transform_matrix of three or four rows."""
    rows = value if isinstance(value, list) else []
    rows = [*rows, [0.0, 0.0, 0.0, 1.0]] if len(rows) == 3 else rows
    if len(rows) != 4 or any(not isinstance(row, list) or len(row) != 4 for row in rows):
        raise SpecError(f"{where}: its transform_matrix does not have 4 rows of 4 numbers")
    first, second, third, fourth = (
        [number_in(number, f"{where}: transform_matrix") for number in row] for row in rows
    )
    matrix: Any = (tuple(first), tuple(second), tuple(third), tuple(fourth))
    if reason := not_rigid(matrix):
        raise SpecError(f"{where}: its transform_matrix is more than a turn and a shift: {reason}")
    found: Matrix4 = matrix
    return found


def quaternion_of(matrix: Matrix4) -> tuple[float, float, float, float]:
    """Return the rotation of a matrix as (x, y, z, w), by the largest part (Shepperd's method)."""
    (xx, xy, xz, _), (yx, yy, yz, _), (zx, zy, zz, _), _ = matrix
    trace = xx + yy + zz
    largest = max(trace, xx, yy, zz)
    if largest == trace:
        found = (zy - yz, xz - zx, yx - xy, 1 + trace)
    elif largest == xx:
        found = (1 + xx - yy - zz, xy + yx, xz + zx, zy - yz)
    elif largest == yy:
        found = (xy + yx, 1 + yy - xx - zz, yz + zy, xz - zx)
    else:
        found = (xz + zx, yz + zy, 1 + zz - xx - yy, yx - xy)
    length = math.hypot(*found)
    return (found[0] / length, found[1] / length, found[2] / length, found[3] / length)


def numbers(words: Sequence[str], where: Where) -> Pose:
    """Return words as the numbers of a pose."""
    return tuple(number_in(word, where) for word in words)


def number_in(value: Any, where: Where) -> float:
    """Return a number, as text or JSON has it."""
    try:
        return float(value if not isinstance(value, bool) else "")
    except (TypeError, ValueError, OverflowError):
        raise SpecError(f"{where}: {quoted(value)} is not a number") from None


FORMATS: dict[str, Format] = {
    ".txt": Format(of_tum, "opencv"),
    ".tum": Format(of_tum, "opencv"),
    ".json": Format(of_transforms, "opengl"),
    ".csv": Format(of_csv, "opengl"),
}
"""By suffix."""
