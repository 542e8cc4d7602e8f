"""How things come to rest on a table: measured on their true surfaces, by other means than ours."""

from __future__ import annotations

import bpy
import numpy as np
import pytest

from farm.errors import AssetError, UnsettledError
from farm.spec.recipes.tabletop import Placement, Prop
from farm.spec.words import AssetWords
from tests.support import table_things as things
from tests.support.blender.scenes import a_material, add_box, asset_of, blend_file
from tests.support.blender.settled_elsewhere import settled_elsewhere
from tests.support.table_things import drawn, settling, write_obj
from worker.tabletop.settle import settle

MM = 0.001
PLAIN = {
    "box": things.a_box(0.1, 0.08, 0.06),
    "ball": things.a_ball(0.05),
    "can": things.a_can(0.035, 0.12),
    "book": things.a_box(0.2, 0.14, 0.03),
}
HOLLOW = {
    "bowl": things.a_bowl(0.08, 0.006, rings=10),
    "ring": things.a_ring(0.05, 0.015, 32, 16),
    "mug": things.a_mug(0.04, 0.09, 0.005),
}
MUG = AssetWords(noun="mug", size_m=(0.07, 0.15))
UPRIGHT = (1.0, 0.0, 0.0, 0.0)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """All things as assets, and their corners in their files' coordinates."""
    folder = tmp_path_factory.mktemp("things")
    meshes = PLAIN | HOLLOW
    return {name: write_obj(folder / f"{name}.obj", mesh) for name, mesh in meshes.items()}, meshes


@pytest.fixture(scope="module")
def fallen(blender, made):
    """Twelve plain things that fell, and how they stand."""
    assets, _ = made
    names = list(PLAIN) * 3
    return names, settle(settling([assets[n] for n in names], *several(12)), blender)


def several(count, seed=0, draws=10):
    return [drawn(count, seed + number) for number in range(draws)]


def corners(mesh, prop):
    matrix = np.array(prop.world_from_file)
    return mesh[0] @ matrix[:3, :3].T + matrix[:3, 3]


def points_on(mesh, prop, count=4000):
    """Corners, and points between those of each triangle, in the world."""
    at = corners(mesh, prop)
    weights = np.random.default_rng(0).dirichlet((1, 1, 1), count)
    faces = mesh[1][np.random.default_rng(1).integers(len(mesh[1]), size=count)]
    return np.concatenate([at, np.einsum("nc,ncj->nj", weights, at[faces])])


def test_what_falls_comes_to_rest_on_the_table(fallen):
    names, settled = fallen

    for name, prop in zip(names, settled.props, strict=True):
        low, high = (f(corners(PLAIN[name], prop), axis=0) for f in (np.min, np.max))
        assert low[2] > -MM, name
        assert (np.abs([low[:2], high[:2]]) < [0.55, 0.4]).all()
        if prop.on == (-1,):
            assert low[2] < MM, f"{name} hovers"
    assert all(prop.on for prop in settled.props)
    assert settled.surface == ((1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 1, 0), (0, 0, 0, 1))


def test_no_point_of_a_thing_is_deep_in_another_one(fallen):
    """Of convex things: a point is as deep as the nearest of all planes of their faces."""
    names, settled = fallen
    bodies = list(zip(names, settled.props, strict=True))

    for one, prop in bodies:
        at = points_on(PLAIN[one], prop)
        for other, theirs in bodies:
            if theirs is prop:
                continue
            mesh = PLAIN[other]
            a, b, c = (corners(mesh, theirs)[mesh[1][:, k]] for k in range(3))
            normals = np.cross(b - a, c - a)
            normals /= np.linalg.norm(normals, axis=1)[:, None]
            normals *= np.sign(((a - corners(mesh, theirs).mean(axis=0)) * normals).sum(1))[:, None]
            depth = -((at[:, None] - a) * normals).sum(axis=2).max(axis=1)
            assert depth.max() < MM, (one, other)


def test_the_same_scene_settles_to_the_same_bits_in_another_process(blender, made, fallen):
    assets, _ = made
    names, settled = fallen
    again = settled_elsewhere(settling([assets[n] for n in names], *several(12)))

    assert again == settled.model_dump_json()


def test_nothing_of_a_fall_stays_in_blender(blender, made):
    assets, _ = made
    task = settling([assets["box"], assets["bowl"]], *several(2))
    settle(task, blender)

    def counts():
        return {
            name: len(getattr(bpy.data, name))
            for name in ("objects", "meshes", "scenes", "collections", "worlds", "actions")
        }

    before, frame = counts(), blender.scene.frame_current
    settle(task, blender)

    assert counts() == before
    assert blender.scene.frame_current == frame
    assert blender.scene.rigidbody_world is None


