"""Scenes and scripts as users have them: other formats, pictures beside, operators, odd scripts."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from farm import expand
from farm.errors import AssetError
from farm.library import Library
from farm.spec.asset import AssetFile
from farm.spec.job import make_job
from farm.storage import FolderStorage
from tests.support.blender.gltf_files import some_boxes, write_gltf
from tests.support.blender.scenes import a_material, add_box, asset_of, blend_file
from tests.support.blender.scripted import (
    a_script_job,
    records,
    render,
    scene_asset,
    script_asset,
)
from tests.support.blender.shots import OurLease
from worker.sandbox import landlock, seccomp

needs_walls = pytest.mark.skipif(
    not (landlock.version() and seccomp.offered()), reason="this system has no Landlock"
)


def room(path, picture=None):
    """Write a scene with a box, which shows a picture if there is one, and a camera above."""
    import bpy

    with blend_file(path) as scene:
        paint = a_material()
        if picture is not None:
            image = bpy.data.images.load(str(picture))
            image.filepath = f"//{picture.relative_to(path.parent)}"
            node = paint.node_tree.nodes.new("ShaderNodeTexImage")
            node.image = image
            shader = paint.node_tree.nodes["Principled BSDF"]
            paint.node_tree.links.new(node.outputs["Color"], shader.inputs["Emission Color"])
            shader.inputs["Emission Strength"].default_value = 1.0
            shader.inputs["Base Color"].default_value = (0, 0, 0, 1)
        add_box(scene, name="box", material=paint)
        camera = bpy.data.objects.new("eye", bpy.data.cameras.new("eye"))
        camera.location.z = 4
        scene.collection.objects.link(camera)
        scene.camera = camera
    return scene_asset(asset_of(path))


PLAIN = "def frame(scene, view, rng):\n    return {'n': len(scene.objects)}\n"


@needs_walls
@pytest.mark.parametrize("in_library", [True, False])
def test_a_scene_has_the_pictures_that_belong_to_it_behind_the_walls(blender, tmp_path, in_library):
    from farm.settings import load_settings
    from worker.sealed.renderer import SealedRenderer

    home = tmp_path / "home"
    (home / "textures").mkdir(parents=True)
    picture = home / "textures" / "red.png"
    Image.new("RGB", (8, 8), (255, 0, 0)).save(picture)
    blender.free_model()
    scene, script = room(home / "room.blend", picture), script_asset(home, PLAIN)
    storage = FolderStorage(tmp_path / "storage")
    if in_library:
        library, own = Library(storage), asset_of(picture)
        for asset in (scene, script, own):
            library.add(asset.sha256, home / asset.path)
        file = AssetFile(path="textures/red.png", sha256=own.sha256, size_bytes=own.size_bytes)
        scene = scene.model_copy(update={"dependencies": (file,)})
        scene, script = (
            each.model_copy(update={"in_library": True, "path": each.name})
            for each in (scene, script)
        )
    job = a_script_job(script, scene, views=1)
    job = make_job(job.spec, [scene, script])
    [task] = expand.expand(job)
    (tmp_path / "scratch").mkdir()
    renderer = SealedRenderer(
        load_settings(storage=str(tmp_path / "storage"), scratch=tmp_path / "scratch",
                      device="cpu", threads=1, cache=tmp_path / "cache",
                      read_wall="auto" if in_library else "off")
    )  # fmt: skip
    try:
        renderer(task, attempt=1, worker="here", lease=OurLease())
    finally:
        renderer.close()

    [record] = records(storage, [task])
    assert record.missing_textures == ()
    rgb = np.asarray(Image.open(tmp_path / "storage/vases" / record.files["rgb"].path))
    assert rgb[32, 32, 0] > 2 * rgb[32, 32, 1]


def test_a_gltf_is_a_scene_too(blender, tmp_path):
    text = """
import bpy
def setup(scene, params):
    camera = bpy.data.objects.new("eye", bpy.data.cameras.new("eye"))
    camera.location = (1, 0, 6)
    scene.collection.objects.link(camera)
    scene.camera = camera
def frame(scene, view, rng):
    return {"names": sorted(item.name for item in scene.objects if item.type == "MESH")}
"""
    boxes = write_gltf(tmp_path, some_boxes(2, apart=2.0))
    job = a_script_job(script_asset(tmp_path, text), scene_asset(boxes), views=1)

    [view] = render(blender, tmp_path / "out", job)

    assert view.record.fields["names"] == ["box0", "box1"]
    assert set(np.unique(view["index"])) == {0, 1, 2}


def test_operators_work_as_in_a_blender_that_has_opened_the_file(blender, tmp_path):
    text = """
