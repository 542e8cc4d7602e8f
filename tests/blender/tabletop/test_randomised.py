"""What `randomise` changes in pictures of a tabletop, what it leaves, and that it is put back."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

import bpy  # brings along the others  # isort: skip

from farm.errors import AssetError
from farm.projection import as_matrix
from farm.spec.camera import PerspectiveLens
from farm.spec.kelvin import colour_of
from farm.spec.randomise import Drawn, Lamp, Paint, TablePaint
from farm.spec.recipes.tabletop import Prop, Settled, Surface
from farm.spec.view import Light
from farm.storage import FolderStorage
from tests.support.blender.scenes import a_material, add_box, asset_of, blend_file, write_sky
from tests.support.blender.tabletops import (
    Standing,
    a_tabletop_task,
    a_view_of_it,
    camera_from,
    render_tabletop,
)
from tests.support.tabletop import ball, box, can, write_obj
from worker.blender.guards.disarm import all_ids
from worker.tabletop.settled import write_settled

ABOVE = camera_from((0.0, -0.001, 1.0), at=(0.0, 0.0, 0.0), lens=PerspectiveLens())
ASLANT = camera_from((0.0, -0.7, 0.6))
LAMP = Lamp(kind="area", at_m=(0.4, -0.3, 1.2), power_w=20.0, kelvin=6500.0, size_m=0.3)
GLOSS = 0.1
"""Share of light that a plain surface reflects before it takes on its colour."""
RED, GREEN, GREY = (0.6, 0.05, 0.05), (0.05, 0.5, 0.08), (0.4, 0.4, 0.4)


@pytest.fixture(scope="module")
def things(tmp_path_factory):
    folder = tmp_path_factory.mktemp("things")
    made = {
        "box": (box(0.16, 0.12, 0.12), RED),
        "can": (can(0.06, 0.14), GREEN),
        "ball": (ball(0.06), GREY),
    }
    return {name: write_obj(folder / f"{name}.obj", *each) for name, each in made.items()}


@pytest.fixture
def show(blender, things, tmp_path):
    """Renders a box, its twin and a can, as they are drawn; gives the views."""
    places = (("box", (-0.3, 0.0, 0.06)), ("box", (0.0, 0.0, 0.06)), ("can", (0.3, 0.0, 0.07)))
    usual = [Standing(things[name], at) for name, at in places]
    numbers = iter(range(100))

    def render(*drawn, camera=ASLANT, strength=1.0, rotation=0.0, more=(), standing=usual,
        **settings,
    ):  # fmt: skip
        views = [
            a_view_of_it(index, camera).model_copy(
                update={
                    "drawn": each,
                    "seed": 7,
                    "light": Light(strength=strength, rotation_deg=rotation),
                }
            )
            for index, each in enumerate(drawn)
        ]
        task = a_tabletop_task(
            tmp_path / "settled", standing, views,
            **{"passes": ("rgb", "mask", "index", "albedo", "depth"), **settings},
        )  # fmt: skip
        task = task.model_copy(update={"assets": (*task.assets, *more)})
        storage = FolderStorage(tmp_path / f"out{next(numbers)}")
        return render_tabletop(blender, task, storage)

    return render


def rgb(view):
    return view["rgb"].astype(int)


def albedo_of(view, thing):
    """What most of what is seen of a thing has in a pass: at its edge it is mixed."""
    index = view["index"]
    return np.median(view["albedo"][np.isin(index, view.record.objects[thing].indices)], axis=0)


# Light


def test_lamps_light_the_picture_and_leave_labels_as_they_are(show):
    plain, lit = show(None, Drawn(lamps=(LAMP,)))
    assert rgb(lit).mean() > rgb(plain).mean() + 5
    for name in ("mask", "index", "albedo", "depth"):
        assert np.array_equal(plain[name], lit[name]), name


@pytest.mark.parametrize("kind", ["area", "point", "spot"])
def test_no_camera_sees_a_lamp_itself(show, kind):
    """It hangs between camera and table, and hides nothing."""
    at = (0.0, -0.35, 0.33)
    lamp = Lamp(kind=kind, at_m=at, power_w=0.1, kelvin=6500.0, size_m=0.2, spot_deg=60.0)
    plain, lit = show(None, Drawn(lamps=(lamp,)))
    assert np.array_equal(plain["mask"], lit["mask"])
    assert np.array_equal(plain["index"], lit["index"])
    assert abs(rgb(lit) - rgb(plain)).max() < 120


def test_a_lamp_is_as_bright_beside_a_strong_environment_as_beside_a_weak_one(show):
    """Where nothing shines itself the environment is dimmed in the finished picture."""
    [weak] = show(Drawn(lamps=(LAMP,)), strength=0.001)
    [none] = show(Drawn(lamps=(LAMP,)), strength=0.0)
    assert weak.record.true_strength is False
    assert none.record.true_strength is True
    # Their noise differs: one environment is sampled, and the other is not.
    assert abs(rgb(weak).mean(axis=(0, 1)) - rgb(none).mean(axis=(0, 1))).max() < 6


def test_a_lamp_stays_where_it_is_while_the_environment_turns(show):
    lamp = LAMP.model_copy(update={"at_m": (1.5, 0.0, 0.5), "power_w": 60.0})
    [one] = show(Drawn(lamps=(lamp,)), strength=0.0)
    [two] = show(Drawn(lamps=(lamp,)), strength=0.0, rotation=130.0)
    assert abs(rgb(one) - rgb(two)).mean() < 6
    width = rgb(one).shape[1]
    assert rgb(one)[:, width // 2 :].mean() > rgb(one)[:, : width // 2].mean(), "it comes from +x"


@pytest.mark.parametrize("kelvin", [2000.0, 6500.0, 12000.0])
def test_grey_things_have_the_colour_of_the_light(show, kelvin):
    lamp = LAMP.model_copy(update={"kelvin": kelvin, "at_m": (0.0, 0.0, 1.5)})
    passes = ("rgb", "index", "diffuse", "albedo")
    [view] = show(Drawn(lamps=(lamp,)), strength=0.0, camera=ABOVE, passes=passes)
    light = view["diffuse"][:8].mean(axis=(0, 1))  # of the table
    wanted = np.array(colour_of(kelvin))
    assert light / light.sum() == pytest.approx(wanted / wanted.sum(), abs=0.01)


def test_exposure_brightens_the_picture_alone_and_by_stops(show):
    passes = ("rgb", "mask", "index", "depth", "albedo", "diffuse", "specular")
    plain, dark, bright = show(None, Drawn(exposure_ev=-1.0), Drawn(exposure_ev=1.0), passes=passes)
    for name in passes[1:]:
        assert np.array_equal(plain[name], bright[name]), name
    assert rgb(dark).mean() < rgb(plain).mean() < rgb(bright).mean()
    [same] = show(None, strength=2.0, passes=passes)
    assert np.array_equal(rgb(same), rgb(bright)), "one stop is twice the light"


# Materials


def test_twins_change_alike_and_others_stay(show):
    paints = tuple(Paint(prop=prop, hue_deg=120.0) for prop in (0, 1))
    plain, painted = show(None, Drawn(paints=paints))
    assert albedo_of(plain, 1) == pytest.approx(RED, abs=0.01)
    for twin in (1, 2):
        red, green, blue = albedo_of(painted, twin)
        assert (red, green, blue) == pytest.approx((RED[1], RED[0], RED[2]), abs=0.02)
    assert albedo_of(painted, 3) == pytest.approx(albedo_of(plain, 3), abs=1e-4)


def test_metal_has_no_colour_that_scatters(show):
    [painted] = show(Drawn(paints=(Paint(prop=2, metallic=1.0, roughness=0.1),)))
    assert albedo_of(painted, 3) == pytest.approx((0, 0, 0), abs=0.01)
    assert "metal" in painted.record.objects[3].attributes.materials
    assert painted.record.objects[3].attributes.colour is None


def test_what_is_swapped_has_the_other_s_materials(show):
    [painted] = show(Drawn(paints=(Paint(prop=2, swap=0),)))
    assert albedo_of(painted, 3) == pytest.approx(RED, abs=0.01)
    assert albedo_of(painted, 1) == pytest.approx(RED, abs=0.01)


def test_all_is_put_back_before_the_next_task(blender, show):
    """Models stay in Blender: what was drawn for one task must not be seen in another."""
    [before] = show(None)
    blocks = {block.name_full for block in all_ids()}
    drawn = Drawn(
        lamps=(LAMP,),
        exposure_ev=1.0,
        paints=(
            Paint(prop=0, hue_deg=90.0, roughness=0.9, metallic=1.0),
            Paint(prop=2, swap=0),
        ),
        surface=TablePaint(colour=(0.1, 0.2, 0.3)),
    )
    [changed] = show(drawn)
    [after] = show(None)
    assert not np.array_equal(rgb(changed), rgb(before))
    for name in before.record.files:
        assert np.array_equal(before[name], after[name]), name
    assert {block.name_full for block in all_ids()} == blocks
    assert not bpy.data.lights


def test_a_view_is_the_same_alone_as_after_others(show):
    """A batch that is resumed makes the pictures that it would have made."""
    some = Drawn(lamps=(LAMP,), paints=(Paint(prop=0, hue_deg=90.0),))
    other = Drawn(
        lamps=(LAMP.model_copy(update={"kind": "point"}), LAMP),
        paints=(Paint(prop=0, hue_deg=-60.0), Paint(prop=2, swap=1)),
        surface=TablePaint(colour=(0.1, 0.2, 0.3)),
    )
    _, after = show(other, some)
    [alone] = show(some)
    for name in alone.record.files:
        assert np.array_equal(alone[name], after[name]), name


# Table


@pytest.fixture
def texture(tmp_path):
    """Writes a picture, left half red, right half blue, lower quarter green."""

    def write(name="halves.png"):
        pixels = np.zeros((60, 120, 3), np.uint8)
        pixels[:, :60, 0], pixels[:, 60:, 2] = 200, 200
        pixels[45:] = (0, 200, 0)
        Image.fromarray(pixels).save(tmp_path / name)
        return asset_of(tmp_path / name).model_copy(update={"kind": "image", "role": "textures"})

    return write


@pytest.mark.parametrize("name", ["halves.png", "halves.jpg"])
def test_a_picture_lies_on_the_table_in_metres(show, texture, name):
    """Cycles repeats it from the middle of the table, the picture's lower left corner."""
    paint = TablePaint(texture=2, size_m=0.4, turn_deg=0.0)
    [view] = show(
        Drawn(surface=paint), camera=ABOVE, more=(texture(name),), resolution_px=(180, 126)
    )
    albedo, index = view["albedo"], view["index"]
    on_table = index == view.record.objects[0].indices[0]
    assert colours_at(view, albedo, on_table, [(0.1, 0.15), (0.3, 0.15), (-0.1, 0.15)]) == [
        "red", "blue", "blue",
    ]  # fmt: skip
    assert colours_at(view, albedo, on_table, [(0.1, 0.02), (0.1, 0.22)]) == ["green", "green"]


