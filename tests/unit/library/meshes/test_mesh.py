"""The triangles of a file, whatever its format and whoever wrote it."""

import numpy as np
import pytest

from farm.library.meshes.mesh import NoMeshError, read_mesh
from tests.support.asset_bytes import CORNERS, FACES, a_stl, a_stl_text

# A box of one side 2 long, of which a face is one of four corners, one is of five, and others
# are of three.
POINTS = ((0, 0, 0), (2, 0, 0), (2, 1, 0), (0, 1, 0), (0, 0, 1), (1, 0, -0.5), (9, 9, 9))
POLYGONS = ((0, 3, 2, 1), (0, 1, 4), (3, 0, 4), (1, 2, 4), (2, 3, 4, 0, 5))
TRIANGLES = (
    (0, 3, 2), (0, 2, 1), (0, 1, 4), (3, 0, 4), (1, 2, 4), (2, 3, 4), (2, 4, 0), (2, 0, 5),
)  # fmt: skip


def ply_head(form: str) -> bytes:
    return (
        f"ply\nformat {form} 1.0\ncomment by hand\nelement note 1\nproperty uchar letter\n"
        f"element vertex {len(POINTS)}\nproperty uchar red\nproperty float x\nproperty float y\n"
        f"property double z\nelement face {len(POLYGONS)}\nproperty ushort group\n"
        "property list uchar int vertex_indices\nproperty list uchar float texcoord\nend_header\n"
    ).encode()


def a_ply_text() -> bytes:
    rows = ["65", *(f"7 {x} {y} {z}" for x, y, z in POINTS)]
    rows += [f"3 {len(face)} {' '.join(map(str, face))} 2 0.5 0.5" for face in POLYGONS]
    return ply_head("ascii") + "\n".join(rows).encode() + b"\n"


def a_ply(form: str, order: str) -> bytes:
    body = b"A"
    for x, y, z in POINTS:
        body += b"\7" + np.array([x, y], f"{order}f4").tobytes()
        body += np.array([z], f"{order}f8").tobytes()
    for face in POLYGONS:
        body += np.array([3], f"{order}u2").tobytes() + bytes([len(face)])
        body += np.array(face, f"{order}i4").tobytes()
        body += b"\2" + np.array([0.5, 0.5], f"{order}f4").tobytes()
    return ply_head(form) + body


def an_obj() -> bytes:
    """Its Y goes up, as in Blender's Z; its faces count from the start and from the end."""
    lines = ["# by hand", "mtllib nowhere.mtl", "o box"]
    lines += [f"v {x} {z} {-y} 0.5 0.5 0.5" for x, y, z in POINTS]
    lines += ["vt 0 0", "vn 0 0 1"]
    lines += [f"f {' '.join(f'{at + 1}/1/1' for at in face)}" for face in POLYGONS[:2]]
    lines += [f"f {' '.join(f'{at - len(POINTS)}//1' for at in face)}" for face in POLYGONS[2:-1]]
    first, *others = (str(at + 1) for at in POLYGONS[-1])
    return "\r\n".join([*lines, f"f {first} \\", f" {' '.join(others)}", ""]).encode()


@pytest.mark.parametrize(
    ("suffix", "data"),
    [
        (".ply", a_ply_text()),
        (".ply", a_ply("binary_little_endian", "<")),
        (".PLY", a_ply("binary_big_endian", ">")),
        (".obj", an_obj()),
    ],
)
def test_faces_become_triangles_of_the_points_that_they_join(suffix, data):
    mesh = read_mesh(suffix, data)

    assert len(mesh.points) == len(POINTS) - 1  # one is a corner of nothing
    wanted = np.array(POINTS, float)[np.array(TRIANGLES)]
    np.testing.assert_allclose(mesh.points[mesh.triangles], wanted)


@pytest.mark.parametrize(
    "data",
    [a_stl(), a_stl(comment=b"solid a"), a_stl(count=0xFFFFFFFF), a_stl_text(),
     a_stl_text().upper().replace(b"\n", b"\r\n")],
)  # fmt: skip
def test_an_stl_has_each_point_once(data):
    mesh = read_mesh(".stl", data)

    assert len(mesh.points) == len(CORNERS)
    wanted = np.array(CORNERS, float)[np.array(FACES)]
    np.testing.assert_allclose(mesh.points[mesh.triangles], wanted)


@pytest.mark.parametrize(
    ("suffix", "data", "why"),
    [
        (".ply", a_ply("binary_little_endian", "<")[:-30], "cannot be read"),
        (".ply", a_ply_text()[:-40], "cannot be read"),
        (".ply", b"no ply", "cannot be read"),
        (".ply", ply_head("ascii").replace(b"vertex 7", b"vertex 99999999"), "cannot be read"),
        (".stl", a_stl()[:-9], "cannot be read"),
        (".stl", b"", "cannot be read"),
        (".obj", b"v 0 0 0\nv 1 0 0\nv 0 1 0\n", "it has no triangles"),
        (".obj", b"v 0 0 0\nf 1 2 3\n", "cannot be read"),
        (".obj", b"v 0 0 nan\nv 1 0 0\nv 0 1 0\nf 1 2 3\n", "it has no triangles"),
        (".glb", b"glTF", "only Blender reads .glb; .ply, .obj, .stl are read here"),
    ],
)
def test_what_has_no_triangles_is_told_in_a_sentence(suffix, data, why):
    with pytest.raises(NoMeshError, match=why):
        read_mesh(suffix, data)
