"""A model's paths: what it may read beside its own file, and what never gets into a picture."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import bpy
import numpy as np
import pytest
from PIL import Image

from farm.errors import AssetError
from farm.spec.asset import Asset
from tests.support.blender.scenes import a_material, add_box, asset_of, blend_file
from tests.support.blender.shots import shoot, some_view


@pytest.fixture
def red(tmp_path) -> Path:
    """A picture of somebody else."""
    path = tmp_path / "theirs" / "red.png"
    path.parent.mkdir()
    Image.new("RGB", (8, 8), (255, 0, 0)).save(path)
    return path


def textured(scene: bpy.types.Scene, path: object, source: str = "FILE") -> None:
    """A box that shows a picture and nothing else."""
    material = a_material()
    nodes = material.node_tree.nodes
    texture = nodes.new("ShaderNodeTexImage")
    texture.image = bpy.data.images.new("picture", 4, 4)
    texture.image.source = source
    texture.image.filepath = str(path)
    shine = nodes.new("ShaderNodeEmission")
    material.node_tree.links.new(texture.outputs["Color"], shine.inputs["Color"])
    output = nodes["Material Output"].inputs["Surface"]
    material.node_tree.links.new(shine.outputs[0], output)
    add_box(scene, material=material)


def from_library(folder: Path, asset: Asset) -> Asset:
    """The same asset as a worker's cache has it: in a folder of its own."""
    home = folder / "cache" / asset.content
    home.mkdir(parents=True)
    path = Path(asset.path).rename(home / asset.name)
    return asset.model_copy(update={"path": str(path), "in_library": True})


def colour(passes) -> np.ndarray:
    """The mean colour of the model itself."""
    inside = passes.alpha > 0.99
    return passes.layers["Combined"][inside][:, :3].mean(axis=0)


MAGENTA = (1.0, 0.0, 1.0)


def test_a_model_of_ones_own_shows_its_textures_wherever_they_are(blender, sky, write_blend, red):
    passes, _ = shoot(blender, write_blend(lambda scene: textured(scene, red)), sky, some_view())

    assert colour(passes) == pytest.approx((1.0, 0.0, 0.0), abs=0.02)


@pytest.mark.parametrize("way", ["absolute", "relative", "sequence", "udim"])
def test_a_model_of_a_farm_shows_nothing_of_other_peoples_pictures(
    blender, sky, write_blend, red, tmp_path, way
):
    path, source = {
        "absolute": (red, "FILE"),
        "relative": ("//../../theirs/red.png", "FILE"),
        "sequence": (red, "SEQUENCE"),
        "udim": (red.with_name("red.<UDIM>.png"), "TILED"),
    }[way]
    red.with_name("red.1001.png").write_bytes(red.read_bytes())
    model = from_library(tmp_path, write_blend(lambda scene: textured(scene, path, source)))

    passes, _ = shoot(blender, model, sky, some_view())

    assert not np.allclose(colour(passes), (1.0, 0.0, 0.0), atol=0.1)
    if way in ("absolute", "relative"):
        assert blender.load_model(model, file_lights=False).missing_textures == ("red.png",)
        assert colour(passes) == pytest.approx(MAGENTA, abs=0.02)


def test_a_texture_beside_a_model_of_a_farm_is_shown(blender, sky, write_blend, red, tmp_path):
    model = write_blend(lambda scene: textured(scene, "//own/red.png"))
    model = from_library(tmp_path, model)
    own = Path(model.path).parent / "own"
    own.mkdir()
    (own / "red.png").symlink_to(red)  # the library's file, as the cache links it

    passes, _ = shoot(blender, model, sky, some_view())

    assert colour(passes) == pytest.approx((1.0, 0.0, 0.0), abs=0.02)


