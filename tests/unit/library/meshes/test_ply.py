"""What the header of a PLY tells before anything else is read."""

from __future__ import annotations

import struct

import pytest

from farm.errors import AssetError
from farm.library.formats import check_file
from farm.library.meshes.ply import ply_elements, properties_of
from farm.library.meshes.ply_faces import face_numbers

PLACES = [f"property float {axis}" for axis in "xyz"]
SPLAT = [*PLACES, *(f"property float {name}" for name in ("f_dc_0", "opacity", "scale_0", "rot_0"))]
PACKED = [f"property uint packed_{name}" for name in ("position", "rotation", "scale", "color")]
FACES = ["element face 2", "property list uchar int vertex_indices"]


def header(*lines: str, vertices: int = 3) -> bytes:
    head = ["ply", "format binary_little_endian 1.0", f"element vertex {vertices}"]
    return "\n".join([*head, *lines, "end_header", ""]).encode() + bytes(100)


@pytest.mark.parametrize(
    ("data", "what"),
    [
        pytest.param(header(*PLACES), "a point cloud (3 points, no faces)", id="points"),
        pytest.param(header(*PLACES, vertices=1), "a point cloud (1 point, no faces)", id="point"),
        pytest.param(header(*PLACES, FACES[0].replace("2", "0"), FACES[1]), "a point cloud",
                     id="faces-of-none"),
        pytest.param(header(*SPLAT), "a Gaussian splat (3 splats, no faces)", id="splat"),
        pytest.param(header(*PACKED, "element chunk 1", "property float min_x"),
                     "a Gaussian splat", id="packed-splat"),
        pytest.param(header(*PLACES, "element edge 2", "property int vertex1"),
                     "only lines (2 edges, no faces)", id="lines"),
    ],
)  # fmt: skip
def test_a_ply_without_a_surface_is_told_what_it_is_and_what_to_do(tmp_path, data, what):
    path = tmp_path / "scan.ply"
    path.write_bytes(data)

    with pytest.raises(AssetError) as raised:
        check_file(path, "model")

    assert what in str(raised.value)
    assert "mesh" in str(raised.value)  # what to make of it


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(header(*PLACES, *FACES), id="faces"),
        pytest.param(header(*SPLAT, *FACES), id="faces-with-odd-names"),
        pytest.param(header(*PLACES, FACES[0].replace("face", "tristrips"), FACES[1]), id="strips"),
        pytest.param(header(*PLACES, vertices=-3), id="fewer-than-none"),
        pytest.param(b"ply\nelement vertex many\nend_header\n", id="odd"),
        pytest.param(b"ply\nformat ascii 1.0\nelement vertex 3\n", id="endless"),
    ],
)
def test_what_has_faces_or_an_odd_header_is_left_to_the_importer(tmp_path, data):
    path = tmp_path / "scan.ply"
    path.write_bytes(data)

    check_file(path, "model")


def test_types_of_numbers_are_known_by_their_old_and_new_names(tmp_path):
    path = tmp_path / "scan.ply"
    path.write_bytes(header("property float32 x", "property uchar red", "property double alpha"))

    assert properties_of(path, "vertex") == {"x": "float32", "red": "uint8", "alpha": "float64"}
    assert [each.count for each in ply_elements(path.read_bytes())] == [3]


ROWS = [(3, 0, 1, 2, 0.5, 10, 20, 30), (4, 0, 1, 2, 3, 0.25, 40, 50, 60)]
"""Two faces: corners, how good they are, a colour."""
COLOURED = ["element face 2", "property list uchar int vertex_indices", "property float quality",
            *(f"property uchar {name}" for name in ("red", "green", "blue"))]  # fmt: skip


def faces(form: str, rows: list[tuple[float, ...]]) -> bytes:
    """Four points and faces in a form of the three."""
    head = ["ply", f"format {form} 1.0", "element vertex 4", *PLACES, *COLOURED, "end_header", ""]
    text = "\n".join(head).replace("face 2", f"face {len(rows)}").encode()
    if form == "ascii":
        lines = [(0, 0, 0)] * 4 + rows
        return text + "".join(" ".join(map(str, line)) + "\n" for line in lines).encode()
    order = "<" if "little" in form else ">"
    packed = [struct.pack(f"{order}B{row[0]}if3B", *row) for row in rows]
    return text + bytes(4 * 12) + b"".join(packed)


@pytest.mark.parametrize("form", ["ascii", "binary_little_endian", "binary_big_endian"])
@pytest.mark.parametrize("rows", [ROWS, ROWS[:1] * 3], ids=["mixed", "alike"])
def test_numbers_of_faces_are_found_behind_their_corners(tmp_path, form, rows):
    path = tmp_path / "scan.ply"
    path.write_bytes(faces(form, rows))

    numbers = face_numbers(path, ("red", "blue"))

    assert numbers is not None
    assert numbers.tolist() == [[row[-3], row[-1]] for row in rows]


@pytest.mark.parametrize("form", ["ascii", "binary_little_endian"])
def test_numbers_of_faces_that_are_cut_off_are_not_there(tmp_path, form):
    path = tmp_path / "scan.ply"
    path.write_bytes(faces(form, ROWS)[:-4])

    assert face_numbers(path, ("red", "blue")) is None


def test_numbers_of_faces_behind_lists_or_an_odd_header_are_not_there(tmp_path):
    path = tmp_path / "scan.ply"
    path.write_bytes(faces("ascii", ROWS).replace(b"\n", b"\r"))
    assert face_numbers(path, ("red", "blue")) is None

    listed = faces("binary_little_endian", ROWS).replace(
        b"property float z", b"property list int int ring"
    )
    path.write_bytes(listed)
    assert face_numbers(path, ("red", "blue")) is None
