"""Records of views that show several models: whose each box, mask and keypoint is."""

from __future__ import annotations

from types import SimpleNamespace

import bpy
import numpy as np
import pytest

from farm.errors import AssetError, RenderError
from farm.spec.asset import Credit
from farm.spec.record import ViewRecord
from farm.spec.task import records_key
from farm.storage import FolderStorage
from tests.builders import a_task
from tests.support.blender.scenes import a_material, add_box, asset_of, blend_file
from tests.support.blender.shots import OurLease, Rendered, some_render, some_view
from tests.support.snippets import run_snippet
from worker.render import loading
from worker.render.task import render_task

VIEW = some_view(yaw=-90.0, pitch=40.0, distance=24.0)


@pytest.fixture(scope="module")
def crate(blender, tmp_path_factory):
    blender.free_model()  # whose names it would otherwise not get
    path = tmp_path_factory.mktemp("crate") / "crate.blend"
    with blend_file(path) as scene:
        add_box(scene, size=(1.0, 2.0, 1.0), name="Cube", material=a_material())
        tip = bpy.data.objects.new("keypoint_tip", None)
        tip.location = (0.0, 0.0, 0.8)
        scene.collection.objects.link(tip)
    return asset_of(path).model_copy(update={"credit": Credit(name="Crate", category="box")})


@pytest.fixture(scope="module")
def pane(blender, tmp_path_factory):
    """Half clear: its labels look through it."""
    blender.free_model()
    path = tmp_path_factory.mktemp("pane") / "pane.blend"
    with blend_file(path) as scene:
        material = a_material()
        material.node_tree.nodes["Principled BSDF"].inputs["Alpha"].default_value = 0.7
        add_box(scene, size=(1.0, 1.0, 1.0), name="Cube", material=material)
    return asset_of(path)


@pytest.fixture
def recipe(monkeypatch):
    """The recipe of our own page."""
    names = run_snippet("docs/recipes.md", under="Several models in a view")
    module = SimpleNamespace(prepare=names["prepare"])
    monkeypatch.setattr(loading, "find_recipe", lambda _: module)
    return names


@pytest.fixture
def render(blender, recipe, crate, pane, sky, tmp_path):
    def run(*passes, pane=pane):
        storage = FolderStorage(tmp_path / "-".join(passes))
        task = a_task(
            views=(VIEW,), render=some_render(resolution_px=(96, 64)), passes=passes
        ).model_copy(update={"assets": (crate, pane, sky)})
        render_task(
            task, session=blender, storage=storage, attempt=1, worker="here", lease=OurLease()
        )
        [line] = storage.get(records_key(task)).splitlines()
        return Rendered(storage, ViewRecord.model_validate_json(line))

    yield run
    blender.free_model()


def test_labels_of_several_things_are_there_though_nobody_asked_for_their_index(render):
    plain, full = render("rgb", "mask"), render("rgb", "mask", "index", "depth", "material")

    assert set(plain.record.files) == {"rgb", "mask"}
    assert plain.record.files["rgb"].sha256 == full.record.files["rgb"].sha256
    assert [each.box_px for each in plain.record.objects] == [
        each.box_px for each in full.record.objects
    ]
    index, mask = full["index"], full["mask"] / 255
    assert set(np.unique(index)) == {0, 1, 2, 3}
    for at, label in enumerate(full.record.objects, 1):
        assert label.indices == (at,)
        rows, columns = np.nonzero((index == at) & (mask >= 0.1))
        box = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
        assert label.box_px == box
        assert label.area_px == pytest.approx(mask[index == at].sum(), rel=0.01)
        assert label.visible_fraction == (None if at == 2 else 1.0), "the pane is half clear"
        assert label.truncation == 0.0
    assert sum(each.area_px for each in full.record.objects) > 150
    assert [label.name for label in full.record.indices] == ["Cube"] * 3
    assert [label.name for label in full.record.materials] == ["paint", "paint", "(no material)"]
    assert set(np.unique(full["material"])) == {0, 1, 2}


def test_each_thing_is_where_it_stands_and_of_its_asset(render):
    record = render("rgb", "mask", "depth").record
    first, second, third = record.objects

    assert [each.name for each in record.objects] == ["Crate", "pane.blend", "Crate"]
    assert [each.asset for each in record.objects] == [0, 1, 0]
    assert [each.category for each in record.objects] == ["box", "object", "box"]
    assert first.size == pytest.approx((1.0, 2.0, 1.0))
    assert [each.world_from_file[0][3] for each in record.objects] == [0.0, 3.0, 6.0]
    for label in record.objects:
        corners = np.array(label.corners_px)
        low, high = corners.min(axis=0), corners.max(axis=0)
        assert np.allclose(label.box_px, [*low, *high], atol=1.5)
    assert record.see_through, "one of them is half clear"
    assert [len(each.keypoints) for each in record.objects] == [1, 0, 1]
    assert all(each.keypoints[0].visible for each in (first, third))
    assert not second.keypoints


def test_a_view_whose_things_cannot_be_told_apart_is_refused(render, recipe, monkeypatch):
    monkeypatch.setattr(recipe["Row"], "label_passes", ())

    with pytest.raises(RenderError, match="label_passes"):
        render("rgb", "mask")


def test_of_several_models_the_one_at_fault_is_named(render, tmp_path):
    broken = tmp_path / "broken.obj"
    broken.write_text("v 0 0 0\n")

    with pytest.raises(AssetError, match=r"broken\.obj"):
        render("rgb", "mask", pane=asset_of(broken))
    assert render("rgb", "mask").record.objects[0].box_px is not None
