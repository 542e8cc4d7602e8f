"""What materials say of their surfaces, against materials of which every number is known."""

from __future__ import annotations

import bpy
import numpy as np
import pytest

from farm.spec.camera import IDENTITY, PoseCamera
from farm.spec.passes import SURFACE_BITS, SURFACES
from tests.support.blender import tiles
from tests.support.blender.shots import some_render
from tests.support.blender.tiles import add, mix, shader
from worker.images.multilayer import read_once
from worker.labels.arrays import Geometry, label_array

ROOM = 1 / 255
RED, BLUE, WHITE = (0.8, 0.1, 0.05, 1.0), (0.1, 0.2, 0.7, 1.0), (1.0, 1.0, 1.0, 1.0)
ALL = sum(SURFACE_BITS.values())
SHINES = SURFACE_BITS["emission"] | SURFACE_BITS["opacity"] | SURFACE_BITS["normal_geometry"]
NO_ROUGHNESS, ONLY_ROUGH = ALL - SURFACE_BITS["roughness"], SHINES | SURFACE_BITS["roughness"]
MATT = {"roughness": 1.0}
METAL = {"metallic": 1.0}


def clear(tree):
    return shader(tree, "BsdfTransparent")


def matt(tree, colour=RED):
    return shader(tree, "BsdfDiffuse", Color=colour)


def principled(tree, **inputs):
    return shader(tree, "BsdfPrincipled", **{"Base_Color": RED, "Roughness": 0.3} | inputs)


def value(tree, number):
    node = tree.nodes.new("ShaderNodeValue")
    node.outputs[0].default_value = number
    return node.outputs[0]


def conductor(tree):
    output = shader(tree, "BsdfMetallic", Roughness=0.2)
    output.node.fresnel_type = "PHYSICAL_CONDUCTOR"
    output.node.inputs["IOR"].default_value = (0.2, 1.0, 1.5)
    output.node.inputs["Extinction"].default_value = (3.0, 2.0, 0.0)
    return output


def pigments(tree):
    output = shader(tree, "BsdfHairPrincipled", Roughness=0.4)
    output.node.parametrization = "MELANIN"
    return output


def shiny_toon(tree):
    output = shader(tree, "BsdfToon", Color=BLUE)
    output.node.component = "GLOSSY"
    return output


def unlit(tree):
    path = tree.nodes.new("ShaderNodeLightPath")
    light = shader(tree, "Emission", Color=BLUE)
    return mix(tree, path.outputs["Is Camera Ray"], clear(tree), light)


def cartoon(tree):
    """As EEVEE shades cartoons, by nodes that Cycles leaves out: it shows the own colour."""
    seen = tree.nodes.new("ShaderNodeShaderToRGB")
    tree.links.new(matt(tree, BLUE), seen.inputs[0])
    output = principled(tree)
    tree.links.new(seen.outputs[0], output.node.inputs["Base Color"])
    return output


def grouped(tree):
    """A group around what is handed in, half red and with a roughness that comes in."""
    import bpy

    group = bpy.data.node_groups.new("lacquer", "ShaderNodeTree")
    for name, kind in (("Surface", "Shader"), ("Rough", "Float"), ("Share", "Float")):
        group.interface.new_socket(name, in_out="INPUT", socket_type=f"NodeSocket{kind}")
    group.interface.new_socket("Shader", in_out="OUTPUT", socket_type="NodeSocketShader")
    start, end = group.nodes.new("NodeGroupInput"), group.nodes.new("NodeGroupOutput")
    own = shader(group, "BsdfPrincipled", Base_Color=RED, Roughness=start.outputs["Rough"])
    both = mix(group, start.outputs["Share"], start.outputs["Surface"], own)
    group.links.new(both, end.inputs["Shader"])
    node = tree.nodes.new("ShaderNodeGroup")
    node.node_tree = group
    node.inputs["Rough"].default_value = 0.2
    tree.links.new(value(tree, 0.25), node.inputs["Share"])
    tree.links.new(shader(tree, "BsdfAnisotropic", Color=BLUE, Roughness=0.6), node.inputs[0])
    return node.outputs[0]


