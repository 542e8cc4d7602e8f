"""Several models in one scene: whose each pixel is, and that each comes and goes alone."""

from __future__ import annotations

import json
import struct

import bpy
import numpy as np
import pytest

from farm.errors import AssetError
from farm.projection import as_matrix
from farm.spec.camera import OrbitCamera
from tests.support.blender.scenes import a_material, add_box, asset_of, blend_file
from tests.support.blender.shots import read_once, some_render
from worker.blender.guards import disarm
from worker.images.multilayer import Passes
from worker.labels.arrays import Geometry, label_array
from worker.labels.tables import material_table

TOP = OrbitCamera(yaw_deg=0.0, pitch_deg=90.0, distance=20.0, focal_length_mm=72.0)
"""Sees 10 units of the plane z = 0, x to the right and y up, in 64 pixels."""
FROM_ABOVE = ((1.0, 0.0, 0.0, 0.0), (0.0, 1.0, 0.0, 0.0), (0.0, 0.0, 1.0, 20.0),
              (0.0, 0.0, 0.0, 1.0))  # fmt: skip
SIZE = 64
PX = SIZE / 10.0
FLAT = (2, 2, 0.01)


def place(x=0.0, y=0.0, *, z=0.0, scale=1.0, turn_deg=0.0):
    cos, sin = np.cos(np.radians(turn_deg)) * scale, np.sin(np.radians(turn_deg)) * scale
    return (
        (float(cos), float(-sin), 0.0, x),
        (float(sin), float(cos), 0.0, y),
        (0.0, 0.0, scale, z),
        (0.0, 0.0, 0.0, 1.0),
    )


def write_obj(path, *parts, material="paint"):
    """Squares of side 2 around places (x, z) of the file, which Blender takes for (x, y)."""
    lines, count = [], 0
    path.with_suffix(".mtl").write_text(f"newmtl {material}\nKd 0.5 0.5 0.5\n")
    lines.append(f"mtllib {path.stem}.mtl")
    for name, x, y in parts:
        lines.append(f"o {name}\nusemtl {material}")
        lines += [f"v {x + dx} 0 {-(y + dy)}" for dx, dy in ((-1, -1), (1, -1), (1, 1), (-1, 1))]
        lines.append(f"f {count + 1} {count + 2} {count + 3} {count + 4}")
        count += 4
    path.write_text("\n".join(lines) + "\n")
    return asset_of(path)


def write_glb(path, *names, material="paint", depth=0.5):
    """A flat square of side 2 for each name, one beside the other."""
    corners = np.array([(-1, 0, 1), (1, 0, 1), (1, 0, -1), (-1, 0, -1)], "<f4")
    faces = np.array([0, 1, 2, 0, 2, 3], "<u2")
    data = corners.tobytes() + faces.tobytes()
    head = {
        "asset": {"version": "2.0"},
        "scenes": [{"nodes": list(range(len(names)))}],
        "scene": 0,
        "nodes": [
            {"name": name, "mesh": 0, "translation": [3.0 * at, 0, 0]}
            for at, name in enumerate(names)
        ],
        "meshes": [
            {"primitives": [{"attributes": {"POSITION": 0}, "indices": 1, "material": 0}]}
        ],
        "materials": [{"name": material}],
        "accessors": [
            {"bufferView": 0, "componentType": 5126, "count": 4, "type": "VEC3",
             "min": corners.min(0).tolist(), "max": corners.max(0).tolist()},
            {"bufferView": 1, "componentType": 5123, "count": 6, "type": "SCALAR"},
        ],
        "bufferViews": [
            {"buffer": 0, "byteOffset": 0, "byteLength": 48},
            {"buffer": 0, "byteOffset": 48, "byteLength": 12},
        ],
        "buffers": [{"byteLength": len(data)}],
    }  # fmt: skip
    text = json.dumps(head).encode()
    text += b" " * (-len(text) % 4)
    chunks = struct.pack("<I4s", len(text), b"JSON") + text
    chunks += struct.pack("<I4s", len(data), b"BIN\0") + data
    path.write_bytes(b"glTF" + struct.pack("<II", 2, 12 + len(chunks)) + chunks)
    return asset_of(path)


