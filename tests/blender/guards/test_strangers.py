"""Files that mean harm, made here: what bombs are refused, and what never acts or is waited for."""

from __future__ import annotations

import base64
import ctypes
import json
import os
import signal
import struct
import wave
from pathlib import Path

import bpy
import pytest
from PIL import Image

from farm.errors import AssetError
from tests.support.blender.scenes import a_material, add_box, asset_of, blend_file
from tests.support.blender.shots import shoot, some_view
from worker.blender.guards import disarm, file_access


def subdivision(scene) -> None:
    dense(scene).modifiers.new("bomb", "SUBSURF").render_levels = 11


def array(scene) -> None:
    dense(scene).modifiers.new("bomb", "ARRAY").count = 10**9


def array_by_length(scene) -> None:
    modifier = dense(scene).modifiers.new("bomb", "ARRAY")
    modifier.fit_type = "FIT_LENGTH"
    modifier.fit_length = 1e6
    modifier.relative_offset_displace = (1e-4, 0, 0)


def array_without_end(scene) -> None:
    array_by_length(scene)
    scene.objects["dense"].modifiers["bomb"].fit_length = float("inf")


def arrays_of_arrays(scene) -> None:
    item = dense(scene)
    for _ in range(3):
        item.modifiers.new("bomb", "ARRAY").count = 500


def multires(scene) -> None:
    """Blender itself makes none without its displacements; in a file, a level is one byte."""
    item = dense(scene)
    modifier = item.modifiers.new("bomb", "MULTIRES")
    with bpy.context.temp_override(scene=scene, object=item, active_object=item):
        for _ in range(2):
            bpy.ops.object.multires_subdivide(modifier="bomb")
    address = modifier.as_pointer()
    memory = ctypes.string_at(address, 400)
    levels = memory.index(bytes([2, 2, 2, 2]))
    ctypes.memset(address + levels, 13, 4)
    assert modifier.render_levels == 13


def dense(scene) -> bpy.types.Object:
    """A sheet of 400 faces."""
    item = add_box(scene, name="dense")
    side = range(21)
    item.data.clear_geometry()
    corners = [(x, y, 0) for x in side for y in side]
    faces = [(a, a + 1, a + 22, a + 21) for x in side[:-1] for a in range(21 * x, 21 * x + 20)]
    item.data.from_pydata(corners, [], faces)
    return item


@pytest.mark.parametrize(
    "bomb",
    [subdivision, array, array_by_length, array_without_end, arrays_of_arrays, multires],
    ids=lambda it: it.__name__,
)
def test_a_bomb_of_modifiers_is_refused_by_its_object(blender, write_blend, bomb):
    with pytest.raises(AssetError, match=r"the modifiers of 'dense' would make about .* faces"):
        blender.load_model(write_blend(bomb), file_lights=False)


def test_a_volume_beyond_all_measure_is_refused(blender, write_blend):
    def fill(scene) -> None:
        tree = bpy.data.node_groups.new("fog", "GeometryNodeTree")
        tree.interface.new_socket("Geometry", in_out="OUTPUT", socket_type="NodeSocketGeometry")
        fog, output = map(tree.nodes.new, ("GeometryNodeVolumeCube", "NodeGroupOutput"))
        fog.inputs["Min"].default_value = (-1e20, -1, -1)
        fog.inputs["Max"].default_value = (1e20, 1, 1)
        tree.links.new(fog.outputs[0], output.inputs[0])
        item = bpy.data.objects.new("fog", bpy.data.volumes.new("fog"))
        scene.collection.objects.link(item)
        item.modifiers.new("fog", "NODES").node_group = tree

    with pytest.raises(AssetError, match="units in size: it is damaged"):
        blender.load_model(write_blend(fill), file_lights=False)


def test_arrays_of_an_honest_length_stand(blender, write_blend):
    def fill(scene) -> None:
        for way in ("relative", "constant", "none"):
            modifier = add_box(scene).modifiers.new("fence", "ARRAY")
            modifier.fit_type = "FIT_LENGTH"
            modifier.fit_length = 3.0
            modifier.use_relative_offset = way == "relative"
            modifier.use_constant_offset = way == "constant"
            modifier.constant_offset_displace = (1, 0, 0)

    model = blender.load_model(write_blend(fill), file_lights=False)

    assert (model.bounds.high - model.bounds.low).tolist() == pytest.approx([4, 1, 1])


