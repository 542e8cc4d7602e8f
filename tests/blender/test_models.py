"""What of a model counts, and what never acts."""

from __future__ import annotations

import gc

import bmesh
import bpy
import numpy as np
import pytest

from farm.errors import AssetError
from tests.support.blender.scenes import a_material, add_box, asset_of, blend_file, write_sky
from tests.support.blender.shots import shoot, some_view
from worker.blender.guards import disarm

MODELS = [
    "chengsun_cubev2.blend",
    "classroom/assets/chairs/chairs.blend",
    "classroom/assets/lamps/lamps.blend",
    "ebabel_bowling_alley.blend",
    "kenney_motorcycle/vehicle-motorcycle.glb",
    "reom_eyebrows.blend",
    "spritefright/lib/props/binoculars/binoculars.blend",
    "sunglasses_khronos.glb",
    "teaset/blender/tea_set_01_1k_posed.blend",
    "tps_red_robot.blend",
    "zeyu_grass.blend",
    "zeyu_tower.blend",
    "zeyu_vase.blend",
]


def size_of(model) -> list[float]:
    return [round(float(side), 3) for side in model.bounds.high - model.bounds.low]


@pytest.fixture
def load(blender, write_blend):
    """Save what a function puts into a scene, and load it."""
    return lambda fill, **options: blender.load_model(
        write_blend(fill), **({"file_lights": False} | options)
    )


@pytest.mark.parametrize("name", MODELS)
def test_a_real_model_stands_whole_in_the_picture(blender, sample_assets, sky, name):
    model = asset_of(sample_assets / "models" / name)

    passes, shot = shoot(blender, model, sky, some_view(fit=True, distance=1.0), samples=1)

    edge = np.concatenate([passes.alpha[[0, -1]].ravel(), passes.alpha[:, [0, -1]].ravel()])
    assert edge.max() == 0.0  # nothing reaches over the rim
    assert passes.alpha.mean() > 0.005
    rows, columns = np.nonzero(passes.alpha > 0.1)
    assert max(np.ptp(rows), np.ptp(columns)) > 40  # of 64: it fills the picture
    assert 0.5 < shot.camera.distance < 10


@pytest.mark.parametrize("count", [1, 2])
def test_what_cycles_does_not_draw_is_told(load, count):
    def fill(scene):
        add_box(scene)
        for _ in range(count):
            ink = bpy.data.objects.new("ink", bpy.data.grease_pencils.new("ink"))
            scene.collection.objects.link(ink)

    model = load(fill)

    assert model.unread == (f"Grease Pencil ({count} object{'s' if count > 1 else ''})",)


def test_a_model_without_anything_to_render_is_named(blender, sample_assets):
    path = sample_assets / "models/spritefright/lib/scripts/cloudrig.blend"

    with pytest.raises(AssetError, match=r"cloudrig.blend: nothing to render: .* 2 armatures"):
        blender.load_model(asset_of(path), file_lights=False)


def test_what_is_scaled_to_nothing_does_not_change_the_bounds(load):
    def fill(scene):
        add_box(scene, size=(1, 2, 3))
        hidden = add_box(scene)
        hidden.location = (50, 0, 0)
        hidden.scale = (0, 0, 0)

    assert size_of(load(fill)) == [1, 2, 3]


def test_metaballs_melt_into_the_surface_that_they_make(load):
    def fill(scene):
        for place, name in enumerate(("ball", "ball.001")):
            data = bpy.data.metaballs.new(name)
            data.render_resolution = 0.1
            data.elements.new().radius = 1.0
            item = bpy.data.objects.new(name, data)
            item.location.x = 1.2 * place
            scene.collection.objects.link(item)

    width, depth, height = size_of(load(fill))

    assert width == pytest.approx(1.2 + depth, abs=0.1)
    assert depth == pytest.approx(height, abs=0.01)
    assert 1.0 < height < 2.0