@pytest.fixture(autouse=True)
def empty(blender):
    """Nothing stands whose names a written file would not get."""
    blender.free_model()
    yield
    blender.free_model()


@pytest.fixture
def look(blender):
    """Render labels from above."""
    passes = ("index", "material", "depth")

    def run() -> Passes:
        blender.set_camera(FROM_ABOVE, TOP, distance=20.0)
        return read_once(blender.render(seed=1))

    blender.configure(some_render(resolution_px=(SIZE, SIZE), samples=1), passes)
    return run


def index_of(passes) -> np.ndarray:
    return np.rint(passes.layers["Object Index"][..., 0]).astype(int)


def drawn(*squares) -> np.ndarray:
    """The index pass of axis-parallel squares (index, x, y, half a side), later ones on top."""
    at = (np.arange(SIZE) + 0.5) / PX - 5.0
    x, y = np.meshgrid(at, -at)
    picture = np.zeros((SIZE, SIZE), int)
    for index, cx, cy, half in squares:
        picture[(abs(x - cx) < half) & (abs(y - cy) < half)] = index
    return picture


def blocks() -> dict[str, int]:
    names = ("objects", "meshes", "materials", "collections", "images", "node_groups", "actions",
             "scenes", "libraries", "armatures")  # fmt: skip
    return {name: len(getattr(bpy.data, name)) for name in names}


def test_each_pixel_is_of_the_model_that_stands_there(blender, look, tmp_path):
    """Three files, all of whose parts have the same names."""
    two = write_obj(tmp_path / "two.obj", ("Cube", 0, 0), ("Lid", 3, 0))
    one = write_glb(tmp_path / "one.glb", "Cube")
    with blend_file(tmp_path / "third.blend") as scene:
        add_box(scene, size=FLAT, name="Cube", material=a_material())

    models = blender.load_models([two, one, asset_of(tmp_path / "third.blend")])
    models[0].place(place(-3.0, 3.0))
    models[1].place(place(-3.1, -2.9, scale=0.5))
    models[2].place(place(2.9, -3.1))

    assert [model.indices for model in models] == [(1, 2), (3,), (4,)]
    assert models.objects == ("Cube", "Lid", "Cube", "Cube")
    assert models.materials == ("paint", "paint", "paint")
    expected = drawn((1, -3, 3, 1), (2, 0, 3, 1), (3, -3.1, -2.9, 0.5), (4, 2.9, -3.1, 1))
    passes = look()
    assert np.array_equal(index_of(passes), expected)
    material = label_array("material", passes, Geometry(None, None, 1.0, len(models.materials)))
    assert np.array_equal(material, np.array([0, 1, 1, 2, 3])[expected])
    assert [label.name for label in material_table(models.materials)][3] == "(no material)"


