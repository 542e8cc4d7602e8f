"""USD: surfaces are as the file says, and what it hides is not seen."""

from __future__ import annotations

import textwrap
from pathlib import Path

import bpy
import numpy as np
import pytest
from PIL import Image
from pxr import Sdf, UsdUtils

from farm.errors import AssetError
from tests.support.blender.scenes import asset_of
from tests.support.blender.shots import shoot, some_view
from worker.blender.formats import subdivision

HEAD = '#usda 1.0\n(\n    upAxis = "Z"\n    metersPerUnit = 1\n)\n'
CUBE = """\
int[] faceVertexCounts = [4, 4, 4, 4, 4, 4]
int[] faceVertexIndices = [0,1,3,2, 4,6,7,5, 0,4,5,1, 2,3,7,6, 0,2,6,4, 1,5,7,3]
point3f[] points = [(-1,-1,-1),(-1,-1,1),(-1,1,-1),(-1,1,1),(1,-1,-1),(1,-1,1),(1,1,-1),(1,1,1)]
"""
STRIP = """\
int[] faceVertexCounts = [4, 4, 4]
int[] faceVertexIndices = [0,1,3,2, 2,3,5,4, 4,5,7,6]
point3f[] points = [(0,0,0),(0,1,0),(1,0,0),(1,1,0),(2,0,0),(2,1,0),(3,0,1),(3,1,1)]
"""
ROUND = 0.8395
"""Half of what is left of a cube of size 2: the limit of Catmull-Clark at the middle of a face."""
SMOOTH = 'uniform token subdivisionScheme = "catmullClark"\n'


def prim(kind: str, name: str, *parts: str, about: str = "") -> str:
    """A part of a stage, with its properties and the parts below it."""
    body = textwrap.indent("".join(parts), "    ")
    return f'def {kind} "{name}"{f" ({about})" if about else ""}\n{{\n{body}}}\n'


ORDER = 'uniform token[] xformOpOrder = ["xformOp:translate"]\n'


def moved(y: float) -> str:
    """Properties of a part that stands elsewhere."""
    return f"double3 xformOp:translate = (0, {y}, 0)\n{ORDER}"


@pytest.fixture
def load(blender, tmp_path):
    """Write a stage of these parts and load it."""

    def run(*parts: str, name: str = "thing.usda"):
        path = tmp_path / name
        source = path.with_suffix(".usda")
        source.write_text(HEAD + "".join(parts))
        if path.suffix == ".usdc":
            Sdf.Layer.FindOrOpen(str(source)).Export(str(path))
        if path.suffix == ".usdz":
            assert UsdUtils.CreateNewUsdzPackage(Sdf.AssetPath(str(source)), str(path))
        return blender.load_model(asset_of(path), file_lights=False)

    return run


def sides(model) -> list[float]:
    return [round(float(side), 2) for side in model.bounds.high - model.bounds.low]


@pytest.mark.parametrize("suffix", [".usda", ".usdc", ".usdz"])
def test_a_mesh_is_subdivided_if_it_says_so(load, suffix):
    model = load(prim("Mesh", "ball", SMOOTH, CUBE), name=f"thing{suffix}")

    assert sides(model) == [pytest.approx(2 * ROUND, abs=0.01)] * 3
    assert (model.objects, model.unread) == (("ball",), ())


@pytest.mark.parametrize("scheme", ["", "none", "bilinear"])
def test_a_mesh_that_says_nothing_or_no_stays_as_it_is(load, scheme):
    told = f'uniform token subdivisionScheme = "{scheme}"\n' if scheme else ""

    assert sides(load(prim("Mesh", "box", told, CUBE))) == [2, 2, 2]


def test_each_mesh_of_a_file_goes_its_own_way(load):
    model = load(prim("Mesh", "ball", SMOOTH, CUBE), prim("Mesh", "box", CUBE, moved(5)))

    assert sides(model) == [2, pytest.approx(6 + ROUND, abs=0.01), 2]


def test_a_way_that_blender_lacks_is_told(load):
    loop = 'uniform token subdivisionScheme = "loop"\n'

    assert load(prim("Mesh", "box", loop, CUBE)).unread == ("USD subdivision scheme loop",)


def test_what_would_be_too_many_faces_stays_as_it_is_and_is_told(load, monkeypatch):
    monkeypatch.setattr(subdivision, "MOST_FACES", 23)
    monkeypatch.setattr(subdivision, "FINE_FACES", 23)

    model = load(prim("Mesh", "box", SMOOTH, CUBE))

    assert (sides(model), model.unread) == ([2, 2, 2], ("subdivision of 6 faces",))