def test_a_picture_may_be_turned(show, texture):
    paint = TablePaint(texture=2, size_m=0.4, turn_deg=90.0)
    [view] = show(Drawn(surface=paint), camera=ABOVE, more=(texture(),), resolution_px=(180, 126))
    albedo, index = view["albedo"], view["index"]
    on_table = index == view.record.objects[0].indices[0]
    found = colours_at(view, albedo, on_table, [(-0.15, 0.15), (-0.15, 0.25), (-0.02, 0.15)])
    assert found == ["red", "blue", "green"], "its right points away from the viewer"


def colours_at(view, albedo, on_table, points):
    """What colour the table has at points of it."""
    camera = view.record.camera
    from_world = np.linalg.inv(np.array(camera.world_from_camera))
    found = []
    for x, y in points:
        at = from_world @ [x, y, 0.0, 1.0]
        u = int(camera.cx_px + camera.fx_px * at[0] / -at[2])
        v = int(camera.cy_px - camera.fy_px * at[1] / -at[2])
        assert on_table[v, u], (x, y)
        found.append(("red", "green", "blue")[int(albedo[v, u].argmax())])
    return found


def test_a_table_may_have_one_colour(show):
    [view] = show(Drawn(surface=TablePaint(colour=(0.1, 0.3, 0.2), roughness=0.4)))
    assert albedo_of(view, 0) == pytest.approx((0.1, 0.3, 0.2), rel=GLOSS)
    assert albedo_of(view, 1) == pytest.approx(RED, abs=0.01)


