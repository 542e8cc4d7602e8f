"""Poses of other programs' files, and one sentence for each kind of bad one."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from farm.errors import SpecError
from farm.spec.trajectory import MOST_POSES, read_trajectory

TUM = """\
# ground truth trajectory
# timestamp tx ty tz qx qy qz qw
1305031102.1758 1.0 2.0 3.0 0.0 0.0 0.0 1.0

1305031102.2758 1.5 2.0 3.0 0.70710678 0.0 0.0 0.70710678
"""
HALF = math.sqrt(0.5)


def turn(pose):
    """Return the rotation (3, 3) of a pose, by Hamilton's rule on the axes."""
    x, y, z, w = pose[4:]
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.eye(3) + 2 * w * cross + 2 * cross @ cross


def frame(matrix=None, **fields):
    rows = np.eye(4) if matrix is None else matrix
    return {"transform_matrix": np.asarray(rows).tolist(), **fields}


def as_json(frames, **fields):
    return json.dumps({"frames": frames, **fields})


def test_a_tum_file_holds_cameras_as_opencv_has_them_from_time_0():
    first, second = read_trajectory(TUM, "walk.txt")
    assert first[:4] == (0.0, 1.0, 2.0, 3.0)
    assert second[0] == pytest.approx(0.1)
    # OpenCV's camera looks along +Z with +Y down: here OpenGL's looks along -Z with +Y up.
    assert np.allclose(turn(first) @ [0, 0, -1], [0, 0, 1])
    assert np.allclose(turn(first) @ [0, 1, 0], [0, -1, 0])
    assert np.allclose(turn(first) @ [1, 0, 0], [1, 0, 0])
    # A quarter of a turn around X takes +Z to -Y.
    assert np.allclose(turn(second) @ [0, 0, -1], [0, -1, 0], atol=1e-6)


def test_the_convention_may_be_said():
    first, _ = read_trajectory(TUM, "walk.tum", convention="opengl")
    assert np.allclose(turn(first), np.eye(3))


@pytest.mark.parametrize("matrix", [
    np.eye(3), np.diag([1, -1, -1]), np.diag([-1, 1, -1]), np.diag([-1, -1, 1]),
    np.array([[0, 0, 1], [1, 0, 0], [0, 1, 0]]),
    np.array([[0.36, 0.48, -0.8], [-0.8, 0.6, 0.0], [0.48, 0.64, 0.6]]),
])  # fmt: skip
def test_a_transforms_json_holds_cameras_as_opengl_has_them(matrix):
    full = np.eye(4)
    full[:3, :3], full[:3, 3] = matrix, (1, 2, 3)
    text = as_json([frame(full), frame(full)], fps=10)
    first, second = read_trajectory(text, "transforms.json")
    assert first[:4] == (0.0, 1.0, 2.0, 3.0)
    assert second[0] == pytest.approx(0.1)
    assert np.allclose(turn(first), matrix, atol=1e-6)


def test_times_of_frames_go_before_the_rate_and_may_be_given_where_none_is():
    timed = as_json([frame(time_s=2.0), frame(time_s=2.5)], fps=10)
    assert [pose[0] for pose in read_trajectory(timed, "t.json")] == [0.0, 0.5]
    bare = as_json([frame(), frame(np.eye(4)[:3])])
    assert [pose[0] for pose in read_trajectory(bare, "t.json", fps=4.0)] == [0.0, 0.25]


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_a_csv_file_may_have_its_columns_in_any_order(separator):
    rows = [["qw", "qx", "qy", "qz", "name", "TX", "ty", "tz", "#Timestamp"],
            ["1", "0", "0", "0", "a", "1", "2", "3", "7.5"],
            ["1", "0", "0", "0", "b", "1", "2", "3", "8"]]  # fmt: skip
    text = "\ufeff" + "\r\n".join(separator.join(row) for row in rows) + "\r\n\r\n"
    assert read_trajectory(text, "walk.CSV") == (
        (0.0, 1.0, 2.0, 3.0, 0.0, 0.0, 0.0, 1.0),
        (0.5, 1.0, 2.0, 3.0, 0.0, 0.0, 0.0, 1.0),
    )