def colour_of(share, one=RED, other=BLUE):
    return tuple(a + (b - a) * share for a, b in zip(one[:3], other[:3], strict=True))


F0 = tuple(((n - 1) ** 2 + k**2) / ((n + 1) ** 2 + k**2) for n, k in ((0.2, 3), (1, 2), (1.5, 0)))
RED3, BLUE3, ZERO = RED[:3], BLUE[:3], (0.0, 0.0, 0.0)

KINDS = {
    "principled": (principled, {"base_color": RED3, "roughness": 0.3}),
    "metal": (lambda t: principled(t, Metallic=0.9), {"base_color": RED3, "roughness": 0.3,
                                                      "metallic": 0.9}),
    "glass": (lambda t: principled(t, Transmission_Weight=1.0),
              {"base_color": RED3, "roughness": 0.3, "transmission": 1.0}),
    "coat": (lambda t: principled(t, Coat_Weight=1.0, Coat_Roughness=0.7, Sheen_Weight=1.0),
             {"base_color": RED3, "roughness": 0.3}),
    "glows": (lambda t: principled(t, Emission_Color=BLUE, Emission_Strength=3.0),
              {"base_color": RED3, "roughness": 0.3, "emission": tuple(3 * c for c in BLUE3)}),
    "pane": (lambda t: principled(t, Alpha=0.7, Emission_Color=BLUE, Emission_Strength=1.0),
             {"base_color": RED3, "roughness": 0.3, "emission": BLUE3, "opacity": 0.7}),
    "diffuse": (matt, {"base_color": RED3} | MATT),
    "translucent": (lambda t: shader(t, "BsdfTranslucent", Color=BLUE),
                    {"base_color": BLUE3} | MATT),
    "subsurface": (lambda t: shader(t, "SubsurfaceScattering", Color=BLUE, Roughness=0.8),
                   {"base_color": BLUE3, "roughness": 0.8}),
    "sheen": (lambda t: shader(t, "BsdfSheen", Color=BLUE, Roughness=0.6),
              {"base_color": BLUE3, "roughness": 0.6}),
    "glossy": (lambda t: shader(t, "BsdfAnisotropic", Color=BLUE, Roughness=0.1),
               {"base_color": BLUE3, "roughness": 0.1} | METAL),
    "metallic": (lambda t: shader(t, "BsdfMetallic", Base_Color=BLUE, Roughness=0.2),
                 {"base_color": BLUE3, "roughness": 0.2} | METAL),
    "conductor": (conductor, {"base_color": F0, "roughness": 0.2} | METAL),
    "glass-bsdf": (lambda t: shader(t, "BsdfGlass", Color=BLUE, Roughness=0.4),
                   {"base_color": BLUE3, "roughness": 0.4, "transmission": 1.0}),
    "refraction": (lambda t: shader(t, "BsdfRefraction", Color=BLUE, Roughness=0.4),
                   {"base_color": BLUE3, "roughness": 0.4, "transmission": 1.0}),
    "toon": (lambda t: shader(t, "BsdfToon", Color=BLUE),
             {"base_color": BLUE3, "surface_valid": NO_ROUGHNESS}),
    "shiny-toon": (shiny_toon, {"base_color": BLUE3, "surface_valid": NO_ROUGHNESS} | METAL),
    "hair": (lambda t: shader(t, "BsdfHair", Color=BLUE, RoughnessU=0.3, RoughnessV=0.9),
             {"base_color": BLUE3, "roughness": 0.3}),
    "hair-colour": (lambda t: shader(t, "BsdfHairPrincipled", Color=BLUE, Roughness=0.4),
                    {"base_color": BLUE3, "roughness": 0.4}),
    "hair-pigments": (pigments, {"roughness": 0.4, "surface_valid": ONLY_ROUGH}),
    "emission": (lambda t: shader(t, "Emission", Color=BLUE, Strength=2.0),
                 {"emission": tuple(2 * c for c in BLUE3), "surface_valid": SHINES}),
    "background": (lambda t: shader(t, "Background", Color=BLUE, Strength=2.0),
                   {"emission": tuple(2 * c for c in BLUE3), "surface_valid": SHINES}),
    "colour-for-light": (lambda t: shader(t, "RGB"), {"emission": (0.5, 0.5, 0.5),
                                                      "surface_valid": SHINES}),
    "bare": (None, {"base_color": (0.8, 0.8, 0.8)} | MATT),
    "unlit": (unlit, {"base_color": BLUE3, "emission": BLUE3, "surface_valid": NO_ROUGHNESS}),
    "mix": (lambda t: mix(t, 0.25, principled(t), principled(t, Base_Color=BLUE, Roughness=0.7)),
            {"base_color": colour_of(0.25), "roughness": 0.4}),
    "sum": (lambda t: add(t, matt(t), shader(t, "BsdfAnisotropic", Color=BLUE, Roughness=0.2)),
            {"base_color": colour_of(0.5), "roughness": 0.6, "metallic": 0.5}),
    "mix-with-clear": (lambda t: mix(t, 0.6, clear(t), principled(t)),
                       {"base_color": RED3, "roughness": 0.3, "opacity": 0.6}),
    "mix-with-light": (lambda t: mix(t, 0.25, principled(t), shader(t, "Emission", Color=BLUE)),
                       {"base_color": tuple(0.75 * c for c in RED3), "roughness": 0.3,
                        "emission": tuple(0.25 * c for c in BLUE3)}),
    "sum-with-light": (lambda t: add(t, principled(t), shader(t, "Emission", Color=BLUE)),
                       {"base_color": RED3, "roughness": 0.3, "emission": BLUE3}),
    "mix-with-toon": (lambda t: mix(t, 0.5, principled(t), shader(t, "BsdfToon", Color=BLUE)),
                      {"base_color": colour_of(0.5), "roughness": 0.3}),
    "group": (grouped, {"base_color": colour_of(0.25, BLUE, RED), "roughness": 0.5,
                        "metallic": 0.75}),
    "socket": (lambda t: principled(t, Roughness=value(t, 0.65), Metallic=value(t, 2.0)),
               {"base_color": RED3, "roughness": 0.65, "metallic": 1.0}),
    "film": (lambda t: shader(t, "BsdfTransparent", Color=(0.9, 0.1, 0.2, 1.0)),
             {"opacity": 0.6, "surface_valid": SHINES}),
    "cartoon": (cartoon, {"base_color": RED3, "roughness": 0.3}),
    "mix-with-what-only-eevee-shows": (
        lambda t: mix(t, 0.5, principled(t), shader(t, "EeveeSpecular", Base_Color=BLUE)),
        {"base_color": RED3, "roughness": 0.3}),
}  # fmt: skip
UNSEEN = {
    "nothing": lambda _: None,
    "portal": lambda t: shader(t, "BsdfRayPortal"),
    "of-eevee": lambda t: shader(t, "EeveeSpecular", Base_Color=RED),
    "fog": lambda t: shader(t, "VolumeScatter"),
    "clear": clear,
    "thin": lambda t: principled(t, Alpha=0.3),
    "thin-mix": lambda t: mix(t, 0.3, clear(t), principled(t)),
    "held-out": lambda t: shader(t, "Holdout"),
}
"""Where labels see what is behind, or nothing."""
PLAIN = {
    "base_color": ZERO, "roughness": 0.0, "metallic": 0.0, "emission": ZERO, "transmission": 0.0,
    "opacity": 1.0, "surface_valid": ALL,
}  # fmt: skip
PASSES = ("rgb", "mask", "index", "material", "normal", "uv", *SURFACES)


