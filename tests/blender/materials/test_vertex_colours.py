"""Colours of points: in the picture they are those of the file, in every format."""

from __future__ import annotations

from pathlib import Path

import bpy
import numpy as np
import pytest

from tests.support.asset_bytes import a_stl
from tests.support.blender.panels import (
    CORNERS,
    FACES,
    LINEAR,
    PAINTS,
    SHARES,
    panel_glb,
    panel_obj,
    panel_ply,
    panel_usd,
)
from tests.support.blender.scenes import a_material, add_box, asset_of, write_sky
from tests.support.blender.shots import some_view

FRONT = some_view(yaw=180.0, pitch=0.0, distance=1.0, fit=True)
"""The panel fills the picture, its patches a quarter each."""
RGB = ("red", "green", "blue")
CONSTANT = (0.5, 0.25, 0.75)


@pytest.fixture(scope="module")
def white(tmp_path_factory):
    """Light that is the same from everywhere: what is seen of a matt panel is its colour."""
    return write_sky(tmp_path_factory.mktemp("white") / "white.exr", np.ones((8, 16, 3), "f4"))


@pytest.fixture
def shown(labelled, white, tmp_path):
    """Write a file, render it, and return the middle of each patch of a pass, (4, N), a record."""

    def run(name, data, which="albedo"):
        (tmp_path / name).write_bytes(data)
        model = asset_of(tmp_path / name)
        settings = {"resolution_px": (32, 32), "samples": 64, "view_transform": "Standard"}
        view = labelled(model, white, FRONT, passes=(which, "material"), **settings)
        pixels = view[which].reshape(32, 32, -1)
        patches = [pixels[y : y + 10, x : x + 10] for y in (4, 18) for x in (4, 18)]
        return np.array([patch.mean(axis=(0, 1)) for patch in patches]), view.record

    return run


def ints(kind: str, factor: int = 1, alpha: int | None = None) -> bytes:
    kinds = dict.fromkeys(RGB, kind) | ({"alpha": kind} if alpha is not None else {})
    more = () if alpha is None else (alpha,)
    return panel_ply(kinds, [(*(part * factor for part in paint), *more) for paint in PAINTS])


def floats(kind: str, values) -> bytes:
    return panel_ply(dict.fromkeys(RGB, kind), values)


def named(*names: str) -> bytes:
    return panel_ply(dict.fromkeys(names, "uchar"), PAINTS)


@pytest.mark.parametrize(
    ("name", "data", "expected"),
    [
        pytest.param("a.obj", panel_obj(SHARES), LINEAR, id="obj"),
        pytest.param("a.obj", panel_obj(PAINTS), LINEAR, id="obj-of-bytes"),
        pytest.param("a.ply", ints("uchar"), LINEAR, id="ply-uchar"),
        pytest.param("a.ply", ints("uint8"), LINEAR, id="ply-uint8"),
        pytest.param("a.ply", ints("ushort", 257), LINEAR, id="ply-ushort"),
        pytest.param("a.ply", ints("ushort"), LINEAR, id="ply-ushort-of-bytes"),
        pytest.param("a.ply", ints("int"), LINEAR, id="ply-int"),
        pytest.param("a.ply", floats("float", SHARES), SHARES, id="ply-float"),
        pytest.param("a.ply", floats("double", SHARES), SHARES, id="ply-double"),
        pytest.param("a.ply", floats("float", PAINTS), LINEAR, id="ply-float-of-bytes"),
        pytest.param("a.ply", floats("float", SHARES * 1.5), np.clip(SHARES * 1.5, 0, 1),
                     id="ply-float-beyond-1"),
        pytest.param("a.ply", ints("uchar", alpha=0), LINEAR, id="ply-alpha-not-meant"),
        pytest.param("a.ply", named("diffuse_red", "diffuse_green", "diffuse_blue"), LINEAR,
                     id="ply-diffuse"),
        pytest.param("a.ply", named("Red", "Green", "Blue"), LINEAR, id="ply-capitals"),
        pytest.param("a.ply", named("r", "g", "b"), LINEAR, id="ply-letters"),
        pytest.param("a.ply", panel_ply(dict.fromkeys(RGB, "uchar"), PAINTS, of="face"), LINEAR,
                     id="ply-faces"),
        pytest.param("a.ply", panel_ply(dict.fromkeys(RGB, "float"), SHARES, of="face"), SHARES,
                     id="ply-faces-float"),
        pytest.param("a.usda", panel_usd([CONSTANT], "constant"), [CONSTANT] * 4,
                     id="usd-constant"),
        pytest.param("a.usda", panel_usd(SHARES, "uniform"), SHARES, id="usd-uniform"),
        pytest.param("a.usda", panel_usd(np.repeat(SHARES, 4, 0), "vertex"), SHARES,
                     id="usd-vertex"),
        pytest.param("a.usda", panel_usd(np.repeat(SHARES, 4, 0), "faceVarying"), SHARES,
                     id="usd-faceVarying"),
    ],
)  # fmt: skip
def test_a_mesh_without_a_material_has_the_colours_of_its_points(shown, name, data, expected):
    albedo, record = shown(name, data)

    np.testing.assert_allclose(albedo, expected, atol=1e-3)
    assert record.vertex_colours