def test_a_damaged_picture_is_named(show, texture, tmp_path):
    asset = texture()
    (tmp_path / "halves.png").write_bytes((tmp_path / "halves.png").read_bytes()[:40])
    with pytest.raises(AssetError, match=r"halves\.png"):
        show(Drawn(surface=TablePaint(texture=2)), more=(asset,))


# Distractors


def test_shapes_are_distractors_of_their_own_colour_beside_the_objects(show, things):
    shapes = ("cube", "cylinder", "cone", "torus", "sphere")
    paints = tuple(
        Paint(prop=prop, colour=colour, roughness=0.5, metallic=0.0)
        for prop, colour in enumerate([RED, GREEN, GREY, RED, GREEN])
    )
    props = tuple(Prop(shape=shape, size_m=0.1) for shape in shapes)
    view = shown_shapes(show, things, props, paints)
    for place, label in enumerate(view.record.objects[1:], 1):
        assert (label.name, label.category) == (shapes[place - 1], "distractor")
        assert label.words is None
        assert max(label.size) == pytest.approx(0.1, abs=1e-5)
        wanted = paints[place - 1].colour
        assert albedo_of(view, place) == pytest.approx(wanted, rel=GLOSS)


def test_equal_shapes_may_have_other_colours(show, things):
    paints = (Paint(prop=0, colour=RED), Paint(prop=1, colour=GREEN))
    props = tuple(Prop(shape="cube", size_m=0.1) for _ in paints)
    view = shown_shapes(show, things, props, paints)
    assert albedo_of(view, 1) == pytest.approx(RED, rel=GLOSS)
    assert albedo_of(view, 2) == pytest.approx(GREEN, rel=GLOSS)