@pytest.fixture(scope="module")
def shown(labelled, model_of, sky):
    """All kinds, side by side, seen from above."""
    model = model_of(
        lambda scene: tiles.fill(scene, {name: kind[0] for name, kind in KINDS.items()})
    )
    return labelled(model, sky, tiles.FROM_ABOVE, passes=PASSES, resolution_px=(160, 160))


def within(shown, name):
    """Return where a tile is (H, W)."""
    [number] = [label.index for label in shown.record.indices if label.name == name]
    there = shown["index"] == number
    assert there.sum() > 50
    return there


@pytest.mark.parametrize("name", KINDS)
def test_a_shader_says_what_its_inputs_say(shown, name):
    there = within(shown, name)
    expected = PLAIN | KINDS[name][1]
    for each, numbers in expected.items():
        found = shown[each][there].astype(float)
        assert np.abs(found - numbers).max() <= ROOM, (each, found.mean(axis=0), numbers)


def test_what_is_no_surface_says_nothing(shown):
    nothing = shown["index"] == 0
    assert nothing.any()
    for name in SURFACES:
        assert not shown[name][nothing].any()


def test_normals_of_flat_faces_are_those_of_the_faces(shown):
    """Of hair's BSDFs on a face, Cycles' own normal is another one."""
    there = shown["index"] > 0
    for name in (each for each in KINDS if each.startswith("hair")):
        there &= ~within(shown, name)
    np.testing.assert_allclose(shown["normal_geometry"][there], shown["normal"][there], atol=1e-6)


