"""Which passes views lack, and what proves that they are the same views."""

from __future__ import annotations

import hashlib

import pytest

from farm.dataset.additions import check_recipe, passes_named, plan_additions, proof_of, spec_of
from farm.dataset.reader import open_dataset
from farm.errors import SpecError
from farm.library.found_again import Finder
from farm.spec.job import JobSpec
from farm.spec.recipes.script import View
from farm.spec.record import ViewRecord
from farm.spec.render import resolve_render
from farm.spec.task import RenderTask, view_id
from tests.builders import a_record, a_view, an_asset
from tests.support.datasets import write_dataset

pytest.importorskip("imagecodecs")


class Nowhere(Finder):
    """Finds every asset where its record says, without looking."""

    def find(self, asset):
        return asset

    def names_others(self, asset):
        return False


def a_record_with(*passes, **changes) -> ViewRecord:
    record = a_record(a_view())
    file = next(iter(record.files.values()))
    return record.model_copy(update={"files": dict.fromkeys(passes, file), **changes})


@pytest.mark.parametrize(
    ("has", "changes", "added", "proof"),
    [
        ("rgb mask", {}, "depth", "mask"),
        ("rgb mask depth index", {}, "normal", "depth index"),
        ("rgb mask index", {}, "depth", "index"),
        ("rgb mask position", {}, "index", "position"),
        ("rgb mask depth", {}, "albedo", "mask depth"),
        ("rgb mask depth", {}, "diffuse", "rgb mask depth"),
        ("rgb mask depth", {}, "foreground", "rgb mask depth"),
        ("depth", {}, "rgb", "depth"),
        ("rgb", {}, "depth", "rgb"),
        ("rgb mask", {"noise_threshold": 0.1}, "depth", "rgb mask"),
        ("rgb mask depth", {"noise_threshold": 0.1}, "index", "depth"),
        ("rgb mask", {"engine": "eevee"}, "depth", "rgb mask"),
        ("albedo", {}, "depth", "albedo"),
    ],
)
def test_the_cheapest_proof_that_tells_is_taken(has, changes, added, proof):
    record = a_record_with(*has.split(), **changes)

    assert proof_of(record, added.split()) == tuple(proof.split())


@pytest.mark.parametrize(
    ("has", "changes", "added", "proof"),
    [
        ("rgb mask", {}, "depth", "rgb mask"),
        ("rgb mask index", {}, "depth", "rgb mask index"),
        ("rgb mask depth index", {}, "normal", "depth index"),
        ("rgb mask depth", {}, "albedo", "mask depth"),
        ("mask index", {}, "depth", "mask index"),
        ("mask albedo", {}, "depth", "mask albedo"),
    ],
)
def test_what_has_many_things_is_not_proven_by_a_silhouette(has, changes, added, proof):
    record = a_record_with(*has.split(), **changes)

    assert proof_of(record, added.split(), one_thing=False) == tuple(proof.split())


def test_textures_that_nobody_hashed_are_proven_by_the_picture():
    record = a_record_with("rgb", "mask", "depth")

    assert proof_of(record, ("albedo",), unhashed=True) == ("rgb", "mask", "depth")


def test_a_view_that_nothing_tells_is_refused():
    with pytest.raises(SpecError, match="cryptomatte"):
        proof_of(a_record_with("cryptomatte"), ("depth",))
    with pytest.raises(SpecError, match=r"\(mask\) proves"):
        proof_of(a_record_with("mask"), ("depth",), one_thing=False)


def test_passes_are_named_by_words_for_several_too():
    assert passes_named(" depth, index,depth ") == ("depth", "index")
    assert "base_color" not in passes_named("flow")
    assert len(passes_named("flow")) == 4
    with pytest.raises(SpecError, match="did you mean 'mask'"):
        passes_named("masks")
    with pytest.raises(SpecError, match="at least one"):
        passes_named(" , ")


