"""What Cycles keeps from model to model: the environment, and nothing that is seen of a model."""

from __future__ import annotations

import importlib
from pathlib import Path

import bpy
import imagecodecs
import numpy as np
import pytest

from farm.spec.asset import Asset
from tests.support.blender.scenes import a_material, add_box, asset_of, blend_file
from tests.support.blender.shots import picture, some_view
from worker.blender import leftovers
from worker.blender.models.measure import look
from worker.blender.session import BlenderSession

RED, GREEN, BLUE = (250, 10, 10), (10, 250, 10), (10, 10, 250)
SHEET = """
mtllib sheet.mtl
usemtl paint
v -1 0 -1
v 1 0 -1
v 1 0 1
v -1 0 1
vt 0 0
vt 1 0
vt 1 1
vt 0 1
f 1/1 2/2 3/3 4/4
v 0 0.5 0
f 1/1 2/2 5/3
"""
"""A floor with a fin on it."""


def write_sheet(folder: Path, colour: tuple[int, int, int], name: str = "sheet") -> Asset:
    """A model that is nothing but the colour of a picture in a file beside it."""
    folder.mkdir(exist_ok=True)
    pixels = np.full((8, 8, 3), colour, dtype=np.uint8)
    (folder / "paint.png").write_bytes(imagecodecs.png_encode(pixels))
    (folder / "sheet.mtl").write_text("newmtl paint\nmap_Kd paint.png\n")
    (folder / f"{name}.obj").write_text(f"# {colour}\n{SHEET}")
    return asset_of(folder / f"{name}.obj")


def write_packed(folder: Path, colour: tuple[int, int, int]) -> Asset:
    """The same, with the picture in the file itself."""
    write_sheet(folder, colour)
    path = folder / "sheet.blend"
    with blend_file(path) as scene:
        image = bpy.data.images.load(str(folder / "paint.png"))
        image.pack()
        paint = a_material()
        texture = paint.node_tree.nodes.new("ShaderNodeTexImage")
        texture.image = image
        shader = paint.node_tree.nodes["Principled BSDF"]
        paint.node_tree.links.new(texture.outputs["Color"], shader.inputs["Base Color"])
        add_box(scene, material=paint)
    return asset_of(path)


def colour_of(blender: BlenderSession, model: Asset, sky: Asset) -> int:
    """Which of red, green and blue a model shows most of."""
    seen = picture(blender, model, sky, some_view(pitch=80.0, distance=1.0), samples=1)
    return int(seen[24:40, 24:40].mean(axis=(0, 1)).argmax())


@pytest.fixture
def sessions_made(monkeypatch):
    """Counts how often Cycles makes everything anew."""
    made = []
    cycles = importlib.import_module("_cycles")
    create = cycles.create
    monkeypatch.setattr(cycles, "create", lambda *args: (made.append(1), create(*args))[1])
    return made


def test_a_new_model_costs_cycles_nothing_but_the_model(blender, sky, tmp_path, sessions_made):
    models = [write_sheet(tmp_path / str(place), RED) for place in range(4)]
    colour_of(blender, models[0], sky)
    sessions_made.clear()

    for model in models[1:]:
        colour_of(blender, model, sky)

    assert not sessions_made


@pytest.mark.parametrize("write", [write_sheet, write_packed], ids=["beside", "packed"])
def test_each_model_shows_its_own_pictures(blender, sky, tmp_path, write):
    """Data-blocks of a new model often have the places in memory of those that went."""
    models = [
        write(tmp_path / f"{place}", colour)
        for place, colour in enumerate([RED, GREEN, BLUE, GREEN, RED, BLUE])
    ]

    assert [colour_of(blender, model, sky) for model in models] == [0, 1, 2, 1, 0, 2]


def test_a_picture_that_was_painted_over_is_shown_as_it_is_now(blender, sky, tmp_path):
    """A warm worker meets the same path again, in the next job."""
    seen = [
        colour_of(blender, write_sheet(tmp_path / "model", colour, name=f"sheet{place}"), sky)
        for place, colour in enumerate([RED, GREEN, BLUE])
    ]

    assert seen == [0, 1, 2]


def test_an_environment_that_was_painted_over_shines_as_it_is_now(blender, statue, tmp_path):
    def lit_by(colour) -> int:
        pixels = np.broadcast_to(np.array(colour, dtype=np.float32) / 255, (16, 32, 3))
        path = tmp_path / "sky.exr"
        write_exr(path, pixels)
        seen = picture(blender, statue, asset_of(path, "hdr"), some_view(), samples=1)
        return int(seen.mean(axis=(0, 1)).argmax())

    assert [lit_by(colour) for colour in (RED, GREEN, BLUE)] == [0, 1, 2]


def write_exr(path: Path, pixels: np.ndarray) -> None:
    import OpenEXR

    header = {"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage}
    with OpenEXR.File(header, {"RGB": np.ascontiguousarray(pixels)}) as file:
        file.write(str(path))


def test_pictures_of_models_that_are_gone_are_let_go_before_they_are_too_many(
    blender, sky, tmp_path, sessions_made, monkeypatch
):
    monkeypatch.setattr(leftovers, "MOST_BYTES", 3 * 8 * 8 * 4)
    models = [write_packed(tmp_path / str(place), RED) for place in range(6)]
    blender.free_model()
    blender.cycles.forget()
    sessions_made.clear()

    for model in models:
        colour_of(blender, model, sky)

    assert len(sessions_made) == 2  # for the first one, and after four
    assert sum(image.name.startswith("viewfarm left") for image in bpy.data.images) <= 4


def test_what_a_look_at_the_render_raises_is_raised(blender, statue):
    blender.load_model(statue, file_lights=False)

    def trip(_depsgraph):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        look(blender.scene, blender.cycles.render_nothing, trip)


def test_the_place_of_a_picture_that_is_gone_stays_taken(blender, tmp_path):
    """Cycles knows a packed picture by where in memory its data-block is."""
    blender.load_model(write_packed(tmp_path, RED), file_lights=False)
    places = {image.as_pointer() for image in bpy.data.images if image.packed_file is not None}
    blender.free_model()

    others = [bpy.data.images.new("another", 8, 8) for _ in range(50)]

    assert len(places) == 1
    assert places.isdisjoint(image.as_pointer() for image in others)
    bpy.data.batch_remove(others)
