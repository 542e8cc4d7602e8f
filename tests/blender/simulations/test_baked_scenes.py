"""Scenes that are baked: whatever they are like, nothing is lost, and nothing stays."""

from __future__ import annotations

import shutil
import subprocess
import sys
from fractions import Fraction

import bpy
import numpy as np
import pytest
from PIL import Image

from farm.errors import AssetError
from farm.spec.asset import AssetFile
from farm.spec.task import Need
from tests.support.blender import simulated
from tests.support.blender.scenes import a_material, add_box, asset_of
from tests.support.blender.simulated import LAST, points_of, write_baked, write_simulated
from worker.blender import baking, simulations
from worker.blender.guards.disarm import all_ids


@pytest.fixture
def bake(blender, tmp_path):
    """Bake a scene, and open what was written of it."""

    def run(asset):
        blender.bake(blender.open_scene(asset), 0, LAST + 1)
        made = tmp_path / "made"
        made.mkdir(exist_ok=True)
        blender.save_baked(asset, made)
        blender.free_model()
        return blender.open_scene(asset, a_need(made))

    blender.free_model()
    yield run
    blender.free_model()


def a_need(folder):
    return Need(product=f"products/{'0' * 64}", made_by=0, path=str(folder))


def played(blender, asset, name="Mover"):
    """Return where points are in the last frame when a scene is played from the start."""
    opened = blender.open_scene(asset)
    baking.show_as_rendered(opened.scene)
    for frame in range(1, LAST):
        opened.show_frame(frame)
    points = points_of(opened, LAST, name)
    blender.free_model()
    return points


def as_rendered(levels):
    """Cloth on a finer mesh than Blender's window shows."""

    def fill(scene):
        simulated.cloth(scene)
        fine = scene.objects["Mover"].modifiers.new("Fine", "SUBSURF")
        fine.levels, fine.render_levels = levels, 1
        scene.objects["Mover"].modifiers.move(1, 0)

    return fill


def many_zones(scene):
    simulated.zone(scene)
    simulated.lift(scene.objects["Mover"], by=0.05)
    simulated.lift(add_box(scene, name="Other", material=a_material()))


def zone_under_cloth(scene):
    simulated.add_sheet(scene)
    simulated.lift(scene.objects["Mover"], by=0.02)
    scene.objects["Mover"].modifiers.new("Cloth", "CLOTH")


def cloth_hidden_while_it_is_edited(scene):
    simulated.cloth(scene)
    item = scene.objects["Mover"]
    item.hide_viewport, item.modifiers[0].show_viewport = True, False


def soft_lattice(scene):
    box = add_box(scene, size=(0.5, 0.5, 0.5), name="Mover", material=a_material())
    cage = bpy.data.objects.new("Cage", bpy.data.lattices.new("Cage"))
    scene.collection.objects.link(cage)
    cage.modifiers.new("Soft", "SOFT_BODY").settings.use_goal = False
    box.modifiers.new("Lattice", "LATTICE").object = cage


@pytest.mark.parametrize(
    "fill",
    [many_zones, zone_under_cloth, cloth_hidden_while_it_is_edited, soft_lattice],
    ids=lambda fill: fill.__name__,
)
def test_what_is_baked_is_what_plays_from_the_start(blender, bake, tmp_path, fill):
    asset = write_simulated(tmp_path / "scene.blend", fill)
    wanted = played(blender, asset)
    assert points_of(bake(asset), LAST) == pytest.approx(wanted, abs=1e-6)


def test_cloth_is_baked_as_fine_as_it_is_rendered(blender, bake, tmp_path):
    wanted = played(blender, write_simulated(tmp_path / "fine.blend", as_rendered(1)))
    asset = write_simulated(tmp_path / "coarse.blend", as_rendered(0))
    assert points_of(bake(asset), LAST) == pytest.approx(wanted, abs=1e-6)


LINK = """
import bpy, sys
bpy.ops.wm.read_factory_settings(use_empty=True)
library, path, way = sys.argv[1:]
with bpy.data.libraries.load(library, link=True) as (source, target):
    target.objects = ["Mover", "Post", "Front"]
scene = bpy.context.scene
for item in list(target.objects):
    scene.collection.objects.link(item)
    if way == "overridden":
        item.override_create(remap_local_usages=True)
bpy.ops.wm.save_as_mainfile(filepath=path)
"""