def test_the_balls_of_a_point_cloud_reach_as_far_as_their_radius(load):
    def fill(scene):
        tree = bpy.data.node_groups.new("points", "GeometryNodeTree")
        tree.interface.new_socket("out", in_out="OUTPUT", socket_type="NodeSocketGeometry")
        points = tree.nodes.new("GeometryNodePoints")
        points.inputs["Radius"].default_value = 0.25
        output = tree.nodes.new("NodeGroupOutput")
        tree.links.new(points.outputs[0], output.inputs[0])
        add_box(scene).modifiers.new("nodes", "NODES").node_group = tree

    assert size_of(load(fill)) == [0.5, 0.5, 0.5]


@pytest.mark.parametrize("role", ["is_holdout", "is_shadow_catcher"])
def test_aids_of_a_compositor_leave_picture_and_mask_alone(blender, write_blend, sky, role):
    def fill(scene):
        add_box(scene)
        floor = add_box(scene, size=(9, 9, 0.1), at=(0, 0, -0.6))
        setattr(floor, role, True)

    view = some_view()
    passes, _ = shoot(blender, write_blend(fill), sky, view)
    alone, _ = shoot(blender, write_blend(add_box), sky, view)

    np.testing.assert_array_equal(passes.alpha, alone.alpha)
    np.testing.assert_array_equal(passes.picture(gain=1.0), alone.picture(gain=1.0))


def test_a_model_with_a_point_at_the_end_of_the_world_is_named(load):
    def fill(scene):
        add_box(scene).data.vertices[0].co.x = 3e38

    with pytest.raises(AssetError, match=r"it is 3.0e\+38 units in size"):
        load(fill)


def test_textures_that_are_not_there_are_named_if_they_show(load):
    def fill(scene):
        paint = a_material()
        for name, link in (("gone.png", True), ("unused.png", False)):
            image = bpy.data.images.new(name, 4, 4)
            image.source = "FILE"
            image.filepath = f"//textures/{name}"
            node = paint.node_tree.nodes.new("ShaderNodeTexImage")
            node.image = image
            if link:
                colour = paint.node_tree.nodes["Principled BSDF"].inputs["Base Color"]
                paint.node_tree.links.new(node.outputs["Color"], colour)
        add_box(scene, material=paint)

    assert load(fill).missing_textures == ("gone.png",)


def test_hidden_helpers_do_not_change_the_bounds(load):
    def fill(scene):
        add_box(scene, size=(1, 2, 3))
        add_box(scene, size=(50, 50, 50)).hide_render = True
        hidden = bpy.data.collections.new("hidden")
        hidden.hide_render = True
        scene.collection.children.link(hidden)
        inner = bpy.data.collections.new("inside of hidden")
        hidden.children.link(inner)
        excluded = bpy.data.collections.new("excluded")
        scene.collection.children.link(excluded)
        for collection in (hidden, inner, excluded):
            helper = add_box(scene, size=(70, 70, 70))
            scene.collection.objects.unlink(helper)
            collection.objects.link(helper)
        scene.view_layers[0].update()
        scene.view_layers[0].layer_collection.children["excluded"].exclude = True

    assert size_of(load(fill)) == [1, 2, 3]


def test_what_cycles_does_not_draw_does_not_change_the_bounds(load):
    def fill(scene):
        box = add_box(scene, size=(1, 2, 3))
        mesh = bmesh.new()
        mesh.from_mesh(box.data)
        loose = [mesh.verts.new((90, 0, 0)), mesh.verts.new((0, 90, 0))]
        mesh.edges.new(loose)
        mesh.to_mesh(box.data)
        wire = bpy.data.curves.new("wire", "CURVE")
        wire.splines.new("POLY").points.add(1)
        wire.splines[0].points[1].co = (80, 0, 0, 1)
        for data in (wire, bpy.data.cameras.new("camera"), bpy.data.armatures.new("bones"), None):
            helper = bpy.data.objects.new("helper", data)
            helper.location = (60, 60, 60)
            scene.collection.objects.link(helper)

    assert size_of(load(fill)) == [1, 2, 3]