def test_nothing_in_a_file_runs_or_writes(blender, sky, tmp_path, monkeypatch):
    """Drivers, texts that register themselves, OSL, output nodes, an output path."""
    made = tmp_path / "made"
    made.mkdir()
    code = f"open({str(made / 'ran')!r}, 'w')"
    path = tmp_path / "armed.blend"
    blender.free_model()
    with blend_file(path) as scene:
        material = a_material()
        driver = add_box(scene, material=material).driver_add("location", 0).driver
        driver.type, driver.expression = "SCRIPTED", f"{code} and 0"
        text = bpy.data.texts.new("startup.py")
        text.write(code)
        text.use_module = True
        text.use_fake_user = True
        script = material.node_tree.nodes.new("ShaderNodeScript")
        paint = bpy.data.texts.new("paint.osl")
        paint.write("shader paint(output color c = 0) { c = color(1, 0, 0); }")
        with monkeypatch.context() as patch:  # Cycles would look into it, and cannot without OSL
            patch.setattr(blender.scene.render, "engine", "BLENDER_WORKBENCH")
            script.script = paint
        tree = bpy.data.node_groups.new("rude", "CompositorNodeTree")
        scene.compositing_node_group = tree
        tree.nodes.new("CompositorNodeOutputFile").directory = str(made)
        scene.render.filepath = str(made / "hijacked")
        scene["text"] = text  # so that it comes along

    passes, _ = shoot(blender, asset_of(path), sky, some_view())

    assert passes.alpha.mean() > 0.01
    assert not list(made.iterdir())
    assert blender.scene.cycles.shading_system is False
    assert [text.as_string() for text in bpy.data.texts] == ["", ""]