@pytest.mark.parametrize(
    ("name", "data", "expected"),
    [
        pytest.param("a.obj", panel_obj(SHARES), PAINTS, id="obj"),
        pytest.param("a.ply", ints("uchar"), PAINTS, id="ply"),
        pytest.param("a.usda", panel_usd([[0.2159] * 3], "constant"), [[128] * 3] * 4, id="usd"),
    ],
)
def test_under_even_light_the_picture_has_the_bytes_of_the_file(shown, name, data, expected):
    rgb, _ = shown(name, data, "rgb")

    np.testing.assert_allclose(rgb, expected, atol=3)  # of 255: the light is sampled


@pytest.mark.parametrize(
    ("name", "data"),
    [
        pytest.param("a.ply", ints("uchar", alpha=64), id="ply"),
        pytest.param("a.usda", panel_usd([CONSTANT], "constant",
                     "float[] primvars:displayOpacity = [0.25]"), id="usd"),
    ],
)  # fmt: skip
def test_points_that_are_clear_let_see_through(shown, name, data):
    mask, _ = shown(name, data, "mask")

    np.testing.assert_allclose(mask / 255, 0.25, atol=0.02)


def test_points_and_curves_of_usd_are_coloured_as_well(blender, tmp_path):
    places = "[(0, 0, 0), (1, 0, 0), (0, 0, 1)]"
    rows = [f"point3f[] points = {places}", "float[] widths = [0.5, 0.5, 0.5]",
            "color3f[] primvars:displayColor = [(1, 0, 0)]"]  # fmt: skip
    points = "\n".join(["#usda 1.0", 'def Points "dots" {', *rows, "}"])
    rows += ["int[] curveVertexCounts = [3]", 'uniform token type = "linear"']
    curves = "\n".join(["#usda 1.0", 'def BasisCurves "hair" {', *rows, "}"])
    for text in (points, curves):
        (tmp_path / "a.usda").write_text(text)

        model = blender.load_model(asset_of(tmp_path / "a.usda"), file_lights=False)

        assert model.materials == ("vertex colours",)
        assert model.vertex_colours


def test_colours_of_a_gltf_are_linear_and_times_its_base_colour(shown):
    bare, record = shown("bare.glb", panel_glb())
    whole, _ = shown("whole.glb", panel_glb(factor=1.0))
    half, _ = shown("half.glb", panel_glb(factor=0.5))

    np.testing.assert_allclose(bare / bare[0, 0], SHARES, atol=0.01)
    np.testing.assert_allclose(half, whole / 2, atol=0.01)
    assert record.vertex_colours


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of Blender's own exporter
@pytest.mark.parametrize("suffix", [".blend", ".fbx"])
def test_a_painted_mesh_without_a_material_shows_its_paint(
    blender, write_blend, shown, tmp_path, suffix
):
    path = write_blend(add_panel).path
    if suffix == ".fbx":
        blender.free_model()
        add_panel(blender.scene)
        path = tmp_path / "panel.fbx"
        bpy.ops.export_scene.fbx(filepath=str(path), object_types={"MESH"})
        blender.free_model()

    albedo, record = shown(f"a{suffix}", Path(path).read_bytes())

    np.testing.assert_allclose(albedo, LINEAR, atol=5e-3)
    assert record.vertex_colours