@pytest.mark.parametrize("way", ["linked", "overridden"])
def test_what_is_linked_from_another_file_is_baked_too(blender, bake, tmp_path, way):
    library = write_simulated(tmp_path / "library.blend", simulated.cloth)
    wanted = played(blender, library)
    path = tmp_path / "scene.blend"
    command = [sys.executable, "-c", LINK, library.path, str(path), way]
    subprocess.run(command, check=True, capture_output=True)

    opened = bake(asset_of(path, "scene"))

    assert sorted(opened.objects) == ["Mover", "Post"]
    assert points_of(opened, LAST) == pytest.approx(wanted, abs=1e-6)


def test_a_cache_on_a_disk_that_is_not_there_is_made_again(blender, bake, tmp_path):
    wanted = played(blender, write_simulated(tmp_path / "plain.blend", simulated.cloth))

    def on_disk(scene):
        simulated.cloth(scene)
        scene.objects["Mover"].modifiers[0].point_cache.use_disk_cache = True

    asset = write_baked(blender, tmp_path, on_disk)
    opened = bake(asset)
    assert points_of(opened, LAST) == pytest.approx(wanted, abs=1e-6)


def test_what_the_file_has_baked_stays_as_it_is(blender, bake, tmp_path):
    """Its cache says something else than a bake of now would."""

    def wind(scene):
        simulated.cloth(scene)
        simulated.lift(add_box(scene, name="Other", material=a_material()))

    asset = write_baked(blender, tmp_path, wind)
    opened = blender.open_scene(asset)
    assert simulations.found(opened.scene) == ("simulation zone of Other",)
    wanted = points_of(opened, LAST)
    opened.scene.objects["Mover"].modifiers[0].settings.mass = 30.0
    blender.free_model()
    assert points_of(bake(asset), LAST) == pytest.approx(wanted, abs=1e-6)


BAKE_BESIDE = """
import bpy, sys
bpy.ops.wm.open_mainfile(filepath=sys.argv[1])
scene = max(bpy.data.scenes, key=lambda each: len(each.objects))
item = scene.objects["Mover"]
nodes = item.modifiers[0]
nodes.bake_target, nodes.bake_directory = "DISK", "//beside"
with bpy.context.temp_override(scene=scene, view_layer=scene.view_layers[0],
                               object=item, active_object=item, selected_objects=[item]):
    bpy.ops.object.simulation_nodes_cache_bake(selected=True)
nodes.node_group.nodes["Set Position"].inputs["Offset"].default_value = (0.0, 0.0, 5.0)
bpy.ops.wm.save_as_mainfile(filepath=sys.argv[1])
"""


@pytest.mark.parametrize("is_there", [True, False], ids=["there", "gone"])
def test_a_bake_beside_the_file_is_used_where_it_can_be_read(blender, bake, tmp_path, is_there):
    """It is not sent along with the file, so it counts as not baked."""
    asset = write_simulated(tmp_path / "scene.blend", simulated.zone)
    command = [sys.executable, "-c", BAKE_BESIDE, asset.path]
    subprocess.run(command, check=True, capture_output=True)
    if not is_there:
        shutil.rmtree(tmp_path / "beside")
    asset = asset_of(tmp_path / "scene.blend", "scene")
    assert simulations.found(blender.open_scene(asset).scene) == ("simulation zone of Mover",)

    opened = bake(asset)
    shutil.rmtree(tmp_path / "beside", ignore_errors=True)

    lift = 0.1 if is_there else 5.0  # as it was when it was baked, and as the file is now
    points = points_of(opened, 11)
    assert points[:, 2].mean() == pytest.approx(11 * lift, abs=1e-3)