@pytest.fixture(scope="module")
def behind(labelled, model_of, sky):
    """Sheets that labels look through, before one that is all of one colour."""

    def fill(scene):
        tiles.fill(scene, UNSEEN)
        floor = tiles.material(lambda t: principled(t, Base_Color=BLUE, Roughness=0.9), "floor")
        tiles.add_floor(scene, "floor", floor)

    return labelled(model_of(fill), sky, tiles.FROM_ABOVE, passes=PASSES, resolution_px=(160, 160))


def test_values_behind_what_is_looked_through_do_not_add_up(behind):
    there = within(behind, "floor")
    expected = PLAIN | {"base_color": BLUE3, "roughness": 0.9}
    for each, numbers in expected.items():
        found = behind[each][there].astype(float)
        assert np.abs(found - numbers).max() <= ROOM, (each, found.max(axis=0), numbers)


def picture_of(tree, rows, *, is_data):
    """Add a texture of four pixels that are not mixed, from the lowest row on."""
    image = bpy.data.images.new(
        "checker", 2, 2, alpha=True, float_buffer=not is_data, is_data=is_data
    )
    image.pixels.foreach_set(np.array(rows, np.float32).ravel())
    image.pack()
    node = tree.nodes.new("ShaderNodeTexImage")
    node.image, node.interpolation = image, "Closest"
    return node


CHECKER = (RED, BLUE, WHITE, (0.2, 0.5, 0.3, 1.0))
HOLES = ((0.1, 0.2, 0.3, 1.0), (0.4, 0.5, 0.6, 0.2), (0.7, 0.8, 0.9, 0.8), (0.1, 0.1, 0.1, 0.0))


def painted(tree):
    """A Principled BSDF of a coloured texture, with roughness and metal as glTF packs them."""
    packed = picture_of(tree, CHECKER, is_data=True)
    parts = tree.nodes.new("ShaderNodeSeparateColor")
    tree.links.new(packed.outputs["Color"], parts.inputs[0])
    colour = picture_of(tree, CHECKER, is_data=False)
    return principled(
        tree, Base_Color=colour.outputs["Color"], Roughness=parts.outputs["Green"],
        Metallic=parts.outputs["Blue"],
    )  # fmt: skip


def holed(tree):
    """A leaf: a texture with alpha, of which labels see half."""
    texture = picture_of(tree, HOLES, is_data=True)
    return principled(tree, Base_Color=texture.outputs["Color"], Alpha=texture.outputs["Alpha"])


def coloured_by_points(tree):
    node = tree.nodes.new("ShaderNodeVertexColor")
    node.layer_name = "shade"
    return principled(tree, Base_Color=node.outputs["Color"])


