"""What is in the files of labels, and whose numbers they tell."""

from __future__ import annotations

import json
from io import BytesIO
from types import SimpleNamespace

import bpy
import numpy as np
import OpenEXR
import pytest
from PIL import Image

from farm.errors import AssetError
from farm.spec.passes import VIEW_PASSES
from tests.builders import a_task
from tests.support.blender.scenes import a_material, add_box
from tests.support.blender.shots import WIDE, some_view
from worker.blender.view_passes import HIGHEST_INDEX
from worker.labels.tables import index_table
from worker.render.loading import check_numbers

BALL, CRATE, SHEET = 1, 2, 3
LABELS = tuple(name for name in VIEW_PASSES if name not in ("rgb", "mask"))


@pytest.fixture(scope="module")
def shown(labelled, still, sky):
    """The known model with every pass, under an environment that is turned."""
    return labelled(still, sky)


def test_a_cryptomatte_names_and_weighs_the_objects(shown):
    with OpenEXR.File(BytesIO(shown.data("cryptomatte")), separate_channels=True) as exr:
        header = dict(exr.header())
        channels = {name: channel.pixels for name, channel in exr.channels().items()}
    [key] = [
        name.rpartition("/")[0]
        for name, value in header.items()
        if name.endswith("/name") and value == "ViewLayer.CryptoObject"
    ]
    manifest = json.loads(header[f"{key}/manifest"])
    number = np.uint32(int(manifest["crate"], 16)).view(np.float32)
    weight = sum(
        np.where(
            channels[f"ViewLayer.CryptoObject{rank:02d}.{id_}"] == number,
            channels[f"ViewLayer.CryptoObject{rank:02d}.{cover}"],
            0,
        )
        for rank in range(3)
        for id_, cover in ("rg", "ba")
    )

    assert header[f"{key}/hash"] == "MurmurHash3_32"
    inner = shown["index"] == CRATE
    assert weight[inner].mean() > 0.9
    assert weight[shown["mask"] == 0].max() == 0


def test_uv_is_that_of_the_mesh(labelled, write_blend, sky):
    def fill(scene) -> None:
        mesh = bpy.data.meshes.new("sheet")
        mesh.from_pydata([(-1, -1, 0), (1, -1, 0), (1, 1, 0), (-1, 1, 0)], [], [(0, 1, 2, 3)])
        corners = mesh.uv_layers.new().data
        for corner, at in zip(corners, [(0, 0), (2, 0), (2, 1), (0, 1)], strict=True):
            corner.uv = at
        scene.collection.objects.link(bpy.data.objects.new("sheet", mesh))

    shown = labelled(
        write_blend(fill), sky, some_view(pitch=70.0, rotation=30.0), passes=("uv", "position")
    )

    there = shown["position"].any(axis=-1)
    expected = (shown["position"][there][:, :2] + 0.5) * (2, 1)
    np.testing.assert_allclose(shown["uv"][there], expected, atol=1e-5)


def test_instances_have_the_number_of_what_is_instanced(labelled, write_blend, sky):
    """Of a collection that is shown twice, and of a metaball, which becomes a mesh."""

    def fill(scene) -> None:
        paint = a_material()
        add_box(scene, size=(3.0, 3.0, 0.1), at=(0, 0, -0.5), name="table", material=paint)
        twice = bpy.data.collections.new("twice")
        cup = add_box(scene, size=(0.4, 0.4, 0.8), name="cup", material=paint)
        scene.collection.objects.unlink(cup)
        twice.objects.link(cup)
        for x in (-1.0, 1.0):
            empty = bpy.data.objects.new("here", None)
            empty.instance_type, empty.instance_collection = "COLLECTION", twice
            empty.location.x = x
            scene.collection.objects.link(empty)
        drop = bpy.data.metaballs.new("drop")
        drop.elements.new().radius = 0.8
        scene.collection.objects.link(bpy.data.objects.new("drop", drop))

    shown = labelled(write_blend(fill), sky, some_view(yaw=0.0, pitch=50.0), passes=("index",))

    numbers = {label.name: label.index for label in shown.record.indices}
    assert set(numbers) == {"cup", "drop", "table"}
    index = shown["index"]
    assert set(np.unique(index)) == {0, *numbers.values()}
    columns = np.flatnonzero((index == numbers["cup"]).any(axis=0))
    assert np.diff(columns).max() > 5  # two of them


