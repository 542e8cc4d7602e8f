"""OBJ: the materials that it names are those that are seen, wherever and however it names them."""

from __future__ import annotations

import os

import bpy
import pytest
from PIL import Image

from tests.support.blender.scenes import asset_of

BOX = "".join(f"v {x} {y} {z}\n" for x in (0, 1) for y in (0, 1) for z in (0, 1))
BOX += "vt 0 0\nvt 1 0\nvt 1 1\nvt 0 1\n"
SIDES = ((1, 2, 4, 3), (5, 7, 8, 6), (1, 5, 6, 2), (3, 4, 8, 7), (1, 3, 7, 5), (2, 6, 8, 4))
FACES = ["f " + " ".join(f"{at}/{corner}" for corner, at in enumerate(side, 1)) for side in SIDES]
RED, GREEN = "newmtl red\nKd 1 0 0\n", "newmtl green\nKd 0 1 0\n"


@pytest.fixture
def load(blender, tmp_path):
    """Write a box whose sides use materials in turn, with files beside, and load it."""

    def run(head, *used, **files):
        for name, text in files.items():
            path = tmp_path / name.replace("__", "/")
            path.parent.mkdir(exist_ok=True)
            path.with_suffix(".mtl").write_text(text)
        faces = [f"usemtl {used[at % len(used)]}\n{face}\n" for at, face in enumerate(FACES)]
        (tmp_path / "box.obj").write_text(head + BOX + "".join(faces))
        blender.free_model()  # the box is the same whatever its libraries say
        return blender.load_model(asset_of(tmp_path / "box.obj"), file_lights=False)

    return run


def paints() -> dict[str, tuple[float, ...]]:
    """Colour and alpha of each material that is there."""
    return {
        material.name: (*socket(material, "Base Color")[:3], round(socket(material, "Alpha"), 3))
        for material in bpy.data.materials
    }


def socket(material, name):
    shader = next(each for each in material.node_tree.nodes if each.type == "BSDF_PRINCIPLED")
    return shader.inputs[name].default_value


def textures() -> set[str]:
    return {image.filepath for image in bpy.data.images if image.filepath.endswith(".png")}


BOTH = {"red": (1, 0, 0, 1), "green": (0, 1, 0, 1)}


@pytest.mark.parametrize(
    ("head", "files"),
    [
        pytest.param("mtllib a.mtl b.mtl\n", {"a": RED, "b": GREEN}, id="two on a line"),
        pytest.param("mtllib a.mtl\nmtllib b.mtl\n", {"a": RED, "b": GREEN}, id="two lines"),
        pytest.param("mtllib a.mtl\\\n b.mtl\n", {"a": RED, "b": GREEN}, id="a line in two"),
        pytest.param("mtllib my a.mtl b.mtl\n", {"my a": RED, "b": GREEN}, id="a space in one"),
        pytest.param("mtllib my paints.mtl\n", {"my paints": RED + GREEN}, id="a space"),
        pytest.param('mtllib "my paints.mtl"\n', {"my paints": RED + GREEN}, id="quotes"),
        pytest.param("mtllib in\\a.mtl\n", {"in__a": RED + GREEN}, id="Windows' slashes"),
        pytest.param("mtllib A.MTL\n", {"a": RED + GREEN}, id="Windows' case"),
        pytest.param("mtllib a.mtl gone.mtl\n", {"a": RED + GREEN}, id="one is not needed"),
        pytest.param("mtllib gone.mtl\n", {"box": RED + GREEN}, id="the one of its name"),
        pytest.param("", {"box": RED + GREEN}, id="none named"),
    ],
)
def test_every_library_is_read(load, head, files):
    model = load(head, "red", "green", **files)

    assert paints() == BOTH
    assert sorted(model.materials) == ["green", "red"]
    assert model.unread == ()
    assert model.objects == ("box",)


def test_of_two_materials_of_one_name_the_first_counts(load):
    load("mtllib a.mtl b.mtl\n", "red", a=RED, b="newmtl red\nKd 0 0 1\nd 0.5\n")

    assert paints() == {"red": (1, 0, 0, 1)}