def test_a_ball_lies_in_a_bowl_and_touches_it(blender, made, tmp_path):
    assets, _ = made
    marble = write_obj(tmp_path / "marble.obj", mesh := things.a_ball(0.03))
    draw = [Placement(at_m=(0, 0, 0.05)), Placement(at_m=(0.004, 0.003, 0.3))]
    bowl, ball = settle(settling([assets["bowl"], marble], draw), blender).props

    assert ball.inside == (0,)
    assert ball.on == ()
    assert bowl.on == (-1,)
    assert bowl.touches == (-1, 1)
    matrix = np.array(bowl.world_from_file)
    inner = np.array([0, 0, 0.08]) @ matrix[:3, :3].T + matrix[:3, 3]  # the middle of its sphere
    far = np.linalg.norm(points_on(mesh, ball) - inner, axis=1).max()
    assert far == pytest.approx(0.074, abs=1.2 * MM)  # the bowl's inner radius


def test_what_must_stand_stands_upright_among_what_falls(blender, made):
    assets, _ = made
    names = ["can", "box", "ball", "book", "can"]
    words = AssetWords(noun="bottle", stands=True)
    places = {name: place for place, name in enumerate(dict.fromkeys(names))}
    props = [Prop(asset=places[n], words=words if n == "can" else None) for n in names]
    draws = [
        [at.model_copy(update={"turn": UPRIGHT}) if name == "can" else at
         for name, at in zip(names, draw, strict=True)]
        for draw in several(5)
    ]  # fmt: skip
    settled = settle(settling([assets[n] for n in names], *draws, props=props), blender)

    for name, prop in zip(names, settled.props, strict=True):
        if name == "can":
            assert np.array(prop.world_from_file)[2, :3] == pytest.approx([0, 0, 1], abs=1e-6)
            assert prop.world_from_file[2][3] == pytest.approx(0.06, abs=1e-6)
            assert prop.on == (-1,)


def test_what_floats_stays_where_it_is_put_and_nothing_is_in_it(blender, made):
    assets, meshes = made
    names = ["box", "ball", "ball", "can"]
    props = [Prop(asset=0, falls=False), Prop(asset=1), Prop(asset=1), Prop(asset=2)]
    hanging = Placement(at_m=(0.05, 0.02, 0.2), turn=(0.8, 0.6, 0.0, 0.0))
    draws = [[hanging, *draw[1:]] for draw in several(4)]
    settled = settle(settling([assets[n] for n in names], *draws, props=props), blender)
    box, *others = settled.props

    matrix = np.array(box.world_from_file)
    assert matrix[:3, 3] == pytest.approx([0.05, 0.02, 0.2], abs=1e-6)
    assert matrix[2, 1:3] == pytest.approx([0.96, 0.28], abs=1e-6)
    assert box.on == ()
    for name, prop in zip(names[1:], others, strict=True):
        inside = (points_on(meshes[name], prop) - matrix[:3, 3]) @ matrix[:3, :3]
        assert not (np.abs(inside) < np.array([0.1, 0.08, 0.06]) / 2 - MM).all(axis=1).any()


def test_things_are_put_exactly_onto_the_table_and_onto_each_other(blender, made):
    assets, _ = made
    draw = [
        Placement(at_m=(-0.3, 0.1, 0.0)),
        Placement(at_m=(0.2, 0.1, 0.0), turn=(0.924, 0.0, 0.0, 0.383)),
        Placement(at_m=(0.0, 0.0, 0.0), on=1),
        Placement(at_m=(0.0, 0.0, 0.0), on=2),
    ]
    task = settling([assets[n] for n in ("ball", "book", "box", "can")], draw, arrangement="place")
    ball, book, box, can = settle(task, blender).props

    heights = [prop.world_from_file[2][3] for prop in (ball, book, box, can)]
    assert heights == pytest.approx([0.05, 0.015, 0.06, 0.15], abs=2e-6)
    assert ball.world_from_file[0][3] == pytest.approx(-0.3)
    assert [prop.on for prop in (ball, book, box, can)] == [(-1,), (-1,), (1,), (2,)]
    assert box.touches == (1, 3)


def test_nothing_is_balanced_on_what_is_round(blender, made):
    assets, _ = made
    at = [Placement(at_m=(0.0, 0.0, 0.0)), Placement(at_m=(0.0, 0.0, 0.0), on=0)]
    beside = [Placement(at_m=(0.0, 0.0, 0.0)), Placement(at_m=(0.3, 0.0, 0.0))]
    for below, above, tries in (("ball", "can", 1), ("box", "ball", 0), ("book", "can", 0)):
        task = settling([assets[below], assets[above]], at, beside, arrangement="place")
        assert settle(task, blender).draw == tries, (below, above)