def test_a_plan_holds_the_views_that_lack_something_and_no_more(tmp_path):
    write_dataset(tmp_path, views=6, models=2, passes=("rgb", "mask", "depth"), size=(8, 6))

    plan = plan_additions(open_dataset(tmp_path), ("depth", "index"), finder=Nowhere())
    none = plan_additions(open_dataset(tmp_path), ("rgb", "depth"), finder=Nowhere())

    assert (plan.missing, plan.views) == (6, 6)
    assert [task.index for task in plan.tasks] == list(range(len(plan.tasks)))
    for task, records in zip(plan.tasks, plan.records, strict=True):
        assert task.adds.passes == ("index",)
        assert task.passes == ("depth", "index")
        assert [asset.role for asset in task.assets] == ["models"]  # no light, no HDRI
        assert [record.view for record in records] == list(task.views)
    assert len({(task.dataset, task.task_id) for task in plan.tasks}) == len(plan.tasks)
    assert none.tasks == ()


def test_passes_that_a_recipe_cannot_have_are_refused_in_its_own_words(tmp_path):
    write_dataset(tmp_path, views=2, models=1, passes=("rgb", "mask"), size=(8, 6))

    for name, told in (("tracks", "no neighbouring frames"), ("shadow", "ground")):
        with pytest.raises(SpecError, match=told):
            plan_additions(open_dataset(tmp_path), (name,), finder=Nowhere())


def test_views_that_no_record_tells_are_refused_before_anything_is_looked_for():
    script = JobSpec.model_validate({"recipe": {"kind": "script"}, "script": ["a.py"]})
    view = View.model_validate(
        {"index": 0, "name": "s0", "camera": {"kind": "file", "name": "Cam"}, "seed": 1,
         "episode": 0}
    )  # fmt: skip
    record = a_record_with("rgb").model_copy(update={"view": view})

    with pytest.raises(SpecError, match="s0: views of the recipe script cannot get passes later"):
        check_recipe(record, script)
    with pytest.raises(SpecError, match=r"no spec of the recipe sod that can be read here"):
        check_recipe(a_record_with("rgb"), script)


def test_of_several_specs_the_one_is_taken_that_makes_the_view_s_id():
    """So merged datasets, whose views have other names, are rendered each as they were."""
    specs = [
        JobSpec.model_validate({"models": ["a"], "hdrs": ["b"], "render": {"view_transform": each}})
        for each in ("AgX", "Filmic", "Standard")
    ]
    record = a_record_with("rgb", "mask")
    task = RenderTask(
        job_id="", index=0, task_id="", title="", group="", dataset="", recipe="sod",
        assets=record.assets, setup={"kind": "sod"}, passes=("rgb", "mask"), views=(),
        render=resolve_render(specs[1].render, default_format="png"),
    )  # fmt: skip
    made = record.model_copy(update={"view_id": view_id(task, record.view)})
    renamed = made.view.model_copy(update={"name": f"chairs_{made.view.name}"})

    assert spec_of(made, specs, Nowhere()) is specs[1]
    assert spec_of(made.model_copy(update={"view": renamed}), specs, Nowhere()) is specs[1]


def test_files_that_a_model_names_are_known_to_be_needed(tmp_path):
    (tmp_path / "a.mtl").write_text("newmtl wood\nmap_Kd wood.png\n")
    (tmp_path / "wood.png").write_bytes(b"png")
    plain, painted = tmp_path / "plain.obj", tmp_path / "painted.obj"
    plain.write_text("v 0 0 0\n")
    painted.write_text("mtllib a.mtl\nv 0 0 0\n")
    finder = Finder()

    def asset_at(path):
        data = path.read_bytes()
        changes = {"path": str(path), "sha256": hashlib.sha256(data).hexdigest()}
        return an_asset(path.name).model_copy(update=changes)

    assert not finder.names_others(asset_at(plain))
    assert finder.names_others(asset_at(painted))


def test_a_dataset_without_views_has_nothing_to_add_to(tmp_path):
    (tmp_path / "views.jsonl").touch()

    with pytest.raises(SpecError, match="has no views yet: there is nothing to add to"):
        plan_additions(open_dataset(tmp_path), ("depth",), finder=Nowhere())