def add_panel(scene, *, material: bpy.types.Material | None = None) -> bpy.types.Object:
    mesh = bpy.data.meshes.new("panel")
    mesh.from_pydata([(x, 0, z) for x, z in CORNERS], [], FACES)
    colours = mesh.color_attributes.new("paint", "FLOAT_COLOR", "POINT")
    opaque = np.hstack([np.repeat(LINEAR, 4, axis=0), np.full((16, 1), 0.5)])  # nobody's opacity
    colours.data.foreach_set("color", opaque.ravel())
    if material is not None:
        mesh.materials.append(material)
    item = bpy.data.objects.new("panel", mesh)
    scene.collection.objects.link(item)
    return item


def test_a_material_is_left_as_it_is(blender, write_blend):
    model = write_blend(lambda scene: add_panel(scene, material=a_material()))

    loaded = blender.load_model(model, file_lights=False)

    assert loaded.materials == ("paint",)
    assert not loaded.vertex_colours


def test_a_slot_without_a_material_is_painted_only_if_a_face_has_it(blender, write_blend):
    def fill(scene, *, used):
        mesh = add_panel(scene, material=a_material()).data
        mesh.materials.append(None)
        mesh.polygons[0].material_index = int(used)

    for used in (False, True):
        model = write_blend(lambda scene, used=used: fill(scene, used=used))

        assert blender.load_model(model, file_lights=False).vertex_colours is used


@pytest.mark.parametrize("name", ["lost", "(null)"])
def test_an_obj_whose_material_is_nowhere_has_the_colours_of_its_points(shown, name):
    albedo, record = shown("a.obj", panel_obj(SHARES, material=f"mtllib gone.mtl\nusemtl {name}"))

    np.testing.assert_allclose(albedo, LINEAR, atol=1e-3)
    assert record.vertex_colours
    assert record.unread == (("material library gone.mtl",) if name == "lost" else ())


def test_an_obj_with_its_material_has_that_one(blender, tmp_path):
    (tmp_path / "a.mtl").write_text("newmtl paint\nKd 1 0 0\n")
    (tmp_path / "a.obj").write_bytes(panel_obj(SHARES, material="mtllib a.mtl\nusemtl paint"))

    model = blender.load_model(asset_of(tmp_path / "a.obj"), file_lights=False)

    assert model.materials == ("paint",)
    assert not model.vertex_colours
    assert model.unread == ()


FACE_COLOURS = panel_ply(dict.fromkeys(RGB, "uchar"), PAINTS, of="face")


@pytest.mark.parametrize(
    ("name", "data", "unread"),
    [
        pytest.param("a.obj", panel_obj([*SHARES[:3], ()]), "colours of points, of which some",
                     id="obj"),
        pytest.param("a.ply", FACE_COLOURS.replace(b"4 0 1 2 3", b"2 0 1"), "colours of faces",
                     id="ply"),
        pytest.param("a.stl", a_stl(comment=b"COLOR=abc", attribute=31), "colours of triangles",
                     id="stl"),
    ],
)  # fmt: skip
def test_colours_that_cannot_be_read_are_told(blender, tmp_path, name, data, unread):
    (tmp_path / name).write_bytes(data)

    model = blender.load_model(asset_of(tmp_path / name), file_lights=False)

    assert len(model.unread) == 1
    assert model.unread[0].startswith(unread)
    assert not model.vertex_colours


def test_two_objects_of_one_mesh_share_the_paint(blender, write_blend):
    def fill(scene):
        other = bpy.data.objects.new("other", add_panel(scene).data)
        other.location.z = 3
        scene.collection.objects.link(other)
        add_box(scene, name="grey")

    model = blender.load_model(write_blend(fill), file_lights=False)

    assert model.materials == ("vertex colours",)
    assert len(model.objects) == 3


def test_a_model_without_colours_says_so(shown):
    albedo, record = shown("a.obj", panel_obj([()] * 4))

    assert np.ptp(albedo) < 1e-3
    assert not record.vertex_colours