@pytest.mark.parametrize("scheme", ["", 'uniform token subdivisionScheme = "none"\n'])
def test_holes_are_not_there(load, scheme):
    assert sides(load(prim("Mesh", "strip", scheme, STRIP, "int[] holeIndices = [2]\n"))) == [
        2, 1, 0,
    ]  # fmt: skip


def test_a_hole_still_bends_the_surface_around_it(load):
    model = load(prim("Mesh", "strip", SMOOTH, STRIP, "int[] holeIndices = [2]\n"))

    assert sides(model)[2] == pytest.approx(1 / 6, abs=0.01)


def test_a_hole_is_seen_through(blender, load, sky, tmp_path):
    def alpha(*holes: int) -> np.ndarray:
        told = f"int[] holeIndices = {list(holes)}\n" if holes else ""
        load(prim("Mesh", "box", CUBE, told), name=f"box{len(holes)}.usda")
        model = asset_of(tmp_path / f"box{len(holes)}.usda")
        return shoot(blender, model, sky, some_view(yaw=0.0, pitch=0.0))[0].alpha

    whole, hollow = alpha(), alpha(2, 3)  # the sides that face the camera and away from it

    assert whole[32, 32] == 1.0
    assert hollow[32, 32] == 0.0


def test_what_is_shown_many_times_is_subdivided_and_has_holes(load, tmp_path):
    source = prim("Mesh", "strip", SMOOTH, STRIP, "int[] holeIndices = [2]\n")
    about = '\n    defaultPrim = "top"\n    upAxis = "Z"\n    metersPerUnit = 1\n'
    text = f"#usda 1.0\n({about})\n" + prim("Xform", "top", source)
    (tmp_path / "source.usda").write_text(text)
    about = "\n    instanceable = true\n    references = @./source.usda@\n"

    model = load(*(prim("Xform", f"copy{y}", moved(y), about=about) for y in (0, 5)))

    assert sides(model) == [2, 6, pytest.approx(1 / 6, abs=0.01)]


HIDDEN = 'token visibility = "invisible"\n'
LATER = 'token visibility.timeSamples = {\n    1: "invisible",\n    9: "inherited",\n}\n'
BEFORE = 'token visibility.timeSamples = {\n    1: "inherited",\n    9: "invisible",\n}\n'


def purpose(name: str) -> str:
    return f'uniform token purpose = "{name}"\n'


@pytest.mark.parametrize("scheme", ["", SMOOTH], ids=["as it is", "as a copy"])
def test_what_a_file_hides_is_neither_rendered_nor_labelled(load, scheme):
    box = scheme + CUBE
    model = load(
        prim("Mesh", "seen", box),
        prim("Mesh", "hidden", HIDDEN, box),
        prim("Xform", "above", HIDDEN, prim("Mesh", "below", box)),
        prim("Xform", "guides", purpose("guide"), prim("Mesh", "guide", box)),
        prim("Mesh", "proxy", purpose("proxy"), box),
        prim("Mesh", "render", purpose("render"), box),
        prim("Mesh", "inactive", box, about="active = false"),
        "class " + prim("Mesh", "kind", box).removeprefix("def "),
    )

    assert sorted(model.objects) == ["render", "seen"]


def test_a_variant_that_is_not_chosen_is_not_seen(load):
    one, two = (prim("Mesh", name, CUBE) for name in ("one", "two"))
    sets = f'variantSet "v" = {{\n"one" {{\n{one}}}\n"two" {{\n{two}}}\n}}\n'
    about = '\n    variants = {\n        string v = "two"\n    }\n    prepend variantSets = "v"\n'

    assert load(prim("Xform", "thing", sets, about=about)).objects == ("two",)


def test_of_what_is_hidden_now_and_then_the_moment_that_is_shown_counts(load):
    always = HIDDEN + BEFORE
    model = load(
        prim("Mesh", "seen", CUBE),
        prim("Mesh", "later", LATER, CUBE),
        prim("Xform", "above", LATER, prim("Mesh", "below", CUBE)),
        prim("Mesh", "before", BEFORE, CUBE),
        prim("Mesh", "by_time", always, CUBE),
    )

    assert sorted(model.objects) == ["before", "by_time", "seen"]