@pytest.mark.parametrize(
    ("lines", "alpha"),
    [
        ("d 0.3", 0.3),
        ("Tr 0.7", 0.3),
        ("\tTr 0.7", 0.3),
        ("Tr 0.7\nillum 4", 0.3),
        ("Tr 0", 1.0),
        ("Tr 1\nd 1", 1.0),
        ("d 0.25\nTr 0.7", 0.25),
        ("Tr nonsense", 1.0),
    ],
)
def test_transparency_is_read_either_way(load, lines, alpha):
    load("mtllib a.mtl\n", "red", a=RED + lines + "\n")

    assert paints() == {"red": (1, 0, 0, alpha)}


@pytest.mark.parametrize(
    "line",
    [
        "map_Kd my picture.png",
        'map_Kd "my picture.png"',
        "map_kd my picture.png",
        "map_Kd -s 2 2 2 -o 0.5 0 0 my picture.png",
        "map_Kd -blendu on -clamp on -mm 0 1 my picture.png",
        "map_Kd -colorspace sRGB my picture.png",
        "map_d my picture.png",
        "map_Kd C:\\theirs\\my picture.png",
    ],
)
@pytest.mark.parametrize("lines", ["", "Tr 0.5\n"], ids=["as it is", "mended"])
def test_textures_are_found_whatever_stands_before_them(load, tmp_path, line, lines):
    Image.new("RGB", (2, 2), (255, 0, 0)).save(tmp_path / "my picture.png")

    model = load("mtllib a.mtl\n", "red", a=f"{RED}{lines}{line}\n")

    assert textures() == {str(tmp_path / "my picture.png")}
    assert model.missing_textures == ()


def test_a_texture_with_windows_slashes_is_not_missing(load, tmp_path):
    (tmp_path / "in").mkdir()
    Image.new("RGB", (2, 2), (255, 0, 0)).save(tmp_path / "in/red.png")

    assert load("mtllib a.mtl\n", "red", a=f"{RED}map_Kd in\\red.png\n").missing_textures == ()
    assert load("mtllib a.mtl\n", "red", a=f"{RED}map_Kd in\\no.png\n").missing_textures == (
        "no.png",
    )


@pytest.mark.parametrize(
    ("head", "files", "unread"),
    [
        ("mtllib gone.mtl\n", {}, ("material library gone.mtl",)),
        ("mtllib a.mtl my gone.mtl\n", {"a": RED}, ("material library my gone.mtl",)),
        ("mtllib a.mtl\n", {"a": RED}, ("material green",)),
        ("", {}, ("material green", "material red")),
    ],
)
def test_materials_that_are_nowhere_are_told(load, head, files, unread):
    assert load(head, "red", "green", **files).unread == unread


def test_faces_without_a_material_lack_none(load):
    assert load("", "(null)", "None").unread == ()


def test_a_model_of_a_farm_reads_no_library_but_its_own(blender, tmp_path):
    (tmp_path / "theirs.mtl").write_text(RED)
    text = f"mtllib ../theirs.mtl\n{BOX}usemtl red\n" + "\n".join(FACES)
    asset = asset_of(write(tmp_path / "box.obj", text))
    home = tmp_path / asset.content
    path = write(home / "box.obj", text)
    own = asset.model_copy(update={"path": str(path), "in_library": True})

    assert blender.load_model(asset, file_lights=False).unread == ("material library theirs.mtl",)
    model = blender.load_model(own, file_lights=False)

    assert model.unread == ("material library theirs.mtl",)
    assert paints()["red"] != (1, 0, 0, 1)


@pytest.mark.parametrize("name", ["pipe.mtl", "box.mtl"])
def test_nobody_waits_for_a_library_that_is_a_pipe(load, tmp_path, name):
    os.mkfifo(tmp_path / name)

    assert load("mtllib pipe.mtl\n", "red").unread == ("material library pipe.mtl",)


def write(path, text):
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    return path


def test_nothing_of_it_stays_in_the_scratch(blender, load):
    load("mtllib a.mtl b.mtl\n", "red", "green", a=RED, b=GREEN)

    assert list(blender._scratch.folder.glob("obj-*")) == []