def test_pictures_beside_the_file_are_found_wherever_it_lies(blender, tmp_path):
    """Workers keep assets in folders of their own."""
    blender.free_model()

    def textured(scene):
        simulated.zone(scene)
        image = bpy.data.images.new("red", 1, 1)
        image.source, image.filepath = "FILE", "//textures/red.png"
        nodes = scene.objects["Mover"].data.materials[0].node_tree
        node = nodes.nodes.new("ShaderNodeTexImage")
        node.image = image
        nodes.links.new(node.outputs["Color"], nodes.nodes["Principled BSDF"].inputs["Base Color"])

    (tmp_path / "textures").mkdir()
    Image.new("RGB", (2, 2), (255, 0, 0)).save(tmp_path / "textures" / "red.png")
    asset = write_simulated(tmp_path / "scene.blend", textured)
    picture = AssetFile(path="textures/red.png", sha256="1" * 64, size_bytes=1)
    asset = asset.model_copy(update={"in_library": True, "needs": (picture,)})
    here = kept_by(asset, tmp_path, "here")
    blender.bake(blender.open_scene(here), 0, LAST + 1)
    made = tmp_path / "made"
    made.mkdir()
    blender.save_baked(here, made)
    blender.free_model()
    there = kept_by(asset, tmp_path, "there")
    shutil.rmtree(tmp_path / "here")

    opened = blender.open_scene(there, a_need(made))

    assert opened.missing_textures == ()
    [image] = [each for each in bpy.data.images if each.name == "red"]
    assert bpy.path.abspath(image.filepath).startswith(str(tmp_path / "there"))
    assert tuple(image.pixels[:3]) == (1.0, 0.0, 0.0)
    blender.free_model()


def kept_by(asset, tmp_path, name):
    """Return an asset as the cache of a machine has it."""
    folder = tmp_path / name / asset.content
    (folder / "textures").mkdir(parents=True)
    shutil.copy(tmp_path / "scene.blend", folder)
    shutil.copy(tmp_path / "textures" / "red.png", folder / "textures")
    return asset.model_copy(update={"path": str(folder / "scene.blend")})


def all_names():
    """Return all data-blocks but pictures that hold a place for what Cycles keeps of others."""
    told = ((block.bl_rna.identifier, block.name) for block in all_ids())
    return sorted(each for each in told if not each[1].startswith("viewfarm left"))


def test_nothing_stays_of_a_bake(blender, bake, tmp_path):
    before = all_names()
    bake(write_simulated(tmp_path / "scene.blend", simulated.falling_box))
    blender.free_model()
    assert all_names() == before
    assert bpy.data.filepath == ""
    assert bpy.context.scene.frame_current == 1


def test_a_model_after_a_bake_is_rendered_as_before(blender, bake, tmp_path, statue, sky, labelled):
    passes = ("rgb", "depth", "index")
    before = labelled(statue, sky, passes=passes)
    opened = bake(write_simulated(tmp_path / "scene.blend", simulated.falling_box))
    blender.stretch_time(opened, Fraction(1, 2))
    opened.show_frame(LAST)
    after = labelled(statue, sky, passes=passes)
    assert [after.data(name) for name in passes] == [before.data(name) for name in passes]


def test_a_scene_is_opened_anew_after_it_was_baked(blender, tmp_path):
    """What was baked stands for other frames than the next task may ask for."""
    blender.free_model()
    asset = write_simulated(tmp_path / "scene.blend", simulated.zone)
    opened = blender.open_scene(asset)
    blender.bake(opened, 0, 5)
    again = blender.open_scene(asset)
    assert again is not opened
    assert simulations.found(again.scene) == ("simulation zone of Mover",)
    blender.free_model()


def test_what_cannot_be_baked_is_told_with_the_remedy(blender, tmp_path):
    blender.free_model()
    asset = write_simulated(tmp_path / "scene.blend", simulated.cloth)
    opened = blender.open_scene(asset)
    with pytest.raises(AssetError, match=r"scene\.blend: cloth of Mover cannot be baked \(.*\): "):
        baking.check(opened, simulations.all_of(opened.scene))
    blender.free_model()


def test_simulations_of_a_real_scene_play(blender, bake, sample_assets):
    """Cubes that fall, by rigid bodies."""
    asset = asset_of(sample_assets / "scenes" / "blendtorch_falling_cubes.blend", "scene")
    found = simulations.found(blender.open_scene(asset).scene)
    assert found == ("rigid body world",)
    opened = bake(asset)
    opened.show_frame(1)
    first = [each.world_from_object for each in opened.placed()]
    opened.show_frame(LAST)
    last = [each.world_from_object for each in opened.placed()]
    moved = np.abs(np.array(last) - np.array(first)).max(axis=(1, 2))
    assert (moved > 0.1).sum() > 3
    assert len(opened.objects) == len(first)