@pytest.mark.parametrize("way", ["posix", "windows", "above"])
def test_a_path_of_its_makers_machine_leads_to_what_came_with_a_model(
    blender, sky, write_blend, red, tmp_path, way
):
    path = {
        "posix": "/home/ada/chair/own/red.png",
        "windows": r"C:\Users\ada\chair\own\red.png",
        "above": "/home/ada/own/red.png",
    }[way]
    model = write_blend(lambda scene: textured(scene, path))
    model = from_library(tmp_path, model)
    home = Path(model.path).parent
    own = home / "own"
    if way == "above":  # as a worker's cache has what lies in a folder above
        (home / "up").mkdir()
        model = model.model_copy(
            update={"path": str(Path(model.path).rename(home / "up" / model.name))}
        )
    own.mkdir()
    (own / "red.png").symlink_to(red)
    Image.new("RGB", (8, 8), (0, 255, 0)).save(home / "red.png")  # not the one that is meant

    passes, _ = shoot(blender, model, sky, some_view())

    assert colour(passes) == pytest.approx((1.0, 0.0, 0.0), abs=0.02)
    assert blender.load_model(model, file_lights=False).missing_textures == ()


def test_tiles_by_an_absolute_path_lead_to_those_that_came_with_a_model(
    blender, sky, write_blend, red, tmp_path
):
    tile = red.rename(red.with_name("red.1001.png"))

    def paint(scene) -> None:
        textured(scene, tile)
        (item,) = scene.collection.objects
        nodes = item.data.materials[0].node_tree.nodes
        image = bpy.data.images.load(str(tile))
        image.source = "TILED"  # Blender looks for the other tiles, and says <UDIM>
        nodes["Image Texture"].image = image
        for corner in item.data.uv_layers.new(name="UVMap").data:
            corner.uv = (0.5, 0.5)

    model = from_library(tmp_path, write_blend(paint))
    tile.parent.rename(Path(model.path).parent / tile.parent.name)

    passes, _ = shoot(blender, model, sky, some_view())

    assert colour(passes) == pytest.approx((1.0, 0.0, 0.0), abs=0.02)


@pytest.mark.parametrize("source", ["FILE", "MOVIE", "SEQUENCE"])
@pytest.mark.parametrize("kind", ["passwd", "zero", "random", "pipe", "folder"])
def test_what_is_no_picture_is_missing_and_nobody_waits_for_it(
    blender, sky, write_blend, tmp_path, kind, source
):
    pipe = tmp_path / "pipe.png"
    os.mkfifo(pipe)
    path = {
        "passwd": "/etc/passwd",
        "zero": "/dev/zero",
        "random": "/dev/random",
        "pipe": pipe,
        "folder": "/etc",
    }[kind]
    model = write_blend(lambda scene: textured(scene, path, source))

    passes, _ = shoot(blender, model, sky, some_view())

    assert colour(passes) == pytest.approx(MAGENTA, abs=0.02)


def with_nodes(scene: bpy.types.Scene, reader: str, path: str, *, linked: bool = False) -> None:
    """A box, joined with what geometry nodes make of a file."""
    item = add_box(scene, size=(0.1, 0.1, 0.1))
    tree = bpy.data.node_groups.new("reader", "GeometryNodeTree")
    for way in ("INPUT", "OUTPUT"):
        tree.interface.new_socket("Geometry", in_out=way, socket_type="NodeSocketGeometry")
    node = tree.nodes.new(reader)
    node.inputs["Path"].default_value = path
    if linked:
        text = tree.nodes.new("FunctionNodeInputString")
        text.string = path
        node.inputs["Path"].default_value = ""
        tree.links.new(text.outputs[0], node.inputs["Path"])
    last = node.outputs[0]
    if reader == "GeometryNodeImportText":
        for kind in ("StringToCurves", "RealizeInstances", "FillCurve"):
            made = tree.nodes.new(f"GeometryNode{kind}")
            tree.links.new(last, made.inputs["String" if kind == "StringToCurves" else 0])
            last = made.outputs[0]
    join = tree.nodes.new("GeometryNodeJoinGeometry")
    tree.links.new(tree.nodes.new("NodeGroupInput").outputs[0], join.inputs[0])
    tree.links.new(last, join.inputs[0])
    tree.links.new(join.outputs[0], tree.nodes.new("NodeGroupOutput").inputs[0])
    item.modifiers.new("reader", "NODES").node_group = tree