def test_curves_with_a_surface_count(load):
    def fill(scene):
        tube = bpy.data.curves.new("tube", "CURVE")
        tube.dimensions = "3D"
        tube.bevel_depth = 0.5
        tube.splines.new("POLY").points.add(1)
        tube.splines[0].points[1].co = (4, 0, 0, 1)
        scene.collection.objects.link(bpy.data.objects.new("tube", tube))

    assert size_of(load(fill)) == [4, 1, 1]


def test_light_panels_do_not_change_the_bounds(load):
    def fill(scene):
        add_box(scene, size=(1, 2, 3))
        glow = bpy.data.materials.new("glow")
        nodes = glow.node_tree.nodes
        emission = nodes.new("ShaderNodeEmission")
        output = nodes["Material Output"]
        glow.node_tree.links.new(emission.outputs["Emission"], output.inputs["Surface"])
        add_box(scene, size=(40, 40, 0), at=(0, 0, 30), name="panel", material=glow)

    dark = load(fill)
    assert size_of(dark) == [1, 2, 3]
    assert not dark.true_strength  # its light is off like that of the file's lamps

    lit = load(fill, file_lights=True)
    assert size_of(lit) == [1, 2, 3]
    assert lit.true_strength


def test_modifiers_act_as_they_do_in_a_render(load):
    def fill(scene):
        array = add_box(scene).modifiers.new("array", "ARRAY")
        array.count = 3
        array.show_viewport = False
        unused = scene.objects[0].modifiers.new("off", "ARRAY")
        unused.count = 100
        unused.show_render = False

    assert size_of(load(fill)) == [3, 1, 1]


def test_parents_act_without_being_rendered(load):
    def fill(scene):
        parent = add_box(scene, size=(9, 9, 9), name="parent")
        parent.hide_render = True
        parent.scale = (2, 2, 2)
        add_box(scene, size=(1, 1, 0.5)).parent = parent

    assert size_of(load(fill)) == [2, 2, 1]


def test_instances_of_collections_count(load):
    def fill(scene):
        shelf = bpy.data.collections.new("shelf")
        cup = add_box(scene, name="cup")
        scene.collection.objects.unlink(cup)
        shelf.objects.link(cup)
        for place in (0, 4):
            empty = bpy.data.objects.new("instance", None)
            empty.instance_type = "COLLECTION"
            empty.instance_collection = shelf
            empty.location = (place, 0, 0)
            scene.collection.objects.link(empty)

    assert size_of(load(fill)) == [5, 1, 1]


def add_scattered(scene, *, count: int) -> None:
    """Boxes of 2 x 2 x 2 one metre apart, each made by geometry nodes for one instance alone."""
    tree = bpy.data.node_groups.new("scatter", "GeometryNodeTree")
    tree.interface.new_socket("Geometry", in_out="OUTPUT", socket_type="NodeSocketGeometry")
    line, box, scatter, output = map(
        tree.nodes.new,
        ("GeometryNodeMeshLine", "GeometryNodeMeshCube", "GeometryNodeInstanceOnPoints",
         "NodeGroupOutput"),
    )  # fmt: skip
    line.inputs["Count"].default_value = count
    line.inputs["Offset"].default_value = (1, 0, 0)
    box.inputs["Size"].default_value = (2, 2, 2)
    tree.links.new(line.outputs[0], scatter.inputs["Points"])
    tree.links.new(box.outputs[0], scatter.inputs["Instance"])
    tree.links.new(scatter.outputs[0], output.inputs[0])
    add_box(scene).modifiers.new("scatter", "NODES").node_group = tree


def test_instances_are_measured_as_they_are_shown_and_nothing_of_them_stays(load):
    def wrapped() -> int:
        gc.collect()
        return sum(isinstance(each, bpy.types.Object) for each in gc.get_objects())

    before = wrapped()

    model = load(lambda scene: add_scattered(scene, count=1001))

    assert size_of(model) == [1002, 2, 2]
    assert wrapped() - before < 100


def test_hair_counts(load):
    def fill(scene):
        plate = add_box(scene, size=(1, 1, 0.1))
        plate.modifiers.new("hair", "PARTICLE_SYSTEM")
        settings = plate.particle_systems[0].settings
        settings.type = "HAIR"
        settings.count = 200
        settings.hair_length = 2.0

    assert size_of(load(fill))[2] > 2.0