def shown_shapes(show, things, props, paints):
    """Shapes in a row, as a task has them."""
    row = [Standing(things["box"], (-0.3 + 0.15 * place, 0.0, 0.05)) for place in range(len(props))]
    [view] = show(Drawn(paints=paints), standing=row, props=props)
    return view


# Skies


def test_records_tell_what_was_corrected_of_each_sky(blender, things, tmp_path):
    """Also of one that only the last view of a task has."""
    skies = []
    for name, at in (("whole", None), ("holed", (3, 3))):
        pixels = np.full((16, 32, 3), 0.5, np.float32)
        if at:
            pixels[at] = np.inf
        skies.append(
            write_sky(tmp_path / f"{name}.exr", pixels).model_copy(update={"role": "hdrs"})
        )
    views = [a_view_of_it(0, ASLANT), a_view_of_it(1, ASLANT)]
    views = [view.model_copy(update={"hdr": 1 + place}) for place, view in enumerate(views)]
    standing = [Standing(things["box"], (0.0, 0.0, 0.06))]
    task = a_tabletop_task(tmp_path / "settled", standing, views)
    task = task.model_copy(update={"assets": (*task.assets, *skies)})

    found = render_tabletop(blender, task, FolderStorage(tmp_path))

    assert [set(view.record.notes) for view in found] == [{"holed.exr"}, {"holed.exr"}]


def test_a_damaged_sky_is_named(blender, things, tmp_path):
    (tmp_path / "sky.hdr").write_bytes(b"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y 8 +X 16\n")
    sky = asset_of(tmp_path / "sky.hdr", "hdr")
    view = a_view_of_it(0, ASLANT).model_copy(update={"hdr": 1})
    standing = [Standing(things["box"], (0.0, 0.0, 0.06))]
    task = a_tabletop_task(tmp_path / "settled", standing, [view])
    task = task.model_copy(update={"assets": (*task.assets, sky)})

    with pytest.raises(AssetError, match=r"sky\.hdr"):
        render_tabletop(blender, task, FolderStorage(tmp_path))


@pytest.mark.parametrize("turn_deg", [0.0, 90.0])
def test_a_picture_lies_in_metres_on_tables_of_files_too(
    blender, things, texture, tmp_path, turn_deg
):
    """Its top is a cube in centimetres that its file scales and turns; it has a map of its own."""
    file = tmp_path / "table.blend"
    with blend_file(file) as scene:
        top = add_box(scene, material=a_material())
        top.data.uv_layers.new(name="own")
        top.scale = (120, 80, 4) if turn_deg == 0.0 else (80, 120, 4)
        top.rotation_euler = (0, 0, np.radians(turn_deg))
        top.location = (0, 0, -2)
    table = asset_of(file).model_copy(update={"role": "surfaces"})
    standing = [Standing(things["box"], (-0.4, -0.2, 0.06))]
    drawn = Drawn(surface=TablePaint(texture=2, size_m=0.4))
    found = []
    for number, each in enumerate((None, drawn, None)):
        view = a_view_of_it(0, ABOVE).model_copy(update={"drawn": each, "seed": 7})
        folder = tmp_path / f"settled{number}"
        task = a_tabletop_task(
            folder, standing, [view], surface=Surface(asset=1, size_m=(1.2, 0.8)),
            passes=("rgb", "index", "albedo", "uv"), resolution_px=(180, 126),
        )  # fmt: skip
        settled = Settled.model_validate_json((folder / "settled.json").read_text())
        small = as_matrix(np.diag([0.01, 0.01, 0.01, 1.0]))
        write_settled(settled.model_copy(update={"surface": small}), folder)
        task = task.model_copy(update={"assets": (*task.assets, table, texture())})
        [shown] = render_tabletop(blender, task, FolderStorage(tmp_path / f"out{number}"))
        found.append(shown)
    plain, dressed, after = found

    on_table = dressed["index"] == dressed.record.objects[0].indices[0]
    points = [(0.1, 0.15), (0.3, 0.15), (-0.1, 0.15), (0.1, 0.02), (0.1, 0.22)]
    colours = colours_at(dressed, dressed["albedo"], on_table, points)
    assert colours == ["red", "blue", "blue", "green", "green"]
    for name in plain.record.files:
        assert np.array_equal(plain[name], after[name]), name
    assert np.array_equal(plain["uv"], dressed["uv"]), "the file's own map is the one that is told"