import bpy, bmesh
from mathutils import Vector

if __name__ == "__main__":
    READY = True

def setup(scene, params):
    bpy.ops.object.select_all(action="DESELECT")
    cube = bpy.data.objects["Cube"]
    bpy.context.view_layer.objects.active = cube
    cube.select_set(True)
    bpy.ops.object.mode_set(mode="EDIT")
    bpy.ops.mesh.subdivide(number_cuts=2)
    bpy.ops.object.mode_set(mode="OBJECT")
    modifier = cube.modifiers.new("round", "SUBSURF")
    modifier.render_levels = 1
    bpy.ops.object.duplicate()
    bpy.context.object.location += Vector((0, 3, 0))
    bpy.ops.object.shade_smooth()

def frame(scene, view, rng):
    assert bpy.context.scene == scene and bpy.context.view_layer == scene.view_layers[0]
    mesh = bmesh.new()
    mesh.from_mesh(scene.objects["Cube"].data)
    points = len(mesh.verts)
    mesh.free()
    return {"points": points, "things": len(bpy.context.selected_objects), "ready": READY}
"""
    views = render(blender, tmp_path / "out", a_script_job(script_asset(tmp_path, text), views=2))

    assert [view.record.fields for view in views] == [
        {"points": 56, "things": 1, "ready": True}
    ] * 2
    assert {each.name for each in views[0].record.objects} == {"Cube", "Cube.001"}


def test_classes_and_dataclasses_of_scripts_work(blender, tmp_path):
    text = """
from __future__ import annotations
from dataclasses import dataclass
import pickle, sys, typing

@dataclass
class Pose:
    x: float = 0.0

def frame(scene, view, rng):
    again = pickle.loads(pickle.dumps(Pose(2.0)))
    return {"x": again.x, "hints": len(typing.get_type_hints(Pose)), "name": __name__,
            "argv": len(sys.argv) > 0}
"""
    [view] = render(blender, tmp_path / "o", a_script_job(script_asset(tmp_path, text), views=1))

    assert view.record.fields == {"x": 2.0, "hints": 1, "name": "__main__", "argv": True}


def test_what_no_scene_uses_is_there_by_its_name(blender, tmp_path):
    import bpy

    path = tmp_path / "stock.blend"
    blender.free_model()
    with blend_file(path) as scene:
        add_box(scene, name="box", material=a_material())
        camera = bpy.data.objects.new("eye", bpy.data.cameras.new("eye"))
        camera.location.z = 4
        scene.collection.objects.link(camera)
        scene.camera = camera
        spare = a_material(colour=(0, 0, 1, 1))
        spare.name = "spare"
        scene.view_layers[0].update()
        bpy.data.libraries.write(str(path), {scene, spare}, fake_user=True)
        saved = path.read_bytes()
    path.write_bytes(saved)
    text = """
import bpy
def frame(scene, view, rng):
    scene.objects["box"].material_slots[0].material = bpy.data.materials["spare"]
"""
    job = a_script_job(
        script_asset(tmp_path, text), scene_asset(asset_of(path)), views=1, passes=("material",)
    )

    [view] = render(blender, tmp_path / "out", job)

    assert view.record.materials[0].name == "spare"


def test_a_scene_that_is_none_is_a_sentence(blender, tmp_path):
    path = tmp_path / "broken.blend"
    path.write_bytes(b"no scene at all")
    job = a_script_job(script_asset(tmp_path, PLAIN), scene_asset(asset_of(path)), views=1)

    with pytest.raises(AssetError, match=r"broken\.blend: "):
        render(blender, tmp_path / "out", job)


def test_a_dark_scene_and_an_empty_one_are_rendered(blender, tmp_path):
    text = """
import bpy
def frame(scene, view, rng):
    for item in list(scene.objects):
        if item.type == "LIGHT" or view.index:
            if item.type != "CAMERA":
                bpy.data.objects.remove(item)
    scene.world = None
"""
    dark, empty = render(
        blender, tmp_path / "out", a_script_job(script_asset(tmp_path, text), views=2)
    )

    assert dark["rgb"][dark["mask"] == 255].mean() > 50
    assert not empty["mask"].any()
    assert empty.record.objects == ()