def test_what_nodes_show_has_the_number_of_what_is_shown(labelled, write_blend, sky):
    """An object that nodes put on points keeps its number; a mesh that they make has their own.

    Names are the file's, also where the session has something that could be called so.
    """

    def fill(scene) -> None:
        add_box(scene, size=(3.0, 3.0, 0.1), at=(0, 0, -0.5), name="desk")
        mug = add_box(scene, size=(0.4, 0.4, 0.8), name="camera")
        mug.hide_render = True
        host = add_box(scene, size=(2.0, 2.0, 0.02), name="host")
        host.modifiers.new("mugs", "NODES").node_group = nodes_that_scatter(mug)

    shown = labelled(write_blend(fill), sky, some_view(pitch=40.0), passes=("index",))

    numbers = {label.name: label.index for label in shown.record.indices}
    counts = dict(zip(*np.unique(shown["index"], return_counts=True), strict=True))
    assert set(numbers) == {"camera", "host", "desk"}
    assert all(counts[number] > 20 for number in numbers.values())


def nodes_that_scatter(item: bpy.types.Object) -> bpy.types.NodeTree:
    """Put an object on the points of a mesh, and posts of their own on half of its size."""
    tree = bpy.data.node_groups.new("scatter", "GeometryNodeTree")
    for way in ("INPUT", "OUTPUT"):
        tree.interface.new_socket("Geometry", in_out=way, socket_type="NodeSocketGeometry")
    start, end, on_points, posts, smaller, thing, post, both = (
        tree.nodes.new(kind)
        for kind in (
            "NodeGroupInput",
            "NodeGroupOutput",
            "GeometryNodeInstanceOnPoints",
            "GeometryNodeInstanceOnPoints",
            "GeometryNodeTransform",
            "GeometryNodeObjectInfo",
            "GeometryNodeMeshCube",
            "GeometryNodeJoinGeometry",
        )
    )
    thing.inputs["Object"].default_value = item
    thing.inputs["As Instance"].default_value = True
    post.inputs["Size"].default_value = (0.2, 0.2, 1.6)
    smaller.inputs["Scale"].default_value = (0.4, 0.4, 1.0)
    for source, target in (
        (start.outputs[0], on_points.inputs["Points"]),
        (thing.outputs["Geometry"], on_points.inputs["Instance"]),
        (start.outputs[0], smaller.inputs[0]),
        (smaller.outputs[0], posts.inputs["Points"]),
        (post.outputs[0], posts.inputs["Instance"]),
        (on_points.outputs[0], both.inputs[0]),
        (posts.outputs[0], both.inputs[0]),
        (both.outputs[0], end.inputs[0]),
    ):
        tree.links.new(source, target)
    return tree


def test_a_model_of_too_many_parts_is_named():
    """Where the pass that would tell them apart is asked for."""
    labels = index_table(["cup"] * (HIGHEST_INDEX + 1), category=None)
    stage = SimpleNamespace(indices=labels, materials=labels[:2], label_passes=())
    task = a_task(passes=("rgb", "material"))

    check_numbers(task, stage)
    with pytest.raises(AssetError, match=r"vase · studio: its 32768 parts are more than the index"):
        check_numbers(task.model_copy(update={"passes": ("index",)}), stage)
    stage.label_passes = ("index",)
    with pytest.raises(AssetError, match=r"more than the index pass can tell apart: show fewer"):
        check_numbers(task, stage)


def test_previews_are_small_pictures_of_each_label(shown, labelled, still, sky):
    assert set(shown.record.previews) == set(LABELS)
    for file in shown.record.previews.values():
        with Image.open(BytesIO(shown.storage.get(f"vases/{file.path}"))) as image:
            assert image.size == WIDE
            assert image.mode in ("L", "RGB")
    assert not labelled(still, sky, passes=("depth",), previews=False).record.previews


def test_a_record_says_what_each_pass_took(shown):
    spent = shown.record.timings.pass_s

    assert set(spent) == set(VIEW_PASSES)
    assert all(seconds > 0 for seconds in spent.values())
