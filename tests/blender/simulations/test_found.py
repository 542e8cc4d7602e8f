"""What of a scene must be baked."""

import bpy
import pytest

from tests.support.blender import simulated
from tests.support.blender.scenes import add_box
from tests.support.blender.simulated import KINDS, write_simulated
from worker.blender import simulations


@pytest.fixture
def found_in(blender, tmp_path):
    """Open a scene that a function fills; say what must be baked in it."""

    def found(fill):
        blender.free_model()
        opened = blender.open_scene(write_simulated(tmp_path / "scene.blend", fill))
        names = simulations.found(opened.scene)
        blender.free_model()
        return names

    return found


@pytest.mark.parametrize(("fill", "name"), KINDS.values(), ids=KINDS)
def test_what_moves_by_physics_is_found_and_named(found_in, fill, name):
    assert found_in(fill) == (name,)


def test_a_zone_within_groups_of_nodes_is_found(found_in):
    def nested(scene):
        simulated.zone(scene)
        modifier = scene.objects["Mover"].modifiers[0]
        inner = modifier.node_group
        outer = bpy.data.node_groups.new("Outer", "GeometryNodeTree")
        for way in ("INPUT", "OUTPUT"):
            outer.interface.new_socket("Geometry", in_out=way, socket_type="NodeSocketGeometry")
        kinds = ("NodeGroupInput", "GeometryNodeGroup", "NodeGroupOutput")
        begin, group, end = (outer.nodes.new(kind) for kind in kinds)
        group.node_tree = inner
        outer.links.new(begin.outputs[0], group.inputs[0])
        outer.links.new(group.outputs[0], end.inputs[0])
        modifier.node_group = outer

    assert found_in(nested) == ("simulation zone of Mover",)


def test_what_is_shown_many_times_counts_too(found_in):
    def instanced(scene):
        add_box(scene, name="still")
        hidden = bpy.data.collections.new("kept elsewhere")
        shown = bpy.data.objects.new("copies", None)
        shown.instance_type, shown.instance_collection = "COLLECTION", hidden
        scene.collection.objects.link(shown)
        simulated.cloth(scene)
        for name in ("Mover", "Post"):
            item = scene.objects[name]
            scene.collection.objects.unlink(item)
            hidden.objects.link(item)

    assert found_in(instanced) == ("cloth of Mover",)


@pytest.mark.parametrize("physics", ["NO", "KEYED"])
def test_particles_that_stand_where_their_time_says_need_no_bake(found_in, physics):
    def still(scene):
        simulated.particles(scene)
        scene.objects["Mover"].modifiers[0].particle_system.settings.physics_type = physics

    assert found_in(still) == ()


def test_hair_without_dynamics_needs_no_bake(found_in):
    def still(scene):
        simulated.hair(scene)
        scene.objects["Mover"].modifiers[0].particle_system.use_hair_dynamics = False

    assert found_in(still) == ()


def test_what_is_not_rendered_or_moves_nothing_needs_no_bake(found_in):
    def idle(scene):
        simulated.falling_box(scene)
        scene.objects["Mover"].rigid_body.type = "PASSIVE"
        simulated.add_sheet(scene, name="Flag").modifiers.new("Cloth", "CLOTH").show_render = False

    assert found_in(idle) == ()
