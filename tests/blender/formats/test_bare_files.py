"""Files in which an importer finds nothing to render: some hold a surface, others have none."""

from __future__ import annotations

import bpy
import pytest

from farm.errors import AssetError
from tests.support.asset_bytes import a_stl, a_stl_text
from tests.support.blender.scenes import asset_of, blend_file

PLACES = "v 0 0 0\nv 1 0 0\nv 0 1 1\nv 1 1 1\n"


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(a_stl_text().upper(), id="upper-case"),
        pytest.param(a_stl_text().replace(b"\n", b"\r"), id="old-mac"),
        pytest.param(a_stl(tail=b"\r\n"), id="bytes-after"),
        pytest.param(a_stl(comment=b"solid", tail=bytes(100)), id="solid-and-bytes-after"),
        pytest.param(a_stl(count=0), id="not-counted"),
    ],
)
def test_an_stl_that_the_importer_misreads_stands_as_the_plain_one(blender, tmp_path, data):
    path = tmp_path / "Ring 1.STL"
    path.write_bytes(data)

    model = blender.load_model(asset_of(path), file_lights=False)

    assert (model.bounds.high - model.bounds.low).tolist() == [1, 1, 1]
    assert model.objects == ("Ring 1",)
    assert not list(blender._scratch.folder.rglob("*.STL"))  # nothing stays of the copy


@pytest.mark.parametrize(
    ("name", "text", "what"),
    [
        pytest.param("a.obj", PLACES, r"a point cloud \(4 points, no faces\).* mesh", id="points"),
        pytest.param("a.obj", f"{PLACES}p 1 2 3\n", "a point cloud .* mesh", id="points-told"),
        pytest.param("a.obj", f"{PLACES}l 1 2 3\n", r"only lines \(2 edges.* faces", id="lines"),
        pytest.param("a.obj", f"{PLACES}cstype bspline\ndeg 3\ncurv 0 1 1 2 3 4\n"
                     "parm u 0 0 0 0 1 1 1 1\nend\n", r"only curves \(1 curve .* bevel",
                     id="curves"),
        pytest.param("a.stl", f"solid {'a' * 80}\nendsolid\n", "its mesh is empty", id="empty"),
    ],
)  # fmt: skip
def test_what_has_no_surface_is_told_what_it_is_and_what_to_do(blender, tmp_path, name, text, what):
    (tmp_path / name).write_text(text)

    with pytest.raises(AssetError, match=what):
        blender.load_model(asset_of(tmp_path / name), file_lights=False)


def test_a_blend_of_curves_without_thickness_is_told_so(blender, tmp_path):
    path = tmp_path / "wires.blend"
    blender.free_model()
    with blend_file(path) as scene:
        for _ in range(2):
            wire = bpy.data.curves.new("wire", "CURVE")
            wire.splines.new("POLY").points.add(1)
            scene.collection.objects.link(bpy.data.objects.new("wire", wire))

    with pytest.raises(AssetError, match=r"only curves \(2 curves without thickness\)"):
        blender.load_model(asset_of(path), file_lights=False)