def test_what_would_be_in_each_other_is_put_as_it_was_drawn_next(blender, made):
    assets, _ = made
    crowded = [Placement(at_m=(0.0, 0.0, 0.0)), Placement(at_m=(0.05, 0.0, 0.0))]
    apart = [Placement(at_m=(0.0, 0.0, 0.0)), Placement(at_m=(0.25, 0.0, 0.0))]
    task = settling([assets["box"], assets["ball"]], crowded, apart, arrangement="place")

    assert settle(task, blender).draw == 1


def test_a_scene_that_never_settles_is_a_sentence_that_is_not_tried_again(blender, made):
    assets, _ = made
    crowded = [Placement(at_m=(0.0, 0.0, 0.0)), Placement(at_m=(0.05, 0.0, 0.0))]
    task = settling([assets["box"], assets["ball"]], crowded, crowded, arrangement="place")

    with pytest.raises(UnsettledError) as caught:
        settle(task, blender)
    assert not caught.value.retry
    text = str(caught.value)
    assert "put 2 times" in text
    assert "box" in text
    assert "ball" in text
    assert "per_scene" in text


# Sizes, and what cannot fall


@pytest.mark.parametrize(
    ("mesh", "words", "scale", "told"),
    [
        pytest.param(things.a_can(1.0, 3.0), MUG, "file",
                     "this mug is 3 m long, where its words expect 7 cm to 15 cm", id="3-m-of-mug"),
        pytest.param(things.a_can(1.0, 3.0), None, "file",
                     "3 m long and does not fit on a table of 1 m by 70 cm", id="too-large"),
        pytest.param(things.a_can(0.0003, 0.001), None, "expected",
                     "1 mm long, too small", id="too-small"),
        pytest.param((np.array([(0, 0, 0), (0.1, 0, 0), (0.1, 0.1, 0), (0, 0.1, 0.0)]),
                      np.array([(0, 1, 2), (0, 2, 3)])), None, "file",
                     "is flat and has no inside", id="a-sheet"),
    ],
)  # fmt: skip
def test_what_cannot_fall_is_named_before_anything_does(
    blender, tmp_path, mesh, words, scale, told
):
    asset = write_obj(tmp_path / "thing.obj", mesh)
    task = settling([asset], *several(1), props=[Prop(asset=0, words=words)], scale=scale)

    with pytest.raises(AssetError, match=told) as caught:
        settle(task, blender)
    assert caught.value.path == asset.path


def test_what_is_as_large_as_its_words_say_is_in_the_middle_of_their_range(blender, tmp_path):
    asset = write_obj(tmp_path / "mug.obj", mesh := things.a_can(1.0, 3.0))
    props = [Prop(asset=0, words=MUG)]
    task = settling([asset], *several(3), props=props, scale="expected")
    (mug,) = settle(task, blender).props

    sides = (
        np.linalg.norm(np.array(mug.world_from_file)[:3, :3], axis=0)
        * np.ptp(mesh[0], axis=0).max()
    )
    assert sides == pytest.approx([0.11] * 3)


# Tables


def test_things_lie_on_the_top_of_a_table_of_a_file(blender, made, tmp_path):
    """Whatever its height, its place in its file and its length: they land within it."""
    assets, _ = made
    table = things.together(
        things.a_box(1.6, 0.8, 0.05, (4.0, 2.0, 0.75)),
        *(
            things.a_box(0.05, 0.05, 0.7, (4.0 + x, 2.0 + y, 0.4))
            for x in (-0.7, 0.7)
            for y in (-0.3, 0.3)
        ),
    )
    surface = write_obj(tmp_path / "table.obj", table)
    task = settling([assets["ball"], assets["book"]], *several(3), surface=surface)
    settled = settle(task, blender)

    top = np.array(settled.surface) @ (4.0, 2.0, 0.775, 1.0)
    assert top[:3] == pytest.approx([0, 0, 0], abs=1e-6)
    for name, prop in zip(("ball", "book"), settled.props, strict=True):
        at = corners(PLAIN[name], prop)
        assert at[:, 2].min() == pytest.approx(0, abs=MM)
        assert (np.abs(at[:, :2]) <= [0.8, 0.4]).all()


def test_a_table_without_a_flat_top_is_a_sentence(blender, made, tmp_path):
    assets, _ = made
    surface = write_obj(tmp_path / "hill.obj", things.a_ball(0.5))

    with pytest.raises(AssetError, match="flat and level"):
        settle(settling([assets["box"]], *several(1), surface=surface), blender)


# Users' files


