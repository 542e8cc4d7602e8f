"""What is told of a view, by the pixels that show its things."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from farm.expressions.seen import SeenScene
from farm.projection import as_matrix
from farm.spec.camera import IDENTITY
from farm.spec.expression import ExpressionRules
from farm.spec.label import ObjectLabel
from farm.spec.recipes.tabletop import Prop, Settled, SettledProp, Setup, Surface
from farm.spec.record import CameraRecord
from farm.spec.words import AssetWords
from tests.support.tabletop import COLOURS
from worker.finish import Finish
from worker.images.multilayer import Passes
from worker.labels.objects import Sight, Thing, object_label
from worker.labels.telling import Looked
from worker.tabletop import telling
from worker.tabletop.seeing import rise_of
from worker.tabletop.telling import Teller

SIDE = 100
PLASTIC = Finish(metallic=0.0, transmission=0.0, roughness=0.5, alpha=1.0, scatters=True)
UNREAD = Finish(scatters=True)
CAN = AssetWords(noun="can", confirmed=True)
BOWL = AssetWords(noun="bowl", material="wooden", confirmed=True)


def camera_above():
    """A camera 1 m over the table that looks straight down; its right is x, its up y."""
    pose = np.eye(4)
    pose[2, 3] = 1.0
    return CameraRecord(
        world_from_camera=as_matrix(pose), fx_px=100.0, fy_px=100.0, cx_px=50.0, cy_px=50.0
    )


def block(name, index, at, size):
    """A block that stands as its file has it."""
    pose = np.eye(4)
    pose[:3, 3] = (at[0], at[1], at[2] + size[2] / 2)
    return Thing(
        name=name,
        category="object",
        indices=(index,),
        world_from_object=as_matrix(pose),
        size=size,
        outline=np.empty((0, 3)),
        world_from_file=as_matrix(pose),
        asset=0,
    )


def looked_at(things, colours):
    """What a view from above shows of blocks: the tops, the last one in front."""
    index = np.zeros((SIDE, SIDE), np.uint16)
    depth = np.full((SIDE, SIDE, 1), 1e10, np.float32)
    albedo = np.zeros((SIDE, SIDE, 3), np.float32)
    for thing, colour in zip(things, colours, strict=True):
        x, y, z = np.array(thing.world_from_object)[:3, 3] + (0, 0, thing.size[2] / 2)
        far = 1.0 - z
        half = np.array(thing.size[:2]) / 2 * 100 / far
        u, v = 50 + 100 * x / far, 50 - 100 * y / far
        rows = slice(round(v - half[1]), round(v + half[1]))
        columns = slice(round(u - half[0]), round(u + half[0]))
        index[rows, columns] = thing.indices[0]
        depth[rows, columns] = far
        albedo[rows, columns] = COLOURS[colour]
    there = (index > 0).astype(np.float32)[..., None]
    passes = Passes(
        {
            "Combined": np.repeat(there, 4, axis=2),
            "Depth": depth,
            "Diffuse Color": albedo,
            "Material Index": index[..., None].astype(np.float32),
        },
        sample_s=0.0,
    )
    sight = Sight(camera_above(), (SIDE, SIDE), there[..., 0], index)
    labels: tuple[ObjectLabel, ...] = tuple(
        object_label(thing, sight, alone=False) for thing in things
    )
    return Looked(labels, camera_above(), passes, index)


TABLE = block("table", 1, (0.0, 0.0, -0.03), (0.8, 0.8, 0.03))
RED = block("can", 2, (-0.2, 0.1, 0.0), (0.1, 0.1, 0.2))
BLUE = block("bowl", 3, (0.2, -0.1, 0.0), (0.3, 0.2, 0.1))
HIDDEN = block("lost", 4, (0.2, -0.1, 0.01), (0.05, 0.05, 0.02))


@pytest.fixture
def tell(monkeypatch):
    """Tells of the table and three things on it, and returns what sentences may speak of."""
    scenes: list[SeenScene] = []

    def note(scene, _rules, _rng):
        scenes.append(scene)
        return ()

    monkeypatch.setattr(telling, "expressions_of", note)  # sentences are another's to test

    def run(finishes=(PLASTIC,) * 4):
        things = (TABLE, RED, HIDDEN, BLUE)
        words = (CAN, None, BOWL)
        setup = Setup(
            surface=Surface(size_m=(0.8, 0.8)),
            props=tuple(Prop(asset=0, words=each) for each in words),
            expressions=ExpressionRules(),
        )
        rest = SettledProp(world_from_file=IDENTITY, on=(-1,), touches=(-1,))
        settled = Settled(
            surface=IDENTITY, props=(rest, rest.model_copy(update={"on": (2,)}), rest)
        )
        teller = Teller(setup, settled, things, finishes, banned=frozenset({"lamp"}))
        view = type("View", (), {"words_seed": 1})()
        told = teller.tell(looked_at(things, ("white", "red", "green", "blue")), view)
        return told, scenes[-1]

    return run


def test_what_is_seen_is_measured_where_its_pixels_are(tell):
    _, scene = tell()
    table, red, blue = scene.objects

    assert [each.place for each in scene.objects] == [0, 1, 3]
    assert (table.is_surface, red.is_surface) == (True, False)
    assert red.area_px == 12 * 13, "its top is 12.5 pixels wide"
    assert red.mean_px == pytest.approx((25.0, 37.5), abs=0.6)
    assert red.point_px == pytest.approx((25.0, 37.5), abs=0.6)
    assert red.seen_m == pytest.approx((-0.2, 0.1, 0.2), abs=0.005)
    assert red.centre_m == pytest.approx((-0.2, 0.1, 0.1))
    assert (red.size_m, red.height_m) == pytest.approx((0.2, 0.2))
    assert (blue.size_m, blue.height_m) == pytest.approx((0.3, 0.1))
    assert (red.rise_m, blue.rise_m) == pytest.approx((0.2, 0.1))
    assert blue.seen_m == pytest.approx((0.2, -0.1, 0.1), abs=0.005)
    assert scene.focal_px == 100.0
    assert (red.words, blue.words) == (CAN, BOWL)


def test_the_box_of_what_lies_askew_rises_more():
    """A can that lies, and has rolled on by an eighth of a turn."""
    pose = np.eye(4)
    pose[:3, :3] = np.array([[1, 0, 0], [0, 1, -1], [0, 1, 1]]) / np.array([[1], [2], [2]]) ** 0.5
    upright = block("can", 1, (0.0, 0.0, 0.0), (0.1, 0.06, 0.06))
    lying = replace(upright, world_from_object=as_matrix(pose))

    assert rise_of(lying) == pytest.approx(0.06 * 2**0.5)


def test_what_is_hidden_is_known_by_its_size_alone(tell):
    told, scene = tell()

    assert scene.unseen_m == ((2, 0.05),)
    assert told.objects[2].attributes.colour is None
    assert told.objects[2].on == (3,)


def test_colours_materials_and_poses_are_told(tell):
    told, scene = tell()
    _, red, blue = scene.objects

    assert (red.colour, red.colours) == ("red", {"red"})
    assert (blue.colour, blue.colours) == ("blue", {"blue"})
    assert (red.materials, red.maybe_materials) == (set(), {"wooden"})
    assert (blue.materials, blue.maybe_materials) == ({"wooden"}, set())
    assert (red.pose, blue.pose) == ("upright", None)
    assert told.objects[1].attributes.model_dump() == {
        "colour": "red", "materials": (), "pose": "upright",
    }  # fmt: skip
    assert told.objects[0].attributes is None


def test_of_materials_that_nodes_decide_all_may_hold(tell):
    _, scene = tell((PLASTIC, UNREAD, PLASTIC, PLASTIC))

    assert scene.objects[1].maybe_materials == {
        "metal", "glass", "shiny", "see-through", "wooden",
    }  # fmt: skip


def test_how_much_is_seen_is_never_told_too_high(tell):
    _, scene = tell()
    table, red, _ = scene.objects

    assert 0.3 < red.visible_fraction <= 1.0  # its side walls are in the hull, but not seen here
    assert table.visible_fraction < 1.0
    assert scene.banned == {"lamp"}