@pytest.mark.parametrize("reader", ["GeometryNodeImportText", "GeometryNodeImportCSV"])
@pytest.mark.parametrize("linked", [False, True])
def test_no_text_of_this_machine_becomes_a_shape(
    blender, sky, write_blend, tmp_path, reader, linked
):
    secret = tmp_path / "secret.csv"
    secret.write_text("password\nhunter2\n")
    model = write_blend(lambda scene: with_nodes(scene, reader, str(secret), linked=linked))

    found = blender.load_model(model, file_lights=False)

    assert found.bounds.size == pytest.approx(0.1, rel=1e-3), "the box alone"


@pytest.mark.parametrize("linked", [False, True])
def test_a_shape_that_is_read_is_the_models_own(blender, write_blend, tmp_path, linked):
    theirs = tmp_path / "theirs.stl"
    theirs.write_text(
        "solid a\nfacet normal 0 0 1\nouter loop\nvertex 0 0 0\nvertex 9 0 0\nvertex 0 9 1\n"
        "endloop\nendfacet\nendsolid a\n"
    )

    def fill(scene: bpy.types.Scene) -> None:
        with_nodes(scene, "GeometryNodeImportSTL", str(theirs), linked=linked)

    own = blender.load_model(write_blend(fill), file_lights=False)
    assert own.bounds.size == pytest.approx(0.1 if linked else 9.05, rel=1e-2)

    model = from_library(tmp_path, write_blend(fill))
    found = blender.load_model(model, file_lights=False)
    assert found.bounds.size == pytest.approx(0.1, rel=1e-3), "the box alone"


@pytest.fixture
def linking(blender, tmp_path) -> Callable[..., Asset]:
    """Make a model that links to a box of `theirs.blend`, and may have one of its own."""

    def write(*, own: bool = False) -> Asset:
        theirs, path = tmp_path / "theirs.blend", tmp_path / "linking.blend"
        blender.free_model()  # whose names would be taken
        with blend_file(theirs) as scene:
            add_box(scene, name="secret")
        with bpy.data.libraries.load(str(theirs), link=True) as (_, target):
            target.objects = ["secret"]
        scene = bpy.data.scenes.new("Scene")
        scene.collection.objects.link(target.objects[0])
        if own:
            add_box(scene, name="own")
        scene.view_layers[0].update()
        bpy.data.libraries.write(str(path), {scene})
        blender.free_model()
        return asset_of(path)

    return write


def test_a_model_of_a_farm_links_to_nobody_elses_file(blender, tmp_path, linking):
    with pytest.raises(AssetError, match=r"linking.blend: nothing to render"):
        blender.load_model(from_library(tmp_path, linking()), file_lights=False)


@pytest.mark.parametrize("way", ["there", "gone", "somebody else's"])
def test_a_linked_file_that_is_not_read_is_told(blender, tmp_path, linking, way):
    model = linking(own=True)
    if way == "gone":
        (tmp_path / "theirs.blend").unlink()
    if way == "somebody else's":
        model = from_library(tmp_path, model)

    found = blender.load_model(model, file_lights=False)

    if way == "there":
        assert (found.objects, found.unread) == (("own", "secret"), ())
    else:
        assert (found.objects, found.unread) == (("own",), ("linked file theirs.blend",))


@pytest.mark.parametrize("path", ["/etc/passwd", "/dev/zero"])
def test_fonts_volumes_sounds_and_caches_of_the_machine_are_left_alone(
    blender, sky, write_blend, path
):
    def fill(scene: bpy.types.Scene) -> None:
        box = add_box(scene, material=a_material())
        box.modifiers.new("cache", "MESH_CACHE").filepath = path
        ocean = box.modifiers.new("ocean", "OCEAN")
        ocean.filepath = path
        ocean.show_render = False
        volume = bpy.data.volumes.new("smoke")
        volume.filepath = path
        scene.collection.objects.link(bpy.data.objects.new("smoke", volume))
        speaker = bpy.data.speakers.new("loud")
        scene.collection.objects.link(bpy.data.objects.new("loud", speaker))
        strips = scene.sequence_editor_create().strips
        strips.new_image("strip", "/etc/passwd", 1, 1)
        light = bpy.data.materials.new("profile")
        light.node_tree.nodes.new("ShaderNodeTexIES").mode = "EXTERNAL"
        light.node_tree.nodes["IES Texture"].filepath = path
        box.data.materials.append(light)

    passes, _ = shoot(blender, write_blend(fill), sky, some_view())

    assert passes.alpha.mean() > 0.01
