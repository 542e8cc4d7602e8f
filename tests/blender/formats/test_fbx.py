"""FBX: what the file hides is not seen, and what it wants smooth is smooth."""

from __future__ import annotations

import pytest

from farm.errors import AssetError
from tests.support.blender.fbx_files import Fbx
from worker.blender.formats import subdivision

SMOOTH = "Smoothness: 2\nPreviewDivisionLevels: 0\nRenderDivisionLevels: {}\n"


@pytest.fixture
def load(blender, tmp_path):
    return lambda fbx: blender.load_model(fbx.write(tmp_path), file_lights=False)


def width_of(model) -> float:
    return round(float(model.bounds.high[0] - model.bounds.low[0]), 2)


def test_what_a_file_hides_is_neither_rendered_nor_labelled(load):
    fbx = Fbx()
    fbx.add_box("seen")
    fbx.add_box("hidden", at=10, visible=False)
    hidden = fbx.add_group("group", visible=False)
    fbx.add_box("below", at=20, below=fbx.add_group("inner", below=hidden))
    fbx.add_box("beside", at=4, below=fbx.add_group("other"))

    model = load(fbx)

    assert sorted(model.objects) == ["beside", "seen"]
    assert width_of(model) == 5


def test_a_file_that_hides_all_of_it_is_named(load):
    fbx = Fbx()
    fbx.add_box("hidden", visible=False)

    with pytest.raises(AssetError, match="nothing to render"):
        load(fbx)


@pytest.mark.parametrize(
    ("told", "width"),
    [
        pytest.param("", 1.0, id="nothing said"),
        pytest.param("Smoothness: 0\nRenderDivisionLevels: 3\n", 1.0, id="the cage"),
        pytest.param(SMOOTH.format(3), 0.84, id="smooth"),
    ],
)
def test_a_mesh_is_subdivided_if_it_says_so(load, told, width):
    fbx = Fbx()
    fbx.add_box("box", told=told)

    assert width_of(load(fbx)) == width


def test_what_would_be_too_many_faces_is_cut_less_often(load, monkeypatch):
    monkeypatch.setattr(subdivision, "MOST_FACES", 6 * 4)
    fbx = Fbx()
    fbx.add_box("box", told=SMOOTH.format(9))

    model = load(fbx)

    assert model.unread == ()
    assert [len(item.modifiers) for item in model.collection.objects] == [1]
    assert model.collection.objects[0].modifiers[0].render_levels == 1


def test_what_cannot_be_cut_at_all_stays_as_it_is_and_is_told(load, monkeypatch):
    monkeypatch.setattr(subdivision, "MOST_FACES", 23)
    fbx = Fbx()
    fbx.add_box("box", told=SMOOTH.format(2))

    model = load(fbx)

    assert (width_of(model), model.unread) == (1.0, ("subdivision of 6 faces",))


@pytest.mark.parametrize(
    ("faces", "levels"),
    [(6, 4), (7_812, 4), (7_813, 3), (500_000, 1), (5_000_000, 1), (5_000_001, 0)],
)
def test_faces_are_cut_as_often_as_it_does_no_harm(faces, levels):
    assert subdivision.finest_level(faces) == levels