def test_a_part_that_hides_another_is_labelled(blender, look, tmp_path):
    plate, box = write_obj(tmp_path / "a.obj", ("p", 0, 0)), write_glb(tmp_path / "b.glb", "p")

    models = blender.load_models([plate, box])
    models[0].place(place(scale=3.0))
    models[1].place(place(1.0, 1.0, z=1.0))

    found = index_of(look())
    assert set(np.unique(found)) == {0, 1, 2}
    assert found[SIZE // 2 - 7, SIZE // 2 + 7] == 2
    assert found[SIZE // 2 + 10, SIZE // 2 - 10] == 1


def test_the_same_model_twice_is_read_once_and_told_apart(blender, look, tmp_path):
    asset = write_obj(tmp_path / "two.obj", ("Cube", 0, 0), ("Lid", 3, 0))
    blender.load_models([asset])
    meshes = blocks()["meshes"]

    models = blender.load_models([asset, asset])
    models[0].place(place(-3.0, 3.0))
    models[1].place(place(-3.0, -3.0))

    assert blocks()["meshes"] == meshes
    assert [model.indices for model in models] == [(1, 2), (3, 4)]
    assert models.objects == ("Cube", "Lid", "Cube", "Lid")
    assert models.materials == ("paint",), "it is one material"
    expected = drawn((1, -3, 3, 1), (2, 0, 3, 1), (3, -3, -3, 1), (4, 0, -3, 1))
    assert np.array_equal(index_of(look()), expected)


def test_parts_within_parts_are_told_apart_in_copies(blender, look, tmp_path):
    """An empty that shows a collection, and a child that follows its parent."""
    with blend_file(tmp_path / "nested.blend") as scene:
        inner = bpy.data.collections.new("inner")
        box = add_box(scene, size=FLAT, name="inside")
        scene.collection.objects.unlink(box)
        inner.objects.link(box)
        shows = bpy.data.objects.new("shows", None)
        shows.instance_type, shows.instance_collection = "COLLECTION", inner
        shows.location = (3, 0, 0)
        scene.collection.objects.link(shows)
        parent, child = bpy.data.objects.new("arm", None), add_box(scene, size=FLAT)
        child.parent = parent
        parent.location = (0, 0, 0.1)
        scene.collection.objects.link(parent)
    asset = asset_of(tmp_path / "nested.blend")

    models = blender.load_models([asset, asset])
    models[0].place(place(-3.0, 3.0))
    models[1].place(place(-3.0, -3.0))

    assert models.objects == ("box", "inside", "box", "inside")
    found = index_of(look())
    assert found[SIZE // 5, SIZE // 5] == 1
    assert found[SIZE // 5, SIZE // 2] == 2
    assert found[-SIZE // 5, SIZE // 5] == 3
    assert found[-SIZE // 5, SIZE // 2] == 4


def test_a_model_whose_parts_are_shown_by_nodes_is_read_again_for_its_copy(blender, look, tmp_path):
    """A copy of its objects would show the very same part once more."""
    with blend_file(tmp_path / "nodes.blend") as scene:
        part = add_box(scene, size=FLAT, name="part")
        scene.collection.objects.unlink(part)
        tree = bpy.data.node_groups.new("shows", "GeometryNodeTree")
        tree.interface.new_socket("Geometry", in_out="OUTPUT", socket_type="NodeSocketGeometry")
        info, end = tree.nodes.new("GeometryNodeObjectInfo"), tree.nodes.new("NodeGroupOutput")
        info.inputs["Object"].default_value = part
        info.inputs["As Instance"].default_value = True
        tree.links.new(info.outputs["Geometry"], end.inputs[0])
        holder = add_box(scene, name="holder")
        holder.modifiers.new("nodes", "NODES").node_group = tree
    asset = asset_of(tmp_path / "nodes.blend")

    models = blender.load_models([asset, asset])
    models[0].place(place(-3.0, 3.0))
    models[1].place(place(-3.0, -3.0))

    assert models.objects == ("part", "part")
    assert np.array_equal(index_of(look()), drawn((1, -3, 3, 1), (2, -3, -3, 1)))


def test_one_goes_and_another_comes_while_the_rest_stays(blender, look, tmp_path):
    a, b, c = (write_glb(tmp_path / f"{name}.glb", "Cube") for name in "abc")
    first = blender.load_models([a, b])
    kept = first[1]
    look()

    models = blender.load_models([b, c, b])
    for at, model in enumerate(models):
        model.place(place(3.0 * at - 3.0))

    assert models[0] is kept
    assert models.objects == ("Cube", "Cube", "Cube")
    expected = drawn((1, -3, 0, 1), (2, 0, 0, 1), (3, 3, 0, 1))
    assert np.array_equal(index_of(look()), expected), "numbers of before are forgotten"
    assert blocks()["meshes"] == 2, "a is gone, and b is there once"


def test_models_that_change_places_change_numbers(blender, look, tmp_path):
    a, b = (write_glb(tmp_path / f"{name}.glb", "Cube") for name in "ab")
    first, second = blender.load_models([a, b])
    first.place(place(-3.0))
    second.place(place(3.0))
    assert np.array_equal(index_of(look()), drawn((1, -3, 0, 1), (2, 3, 0, 1)))

    swapped = blender.load_models([b, a])
    swapped[0].place(place(3.0))
    swapped[1].place(place(-3.0))

    assert swapped[0] is second
    expected, passes = drawn((1, 3, 0, 1), (2, -3, 0, 1)), look()
    assert np.array_equal(index_of(passes), expected)
    assert np.array_equal(np.rint(passes.layers["Material Index"][..., 0]), expected)


def test_numbers_do_not_depend_on_what_stood_before(blender, look, tmp_path):
    a = write_obj(tmp_path / "a.obj", ("Cube", 0, 0), ("Cube.001", 3, 0))
    b = write_glb(tmp_path / "b.glb", "Cube", "Cube.001")
    fresh = blender.load_models([a, b])
    alone = (fresh.objects, [sorted(each.name for each in model.rendered) for model in fresh])

    blender.load_models([b, a, b])
    again = blender.load_models([a, b])

    assert (again.objects, [sorted(e.name for e in model.rendered) for model in again]) == alone
    assert alone[0] == ("Cube", "Cube.001", "Cube", "Cube.001")
    assert alone[1] == [["1/Cube", "1/Cube.001"], ["2/Cube", "2/Cube.001"]]


def test_nothing_of_them_stays(blender, tmp_path):
    before = blocks()
    a, b = write_obj(tmp_path / "a.obj", ("o", 0, 0)), write_glb(tmp_path / "b.glb", "o")

    for wanted in ([a, b, a], [b], [a, a, a]):
        blender.load_models(wanted)
    assert blocks() != before
    blender.free_model()

    assert blocks() == before


def test_a_second_model_that_is_broken_leaves_the_session_usable(blender, look, tmp_path):
    before = blocks()
    good = write_glb(tmp_path / "good.glb", "Cube")
    (tmp_path / "bad.obj").write_text("v 0 0 0\n")

    with pytest.raises(AssetError, match=r"bad\.obj"):
        blender.load_models([good, asset_of(tmp_path / "bad.obj")])

    assert blocks() == before
    [model] = blender.load_models([good])
    model.place(place())
    assert np.array_equal(index_of(look()), drawn((1, 0, 0, 1)))


def test_a_model_alone_is_as_before_several(blender, statue, sky, tmp_path):
    from tests.support.blender.shots import shoot, some_view

    first, _ = shoot(blender, statue, sky, some_view())
    blender.free_model()
    blender.load_models([write_glb(tmp_path / "a.glb", "Cube"), statue])

    second, _ = shoot(blender, statue, sky, some_view())

    assert np.array_equal(first.layers["Combined"], second.layers["Combined"])


def test_the_bound_on_faces_counts_all_models(blender, tmp_path, monkeypatch):
    a, b = (write_obj(tmp_path / f"{name}.obj", ("o", 0, 0), ("p", 3, 0)) for name in "ab")
    monkeypatch.setattr(disarm, "MAX_FACES", 3)
    assert len(blender.load_models([a, a])) == 2, "whose meshes are shared"

    with pytest.raises(AssetError, match="about 4 faces: use fewer models"):
        blender.load_models([a, b])


def test_copies_whose_modifiers_are_made_again_count(blender, tmp_path, monkeypatch):
    with blend_file(tmp_path / "array.blend") as scene:
        add_box(scene).modifiers.new("array", "ARRAY").count = 10
    asset = asset_of(tmp_path / "array.blend")
    monkeypatch.setattr(disarm, "MAX_FACES", 100)

    with pytest.raises(AssetError, match="about 120 faces"):
        blender.load_models([asset, asset])


def test_models_saved_at_other_moments_are_shown_as_they_were(blender, look, tmp_path):
    for name, frame in (("early", 1), ("late", 10)):
        with blend_file(tmp_path / f"{name}.blend") as scene:
            box = add_box(scene, size=FLAT)
            for at, x in ((1, 0.0), (10, 3.0)):
                box.location = (x, 0, 0)
                box.keyframe_insert("location", frame=at)
            scene.frame_current = frame
    late, early = (asset_of(tmp_path / f"{name}.blend") for name in ("late", "early"))

    models = blender.load_models([late, early, late])
    for at, model in enumerate(models):
        model.place(place(-3.0, 3.0 - 3.0 * at))

    assert models[0].bounds.low[0] == pytest.approx(2.0)
    expected = drawn((1, 0, 3, 1), (2, -3, 0, 1), (3, 0, -3, 1))
    assert np.array_equal(index_of(look()), expected)


def test_what_moves_without_an_animation_is_refused(blender, tmp_path):
    with blend_file(tmp_path / "driven.blend") as scene:
        driver = add_box(scene).driver_add("location", 0).driver
        driver.type, driver.expression = "SCRIPTED", "frame * 0.1"
        scene.frame_current = 10

    with pytest.raises(AssetError, match=r"moves by itself.*at frame 10.*save it at frame 1"):
        blender.load_models([asset_of(tmp_path / "driven.blend")])


def linking(path, library):
    """A model that shows the object of a linked file through a collection."""
    with blend_file(path) as scene:
        with bpy.data.libraries.load(str(library), link=True, relative=False) as (there, taken):
            taken.collections = there.collections
        shows = bpy.data.objects.new("shows", None)
        shows.instance_type, shows.instance_collection = "COLLECTION", taken.collections[0]
        scene.collection.objects.link(shows)
    return asset_of(path)


@pytest.fixture
def library(tmp_path):
    path = tmp_path / "library.blend"
    with blend_file(path) as scene:
        shelf = bpy.data.collections.new("shelf")
        scene.collection.children.link(shelf)
        box = add_box(scene, size=FLAT, name="linked", material=a_material())
        scene.collection.objects.unlink(box)
        shelf.objects.link(box)
    return path


def test_models_that_link_one_file_are_told_apart_and_freed_alone(blender, look, library, tmp_path):
    a, b = (linking(tmp_path / f"{name}.blend", library) for name in "ab")

    models = blender.load_models([a, b])
    models[0].place(place(-3.0))
    models[1].place(place(3.0))
    assert np.array_equal(index_of(look()), drawn((1, -3, 0, 1), (2, 3, 0, 1)))
    assert models.objects == ("linked", "linked")
    assert models.materials == ("paint",)

    [left] = blender.load_models([b])
    left.place(place(3.0))
    assert np.array_equal(index_of(look()), drawn((1, 3, 0, 1)))


def test_nothing_of_another_models_files_is_shown(blender, library, tmp_path):
    """A file that was read for one is there for the other, too, who may not read it."""
    home = tmp_path / ("a" * 64)
    home.mkdir()
    open_one = linking(tmp_path / "open.blend", library)
    closed = linking(home / "closed.blend", library)
    closed = closed.model_copy(update={"in_library": True, "sha256": home.name})
    assert closed.content == home.name

    with pytest.raises(AssetError, match=r"closed\.blend.*may not read"):
        blender.load_models([open_one, closed])


def test_half_clear_models_are_seen_through_together(blender, look, tmp_path):
    def pane(name, alpha):
        with blend_file(tmp_path / f"{name}.blend") as scene:
            material = a_material()
            material.node_tree.nodes["Principled BSDF"].inputs["Alpha"].default_value = alpha
            add_box(scene, size=(2, 2, 0.1), material=material)
        return asset_of(tmp_path / f"{name}.blend")

    models = blender.load_models([pane("thin", 0.3), pane("thick", 0.7), pane("solid", 1.0)])
    assert [bool(model.clear_cut) for model in models] == [True, True, False]
    assert models.clear_cut
    models[0].place(place(-3.0, z=1.0))
    models[1].place(place(3.0, z=1.0))
    models[2].place(place(scale=5.0))
    found = index_of(look())

    assert found[SIZE // 2, 13] == 3
    assert found[SIZE // 2, -13] == 2
    [solid] = blender.load_models([asset_of(tmp_path / "solid.blend")])
    assert not solid.clear_cut


def test_what_is_true_of_one_is_told_of_it_alone(blender, tmp_path):
    (tmp_path / "lost.mtl").write_text("")
    plain = write_glb(tmp_path / "plain.glb", "Cube")
    textured = write_obj(tmp_path / "textured.obj", ("o", 0, 0))
    (tmp_path / "textured.mtl").write_text("newmtl paint\nmap_Kd gone.png\n")
    coloured = tmp_path / "coloured.ply"
    coloured.write_text(
        "ply\nformat ascii 1.0\nelement vertex 3\nproperty float x\nproperty float y\n"
        "property float z\nproperty uchar red\nproperty uchar green\nproperty uchar blue\n"
        "element face 1\nproperty list uchar int vertex_indices\nend_header\n"
        "0 0 0 255 0 0\n1 0 0 0 255 0\n0 1 0 0 0 255\n3 0 1 2\n"
    )

    models = blender.load_models([plain, textured, asset_of(coloured)])

    assert [model.missing_textures for model in models] == [(), ("gone.png",), ()]
    assert [model.vertex_colours for model in models] == [False, False, True]
    assert models.missing_textures == ("gone.png",)
    assert models.vertex_colours


def test_a_place_that_shears_is_refused(blender, tmp_path):
    [model] = blender.load_models([write_glb(tmp_path / "a.glb", "Cube")])

    with pytest.raises(ValueError, match="not shear"):
        model.place(((1, 0.5, 0, 0), (0, 1, 0, 0), (0, 0, 1, 0), (0, 0, 0, 1)))


@pytest.mark.parametrize("off", [0.0, 2e-5, 3e-4, 2e-3])
def test_a_model_that_lies_on_its_side_stands_where_it_is_placed(blender, tmp_path, off):
    """Near a quarter turn about y, angles about the axes lose what a matrix says."""
    [model] = blender.load_models([write_obj(tmp_path / "a.obj", ("square", 0.0, 0.0))])
    turn, tilt = 1.9, np.pi / 2 - off
    about_x = [[1, 0, 0], [0, np.cos(turn), -np.sin(turn)], [0, np.sin(turn), np.cos(turn)]]
    about_y = [[np.cos(tilt), 0, np.sin(tilt)], [0, 1, 0], [-np.sin(tilt), 0, np.cos(tilt)]]
    wanted = np.eye(4)
    wanted[:3, :3], wanted[:3, 3] = np.array(about_y) @ about_x, (0.1, -0.2, 0.3)

    model.place(as_matrix(wanted))

    assert np.abs(np.array(model.parent.matrix_basis) - wanted).max() < 1e-6


def test_words_in_blenders_own_font_stand_beside_others(blender, look, tmp_path):
    """The font's name cannot be changed, and two files have it."""
    for name in ("one", "two"):
        with blend_file(tmp_path / f"{name}.blend") as scene:
            data = bpy.data.curves.new("word", "FONT")
            data.body, data.extrude = "II", 0.1
            scene.collection.objects.link(bpy.data.objects.new("word", data))

    models = blender.load_models([asset_of(tmp_path / f"{name}.blend") for name in ("one", "two")])
    models[0].place(place(-3.0, 0.0, scale=3.0))
    models[1].place(place(1.0, 0.0, scale=3.0))

    index = index_of(look())
    assert set(np.unique(index[:, : SIZE // 2])) == {0, 1}
    assert set(np.unique(index[:, SIZE // 2 :])) == {0, 2}