def test_a_layer_that_is_not_there_is_told(load):
    gone = (
        prim("Xform", "a", about="references = @./parts/gone.usd@"),
        prim("Xform", "b", about="payload = @./lost.usdc@"),
    )

    model = load(prim("Mesh", "box", CUBE), *gone)

    assert model.objects == ("box",)
    assert model.unread == ("USD layer gone.usd", "USD layer lost.usdc")


def test_a_text_that_is_wrong_is_refused_with_its_line(load):
    lines = HEAD.count("\n")

    with pytest.raises(AssetError) as told:
        load('def Xform "a"\n{\n    float b = 1 float c = 2\n}\n')

    assert f"it is wrong at line {lines + 3}: Expected " in str(told.value)
    assert str(told.value).endswith("float c = 2'")


TEXTURED = """\
def Material "paint"
{
    token outputs:surface.connect = </paint/shader.outputs:surface>
    def Shader "shader"
    {
        uniform token info:id = "UsdPreviewSurface"
        color3f inputs:diffuseColor = (0, 0, 0)
        color3f inputs:emissiveColor.connect = </paint/picture.outputs:rgb>
        token outputs:surface
    }
    def Shader "picture"
    {
        uniform token info:id = "UsdUVTexture"
        asset inputs:file = @./red.png@
        float3 outputs:rgb
    }
}
"""
PAINTED = """\
rel material:binding = </paint>
texCoord2f[] primvars:st = [(0,0),(1,0),(1,1),(0,1),(0,0),(1,0),(1,1),(0,1)] (
    interpolation = "vertex"
)
"""


@pytest.mark.parametrize("suffix", [".usda", ".usdz"])
@pytest.mark.parametrize("scheme", ["", SMOOTH], ids=["as it is", "as a copy"])
def test_textures_are_found_from_the_copy_too(blender, load, sky, tmp_path, suffix, scheme):
    Image.new("RGB", (4, 4), (255, 0, 0)).save(tmp_path / "red.png")
    about = 'prepend apiSchemas = ["MaterialBindingAPI"]'
    model = load(
        prim("Mesh", "box", scheme, CUBE, PAINTED, about=about), TEXTURED, name=f"thing{suffix}"
    )

    passes, _ = shoot(blender, asset_of(tmp_path / f"thing{suffix}"), sky, some_view())

    assert model.missing_textures == ()
    colour = passes.layers["Combined"][passes.alpha > 0.99][:, :3].mean(axis=0)
    assert colour[0] > 0.9
    assert colour[1:].max() < 0.2


@pytest.mark.parametrize("whose", ["mine", "a farm's"])
def test_what_moves_is_where_it_is_at_the_moment_that_is_shown(blender, load, tmp_path, whose):
    ends = "(0, 0, 0)", "(0, 9, 0)"
    moves = (
        f"double3 xformOp:translate.timeSamples = {{\n    1: {ends[0]},\n    9: {ends[1]},\n}}\n"
    )
    points = STRIP.splitlines()[2].partition(" = ")[2]
    larger = points.replace("1", "2")
    bends = f"point3f[] points.timeSamples = {{\n    1: {points},\n    9: {larger},\n}}\n"
    strip = "\n".join(STRIP.splitlines()[:2]) + "\n" + bends
    mesh = prim("Mesh", "strip", SMOOTH, moves, ORDER, strip, "int[] holeIndices = [2]\n")
    model = load(mesh, prim("Mesh", "box", CUBE))
    if whose != "mine":
        blender.free_model()
        model = as_of_a_farm(blender, tmp_path)

    assert sides(model) == [3, 2, 2]
    assert round(float(model.bounds.high[0]), 2) == 2


def as_of_a_farm(blender, folder: Path):
    asset = asset_of(folder / "thing.usda")
    home = folder / asset.content
    home.mkdir()
    path = Path(asset.path).rename(home / asset.name)
    own = asset.model_copy(update={"path": str(path), "in_library": True})
    return blender.load_model(own, file_lights=False)


def test_nothing_of_a_copy_stays(blender, load):
    blender.free_model()
    before = set(blender._scratch.folder.iterdir())
    load(prim("Mesh", "ball", SMOOTH, CUBE, "int[] holeIndices = [2]\n"))

    blender.free_model()

    assert set(blender._scratch.folder.iterdir()) == before
    assert not [tree for tree in bpy.data.node_groups if tree.name.startswith("viewfarm")]