def bumpy(tree, *, displaced=False):
    """Waves: as a bump map, or by the displacement of the material."""
    waves = tree.nodes.new("ShaderNodeTexWave")
    if not displaced:
        node = tree.nodes.new("ShaderNodeBump")
        tree.links.new(waves.outputs["Color"], node.inputs["Height"])
        return principled(tree, Normal=node.outputs[0])
    node = tree.nodes.new("ShaderNodeDisplacement")
    tree.links.new(waves.outputs["Color"], node.inputs["Height"])
    end = next(each for each in tree.nodes if each.bl_idname == "ShaderNodeOutputMaterial")
    tree.links.new(node.outputs[0], end.inputs["Displacement"])
    return principled(tree)


TEXTURED = {
    "painted": painted,
    "holed": holed,
    "points": coloured_by_points,
    "bump": bumpy,
    "displaced": lambda tree: bumpy(tree, displaced=True),
}


@pytest.fixture(scope="module")
def textured(labelled, model_of, sky):
    """Tiles of which each quarter is another colour, above a floor."""

    def fill(scene):
        tiles.fill(scene, TEXTURED)
        mesh = scene.objects["points"].data
        shade = mesh.color_attributes.new("shade", "FLOAT_COLOR", "POINT")
        shade.data.foreach_set("color", [0.3, 0.6, 0.1, 1.0] * len(mesh.vertices))
        floor = tiles.material(lambda t: principled(t, Base_Color=BLUE, Roughness=0.9), "floor")
        tiles.add_floor(scene, "floor", floor)

    return labelled(model_of(fill), sky, tiles.FROM_ABOVE, passes=PASSES, resolution_px=(160, 160))


def quarters(shown, there):
    """Return which pixel of a texture (H, W) is seen, where that is sure; else -1."""
    u, v = np.moveaxis(shown["uv"], -1, 0)
    sure = there & (np.abs(u - 0.5) > 0.03) & (np.abs(v - 0.5) > 0.03)
    return np.where(sure, (v > 0.5) * 2 + (u > 0.5), -1)


def test_textures_are_read_at_the_centre_of_each_pixel(textured):
    which = quarters(textured, within(textured, "painted"))
    assert set(np.unique(which)) == {-1, 0, 1, 2, 3}
    for number, (red, green, blue, _) in enumerate(CHECKER):
        there = which == number
        assert np.abs(textured["base_color"][there] - (red, green, blue)).max() <= ROOM
        assert np.abs(textured["roughness"][there] - green).max() <= ROOM
        assert np.abs(textured["metallic"][there] - blue).max() <= ROOM


def test_a_leaf_has_its_colour_where_labels_see_it_and_else_what_is_behind(textured):
    which = quarters(textured, within(textured, "holed"))
    assert set(np.unique(which)) == {-1, 0, 2}
    for number in (0, 2):
        *colour, alpha = HOLES[number]
        assert np.abs(textured["base_color"][which == number] - colour).max() <= ROOM
        assert np.abs(textured["opacity"][which == number] - alpha).max() <= ROOM
    floor = within(textured, "floor")
    assert np.abs(textured["base_color"][floor] - BLUE3).max() <= ROOM
    assert np.abs(textured["opacity"][floor] - 1.0).max() <= ROOM


def test_colours_of_points_are_the_colour_of_a_surface(textured):
    found = textured["base_color"][within(textured, "points")]
    assert np.abs(found - (0.3, 0.6, 0.1)).max() <= ROOM


@pytest.mark.parametrize(("name", "bits"), [("bump", ALL), ("displaced", ALL - 64)])
def test_normals_of_the_geometry_know_nothing_of_bumps(textured, name, bits):
    there = within(textured, name)
    assert np.abs(textured["normal_geometry"][there] - (0, 0, 1)).max() < 1e-3
    assert np.abs(textured["normal"][there] - (0, 0, 1)).max() > 0.02
    assert set(np.unique(textured["surface_valid"][there])) == {bits}