def test_a_quaternion_that_was_rounded_is_made_exact():
    text = TUM.replace("0.70710678", "0.7071")
    assert math.hypot(*read_trajectory(text, "t.txt")[1][4:]) == pytest.approx(1.0, abs=1e-8)


GOOD = "0 0 0 0 0 0 0 1\n"
HEADER = "time_s,x,y,z,qx,qy,qz,qw\n"


@pytest.mark.parametrize(("name", "text", "sentence"), [
    ("a.txt", GOOD + "1 0 0 0 0 0 1\n", "a.txt, line 2: has 7 values and not the 8 of TUM"),
    ("a.txt", GOOD + "1 0 0 zero 0 0 0 1\n", "a.txt, line 2: 'zero' is not a number"),
    ("a.txt", GOOD + "1 0 0 nan 0 0 0 1\n", "a.txt, line 2: holds a value that is not a number"),
    ("a.txt", GOOD + "1 0 0 0 0 0 0 0\n", "a.txt, line 2: its quaternion .* has the length 0"),
    ("a.txt", GOOD + "1 0 0 0 3 0 0 1\n", "a.txt, line 2: .*length 3.162: normalise it"),
    ("a.txt", GOOD + GOOD, "a.txt, line 2: its time is not after that of the pose before"),
    ("a.txt", "# nothing\n", "a.txt: has 0 poses, and a path leads from one to another"),
    ("a.txt", GOOD, "a.txt: has 1 pose, "),
    ("a.csv", "", "a.csv, line 1: no column is called time_s or timestamp or time or t"),
    ("a.csv", "time_s,x,y,z\n0,0,0,0\n", "a.csv, line 1: no column is called qx"),
    ("a.csv", HEADER + "0,0,0,0,0,0,0\n", "a.csv, line 2: has 7 values, and its header 8"),
    ("a.csv", HEADER + "0,0,,0,0,0,0,1\n", "a.csv, line 2: '' is not a number"),
    ("a.json", "{\n,", "a.json, line 2: is not JSON: "),
    ("a.json", "[]", "a.json: is not a transforms.json: it has no list of frames"),
    ("a.json", '{"frames": [1, 2]}', "a.json, frame 0: has no transform_matrix"),
    ("a.json", as_json([frame(), frame()]), "frame 0: has no time_s, and the file no fps"),
    ("a.json", as_json([frame(), frame()], fps=0), "a.json: fps: 0 is not more than 0"),
    ("a.json", as_json([frame(), frame()], fps="x"), "'x' is not a number"),
    ("a.json", as_json([frame(time_s=True), frame()]), "frame 0: time_s: True is not a number"),
    ("a.json", as_json([frame(np.eye(2))] * 2, fps=1), "frame 0: .* 4 rows of 4 numbers"),
    ("a.json", as_json([frame(2 * np.eye(4))] * 2, fps=1), "more than a turn and a shift: "),
    ("a.json", as_json([frame(np.diag([1, 1, -1, 1]))] * 2, fps=1), "it mirrors"),
    ("a.json", '{"frames": ' + "[" * 100_000, "a.json.* nested too deep|a.json.*is not JSON"),
    ("a.npy", "", "a.npy: is not a trajectory by its suffix: .txt, .tum, .json, .csv are"),
])  # fmt: skip
def test_a_bad_file_is_told_with_its_line(name, text, sentence):
    with pytest.raises(SpecError, match=sentence):
        read_trajectory(text, name)


def test_too_many_poses_are_refused():
    lines = "".join(f"{number} 0 0 0 0 0 0 1\n" for number in range(MOST_POSES + 1))
    with pytest.raises(SpecError, match="more than 100,000 poses"):
        read_trajectory(lines, "a.txt")