def full_of_files(scene: bpy.types.Scene, folder: Path) -> list[bpy.types.ID]:
    """A box, a letter, a sound in space, a strip of sound and a followed film; return the files."""
    beep, film = folder / "beep.wav", folder / "film.png"
    with wave.open(str(beep), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(bytes(1600))
    Image.new("RGB", (8, 8)).save(film)
    fonts = Path(bpy.utils.system_resource("DATAFILES", path="fonts"))
    font = bpy.data.fonts.load(str(next(fonts.glob("*.woff2"))))
    sound, clip = bpy.data.sounds.load(str(beep)), bpy.data.movieclips.load(str(film))
    letters = bpy.data.objects.new("letters", bpy.data.curves.new("letters", "FONT"))
    letters.data.body, letters.data.font = "A", font
    speaker = bpy.data.objects.new("speaker", bpy.data.speakers.new("speaker"))
    speaker.data.sound = sound
    for item in (letters, speaker):
        scene.collection.objects.link(item)
    add_box(scene).constraints.new("FOLLOW_TRACK").clip = clip
    scene.sequence_editor_create().strips.new_sound("sound", str(beep), 1, 1)
    return [font, clip, *bpy.data.sounds]


@pytest.mark.parametrize("kind", ["pipe", "zero"])
def test_nobody_waits_for_sounds_fonts_and_movies_that_are_none(blender, sky, tmp_path, kind):
    target = tmp_path / "endless" if kind == "pipe" else Path("/dev/zero")
    blender.free_model()
    with blend_file(tmp_path / "loud.blend") as scene:
        for block in full_of_files(scene, tmp_path):
            block.filepath = str(target)
    if kind == "pipe":
        os.mkfifo(target)

    passes, _ = shoot(blender, asset_of(tmp_path / "loud.blend"), sky, some_view())

    assert passes.alpha.mean() > 0.01


def linking(path: Path, target: Path) -> None:
    """A box, and another that is linked from `target`."""
    library = path.with_name("library.blend")
    with blend_file(library) as scene:
        add_box(scene, name="linked")
    before = {block.session_uid for block in disarm.all_ids()}
    scene = bpy.data.scenes.new("Scene")
    add_box(scene, name="own")
    with bpy.data.libraries.load(str(library), link=True) as (source, wanted):
        wanted.objects = source.objects
    scene.collection.objects.link(wanted.objects[0])
    scene.view_layers[0].update()
    bpy.data.libraries[0].filepath = str(target)
    bpy.data.libraries.write(str(path), {scene})
    disarm.keep_only(before)


@pytest.mark.parametrize("kind", ["zero", "passwd", "folder", "pipe"])
def test_a_library_that_is_none_is_missing_and_nobody_waits_for_it(
    blender, tmp_path, monkeypatch, kind
):
    monkeypatch.setattr(file_access, "PATIENCE_S", 0.5)
    target = {"zero": "/dev/zero", "passwd": "/etc/passwd", "folder": "/etc"}.get(kind)
    if target is None:
        os.mkfifo(target := tmp_path / "pipe.blend")
    blender.free_model()
    linking(tmp_path / "linking.blend", Path(target))

    model = blender.load_model(asset_of(tmp_path / "linking.blend"), file_lights=False)

    assert model.objects == ("own",)


def test_an_alarm_that_was_set_before_goes_on_after_a_load():
    came = []
    before = signal.signal(signal.SIGALRM, lambda *_: came.append(True))
    outer_s, outer_every_s = signal.setitimer(signal.ITIMER_REAL, 100.0, 7.0)
    try:
        with file_access.impatience():
            within_s, _ = signal.getitimer(signal.ITIMER_REAL)
        left_s, every_s = signal.getitimer(signal.ITIMER_REAL)
    finally:
        signal.signal(signal.SIGALRM, before)
        signal.setitimer(signal.ITIMER_REAL, outer_s, outer_every_s)

    assert within_s <= file_access.PATIENCE_S
    assert 90 < left_s <= 100
    assert every_s == pytest.approx(7)
    assert not came


def gltf(path: Path, *, buffer: str = "", image: str = "none.png") -> Path:
    """A triangle with a texture, either of which may be somewhere else."""
    corners = struct.pack("<9f", 0, 0, 0, 1, 0, 0, 0, 1, 1)
    held = "data:application/octet-stream;base64," + base64.b64encode(corners).decode()
    attributes = {"attributes": {"POSITION": 0}, "material": 0}
    points = {"bufferView": 0, "componentType": 5126, "count": 3, "type": "VEC3",
              "min": [0, 0, 0], "max": [1, 1, 1]}  # fmt: skip
    paint = {"pbrMetallicRoughness": {"baseColorTexture": {"index": 0}}}
    whole = {
        "asset": {"version": "2.0"}, "scene": 0, "scenes": [{"nodes": [0]}], "nodes": [{"mesh": 0}],
        "meshes": [{"primitives": [attributes]}], "materials": [paint],
        "textures": [{"source": 0}], "images": [{"uri": image}], "accessors": [points],
        "buffers": [{"byteLength": 36, "uri": buffer or held}],
        "bufferViews": [{"buffer": 0, "byteLength": 36}],
    }  # fmt: skip
    path.write_text(json.dumps(whole))
    return path


@pytest.mark.parametrize(
    ("part", "uri"),
    [(part, uri) for part in ("buffer", "image") for uri in ("/dev/zero", "pipe")]
    + [("buffer", uri) for uri in ("../theirs", "%2e%2e/theirs", "..\\theirs", "/etc/passwd")],
)
def test_a_gltf_reads_neither_devices_nor_what_is_not_its_own(blender, tmp_path, part, uri):
    home = tmp_path / "content"
    home.mkdir()
    os.mkfifo(home / "pipe")
    (tmp_path / "theirs").write_bytes(bytes(36))
    asset = asset_of(gltf(home / "model.gltf", **{part: uri}))
    own = home.rename(tmp_path / asset.content)
    changes = {"in_library": True, "path": str(own / "model.gltf")}
    strange = asset.model_copy(update=changes)

    with pytest.raises(AssetError, match=r"model.gltf: it names .*, which it may not read"):
        blender.load_model(strange, file_lights=False)


@pytest.mark.parametrize("image", ["gone.png", "../theirs.png"])
def test_a_gltf_with_a_picture_of_somebody_else_stands_without(blender, tmp_path, image):
    home = tmp_path / "content"
    home.mkdir()
    Image.new("RGB", (8, 8)).save(tmp_path / "theirs.png")
    asset = asset_of(gltf(home / "model.gltf", image=image))
    own = home.rename(tmp_path / asset.content)
    changes = {"in_library": True, "path": str(own / "model.gltf")}

    model = blender.load_model(asset.model_copy(update=changes), file_lights=False)

    assert len(model.objects) == 1
    assert model.missing_textures == (Path(image).name,)