def test_the_picture_is_the_same_with_and_without(labelled, model_of, sky, blender):
    """Nodes beside those of a material change nothing that light sees."""
    makes = {name: make for name, (make, _) in KINDS.items()}
    model = model_of(lambda scene: tiles.fill(scene, makes))
    plain = ("rgb", "mask", "index", "normal", "albedo")
    before = labelled(model, sky, tiles.FROM_ABOVE, passes=plain)
    among = labelled(model, sky, tiles.FROM_ABOVE, passes=(*plain, *SURFACES))
    after = labelled(model, sky, tiles.FROM_ABOVE, passes=plain)
    for name in plain:
        assert before.data(name) == among.data(name) == after.data(name), name


def test_numbers_that_move_are_those_of_the_frame(blender, model_of):
    """Of a scene that plays: numbers of a material, and of a group in it."""

    def fill(scene):
        made = tiles.material(principled, "moving")
        tiles.add_tile(scene, "moving", made, (-0.5, -0.5))
        [node] = [each for each in made.node_tree.nodes if each.bl_idname.endswith("Principled")]
        for frame, number in ((1, 0.2), (11, 0.8)):
            node.inputs["Roughness"].default_value = number
            node.inputs["Roughness"].keyframe_insert("default_value", frame=frame)

    opened = blender.open_scene(model_of(fill).model_copy(update={"kind": "scene"}))
    above = ((1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 1, 3), (0, 0, 0, 1))
    passes = ("roughness", "index")
    blender.configure(some_render(), passes)
    for frame, expected in ((1, 0.2), (11, 0.8), (1, 0.2)):
        opened.show_frame(frame)
        camera = blender.look_through(PoseCamera(world_from_camera=above))
        found = read_once(blender.render_labels())
        geometry = Geometry(camera, IDENTITY, 1.0)
        rough = label_array("roughness", found, geometry)
        assert abs(rough[32, 32] - expected) <= ROOM


def by_closure(tree):
    """A shader that a closure gives, which only Cycles follows."""
    start, end = tree.nodes.new("NodeClosureInput"), tree.nodes.new("NodeClosureOutput")
    start.pair_with_output(end)
    end.output_items.new("SHADER", "Shader")
    tree.links.new(principled(tree), end.inputs["Shader"])
    called = tree.nodes.new("NodeEvaluateClosure")
    called.output_items.new("SHADER", "Shader")
    tree.links.new(end.outputs[0], called.inputs[0])
    return called.outputs["Shader"]


def by_repeats(tree):
    """A shader that is mixed three times."""
    start, end = (
        tree.nodes.new("GeometryNodeRepeatInput"),
        tree.nodes.new("GeometryNodeRepeatOutput"),
    )
    start.pair_with_output(end)
    end.repeat_items.clear()
    end.repeat_items.new("SHADER", "Shader")
    start.inputs["Iterations"].default_value = 3
    tree.links.new(principled(tree), start.inputs["Shader"])
    mixed = mix(tree, 0.5, start.outputs["Shader"], principled(tree, Base_Color=BLUE))
    tree.links.new(mixed, end.inputs["Shader"])
    return end.outputs["Shader"]


@pytest.mark.parametrize("asked", [PASSES, ("rgb", "mask", "index")], ids=["asked", "not asked"])
def test_what_cannot_tell_is_named(labelled, model_of, sky, asked):
    makes = {"closure": by_closure, "repeats": by_repeats, "plain": principled}
    model = model_of(lambda scene: tiles.fill(scene, makes))
    shown = labelled(model, sky, tiles.FROM_ABOVE, passes=asked)
    notes = {name: words for name, words in shown.record.notes.items() if "material" in name}
    if "surface_valid" not in asked:
        assert notes == {}
        return
    assert set(notes) == {"material closure", "material repeats"}
    assert all("surface_valid is 0" in words for told in notes.values() for words in told)
    for name, bits in (("closure", 0), ("repeats", 0), ("plain", ALL)):
        assert set(np.unique(shown["surface_valid"][within(shown, name)])) == {bits}