def test_a_model_is_centred_and_scaled_to_one(load):
    model = load(lambda scene: add_box(scene, size=(2, 8, 4), at=(100, -50, 7)))

    support = model.bounds.unit_support
    np.testing.assert_allclose(support.min(axis=0), (-0.125, -0.5, -0.25), atol=1e-5)
    np.testing.assert_allclose(support.max(axis=0), (0.125, 0.5, 0.25), atol=1e-5)


def test_the_frame_that_the_file_was_saved_at_is_kept(load):
    def fill(scene):
        box = add_box(scene)
        for frame, height in ((1, 1.0), (11, 3.0)):
            box.scale = (1, 1, height)
            box.keyframe_insert("scale", frame=frame)
        scene.frame_current = 11

    assert size_of(load(fill)) == [1, 1, 3]


def test_simple_drivers_act_and_scripted_ones_never_do(load, tmp_path):
    trap = tmp_path / "trap"

    def fill(scene):
        box = add_box(scene)
        box.driver_add("scale", 2).driver.expression = "2 * 2"
        script = f"__import__('pathlib').Path({str(trap)!r}).touch() or 9.0"
        box.driver_add("location", 1).driver.expression = script

    model = load(fill)

    assert size_of(model) == [1, 1, 4]
    assert model.bounds.low[1] == pytest.approx(-0.5)
    drivers = next(iter(model.collection.objects)).animation_data.drivers
    assert [curve.data_path for curve in drivers] == ["scale"]
    assert not trap.exists()


def test_lamps_of_the_file_shine_only_when_asked_for(load):
    def fill(scene):
        add_box(scene)
        lamp = bpy.data.objects.new("lamp", bpy.data.lights.new("lamp", "POINT"))
        scene.collection.objects.link(lamp)

    assert not load(fill).true_strength
    assert load(fill, file_lights=True).true_strength


@pytest.mark.parametrize(("off", "is_shown"), [(1e4, True), (5e6, False)])
def test_a_model_too_far_from_its_origin_for_its_size_is_refused(load, off, is_shown):
    """As of a survey, in metres from the equator: Blender would round its points to half metres."""

    def fill(scene):
        add_box(scene, size=(10.0, 10.0, 10.0), at=(off, 0.0, 0.0))

    if is_shown:
        assert load(fill).size == 1.0
    else:
        with pytest.raises(AssetError, match=r"by 0\.5 units alone: move it to the origin"):
            load(fill)


def add_lamp(scene, size, kind, *, radius=0.0, normalised=True, falloff=None):
    """A lamp beside a box; with the box's size all that it has in lengths grows."""
    data = bpy.data.lights.new("lamp", kind)
    data.normalize = normalised
    data.energy = 3.0 if kind == "SUN" else 100.0 * size ** (2 if normalised else 0)
    if kind == "AREA":
        data.size = radius * size
    elif kind != "SUN":
        data.shadow_soft_size = radius * size
    if falloff is not None:
        node = data.node_tree.nodes.new("ShaderNodeLightFalloff")
        node.inputs["Strength"].default_value = size ** {"Linear": -1, "Constant": -2}.get(
            falloff, 0
        )
        node.inputs["Smooth"].default_value = size**2
        [emission] = [each for each in data.node_tree.nodes if each.type == "EMISSION"]
        data.node_tree.links.new(node.outputs[falloff], emission.inputs["Strength"])
    lamp = bpy.data.objects.new("lamp", data)
    lamp.location, lamp.rotation_euler = (0, 2 * size, size), (-1.1, 0, 0)
    scene.collection.objects.link(lamp)