def fill_odd(scene):
    """Far from its origin, mirrored, modified, shown twice: what users' files are made of."""
    box = add_box(scene, size=(0.1, 0.06, 0.04), at=(0.02, 0.0, 0.0), material=a_material())
    box.location, box.scale = (80.0, -40.0, 12.0), (-1.0, 1.0, 1.0)
    box.modifiers.new("bevel", "BEVEL").width = 0.008
    knob = add_box(scene, size=(0.02, 0.02, 0.02), name="knob", material=a_material())
    knob.location, knob.parent = (0.02, 0.0, 0.03), box
    group = bpy.data.collections.new("feet")
    foot = bpy.data.objects.new("foot", bpy.data.meshes.new("foot"))
    foot.data.from_pydata(*pyramid())
    group.objects.link(foot)
    for x in (-0.01, 0.05):
        shown = bpy.data.objects.new("feet", None)
        shown.instance_type, shown.instance_collection = "COLLECTION", group
        shown.location = (80.0 - x, -40.0, 12.0 - 0.02)
        scene.collection.objects.link(shown)


def pyramid():
    """An open one: its base is missing."""
    corners = [(-0.01, -0.01, 0.0), (0.01, -0.01, 0), (0.01, 0.01, 0), (-0.01, 0.01, 0)]
    return [*corners, (0, 0, -0.015)], [], [(0, 1, 4), (1, 2, 4), (2, 3, 4), (3, 0, 4)]


def test_odd_files_lie_on_the_table_with_their_true_surface(blender, tmp_path):
    with blend_file(tmp_path / "odd.blend") as scene:
        fill_odd(scene)
    asset = asset_of(tmp_path / "odd.blend")
    task = settling([asset], *several(4))
    (odd,) = settle(task, blender).props

    (model,) = blender.load_models([asset])
    matrix = np.array(odd.world_from_file)
    at = model.bounds.support @ matrix[:3, :3].T + matrix[:3, 3]
    assert at[:, 2].min() == pytest.approx(0, abs=MM)
    assert np.abs(at[:, :2]).max() < 0.5
    assert np.linalg.det(matrix[:3, :3]) == pytest.approx(1.0, abs=1e-5)


def test_lines_alone_cannot_fall(blender, tmp_path):
    with blend_file(tmp_path / "wire.blend") as scene:
        curves = bpy.data.hair_curves.new("hair")
        curves.add_curves([4, 4])
        curves.attributes["position"].data.foreach_set(
            "vector", np.random.default_rng(0).random(24).astype(np.float32) * 0.1
        )
        scene.collection.objects.link(bpy.data.objects.new("hair", curves))
    asset = asset_of(tmp_path / "wire.blend")

    with pytest.raises(AssetError, match="no faces"):
        settle(settling([asset], *several(1)), blender)


def test_real_files_fall_and_rest(blender, sample_assets):
    """Of another size, in words: a tea set, a vase and a pair of glasses with thin parts."""
    models = sample_assets / "models"
    files = [
        models / "sunglasses_khronos.glb",
        models / "zeyu_vase.blend",
        models / "chengsun_cubev2.blend",
    ]
    assets = [asset_of(file) for file in files]
    words = [AssetWords(noun="thing", size_m=(size, size)) for size in (0.15, 0.2, 0.06)]
    props = [Prop(asset=place, words=each) for place, each in enumerate(words)]
    settled = settle(settling(assets, *several(3, 50), props=props, scale="expected"), blender)

    for asset, prop in zip(assets, settled.props, strict=True):
        (model,) = blender.load_models([asset])
        matrix = np.array(prop.world_from_file)
        at = model.bounds.support @ matrix[:3, :3].T + matrix[:3, 3]
        assert at[:, 2].min() > -1.5 * MM
        if prop.on == (-1,):
            assert at[:, 2].min() < 1.5 * MM


def test_what_is_made_of_many_parts_comes_to_rest_at_once(blender, sample_assets):
    """Its convex parts are not exactly as it is: what stands alone is set straight afterwards."""
    models = sample_assets / "models"
    files = [models / "kenney_motorcycle" / "vehicle-motorcycle.glb", models / "zeyu_vase.blend"]
    assets = [asset_of(file) for file in files]
    props = [
        Prop(asset=place, words=AssetWords(noun="thing", size_m=(0.2, 0.2)))
        for place in range(len(assets))
    ]
    task = settling(assets, *several(2, 4000, 4), props=props, scale="expected")
    settled = settle(task, blender)

    assert settled.draw <= 1
    for asset, prop in zip(assets, settled.props, strict=True):
        (model,) = blender.load_models([asset])
        matrix = np.array(prop.world_from_file)
        heights = model.bounds.support @ matrix[2, :3] + matrix[2, 3]
        if prop.touches == (-1,):
            assert np.sort(heights)[2] < 1.5 * MM  # it stands on three points at least