@pytest.mark.parametrize(
    ("kind", "of_lamp"),
    [
        pytest.param("POINT", {}, id="point"),
        pytest.param("POINT", {"radius": 1.0}, id="ball"),
        pytest.param("POINT", {"radius": 1.0, "normalised": False}, id="ball-by-radiance"),
        pytest.param("SPOT", {"radius": 1.0}, id="spot"),
        pytest.param("AREA", {"radius": 1.0}, id="area"),
        pytest.param("AREA", {"radius": 1.0, "normalised": False}, id="area-by-radiance"),
        pytest.param("SUN", {}, id="sun"),
        pytest.param("POINT", {"falloff": "Quadratic"}, id="smooth"),
        pytest.param("POINT", {"falloff": "Linear"}, id="linear"),
        pytest.param("POINT", {"falloff": "Constant"}, id="constant"),
    ],
)
def test_a_lamp_lights_a_scaled_model_as_in_its_file(blender, write_blend, tmp_path, kind, of_lamp):
    dark = write_sky(tmp_path / "dark.exr", np.full((8, 16, 3), 1e-6, dtype=np.float32))
    brightness = []
    for size in (1.0, 10.0):

        def fill(scene, size=size):
            add_box(scene, size=(size, size, size), material=a_material())
            add_lamp(scene, size, kind, **of_lamp)

        model = write_blend(fill)
        passes, _ = shoot(blender, model, dark, some_view(yaw=0.0), file_lights=True, samples=16)
        brightness.append(float(passes.picture(gain=1.0).mean()))

    assert brightness[0] == pytest.approx(brightness[1], rel=0.02)
    assert brightness[0] > 0.01


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of Blender's own exporters
@pytest.mark.parametrize("suffix", [".obj", ".ply", ".stl", ".glb", ".fbx", ".usdc", ".usda"])
def test_every_format_is_read(blender, tmp_path, suffix):
    path = tmp_path / f"box{suffix}"
    blender.free_model()  # else what another test left is written, too
    add_box(blender.scene, size=(1, 2, 3))
    if suffix == ".glb":
        bpy.ops.export_scene.gltf(filepath=str(path))
    elif suffix == ".fbx":
        bpy.ops.export_scene.fbx(filepath=str(path), object_types={"MESH"})
    else:
        operator = {".usdc": "usd", ".usda": "usd"}.get(suffix, suffix[1:])
        getattr(bpy.ops.wm, f"{operator}_export")(filepath=str(path))
    blender.free_model()

    model = blender.load_model(asset_of(path), file_lights=False)

    sides = np.array(sorted(size_of(model)))
    np.testing.assert_allclose(sides / sides[0], (1, 2, 3), rtol=1e-3)


def test_the_same_model_is_not_loaded_twice(blender, statue, lantern):
    first = blender.load_model(statue, file_lights=False)

    assert blender.load_model(statue, file_lights=False) is first
    blender.load_model(lantern, file_lights=False)
    assert blender.load_model(statue, file_lights=False) is not first


def test_a_change_of_model_leaves_nothing_of_the_old_one(blender, statue, lantern):
    blender.load_model(statue, file_lights=False)
    count = len(disarm.all_ids())
    for model in (lantern, statue, lantern, statue):
        blender.load_model(model, file_lights=False)

    assert len(disarm.all_ids()) == count
    blender.free_model()
    assert not bpy.data.meshes
    assert not bpy.data.materials


def test_the_files_own_world_camera_and_compositor_never_act(blender, tmp_path, sky):
    path = tmp_path / "rude.blend"
    with blend_file(path) as scene:
        add_box(scene)
        scene.world = bpy.data.worlds.new("rude world")
        scene.camera = bpy.data.objects.new("rude camera", bpy.data.cameras.new("rude"))
        scene.collection.objects.link(scene.camera)
        scene.render.filepath = str(tmp_path / "hijacked")
        tree = bpy.data.node_groups.new("rude", "CompositorNodeTree")
        scene.compositing_node_group = tree
        output = tree.nodes.new("CompositorNodeOutputFile")
        output.directory = str(tmp_path)

    shoot(blender, asset_of(path), sky, some_view())

    assert blender.scene.world.name.removeprefix("viewfarm ") == "environment"
    assert blender.scene.camera.name == "viewfarm camera"
    assert [item.name for item in tmp_path.iterdir()] == ["rude.blend"]
