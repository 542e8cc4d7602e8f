"""Every view of a model under each light: the same cameras, names of their own."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from farm import expand
from farm.errors import SpecError
from farm.spec.job import Job, JobSpec, make_job
from farm.spec.task import view_id
from tests.builders import an_asset

MODES = [
    {"yaw": 3, "pitch": 2},
    {"mode": "augmented", "pitch": 2, "yaw_per_pitch": 3},
    {"mode": "rig", "rig": "random", "views": 6},
    {
        "yaw": 3,
        "pitch": 2,
        "randomise": {"hdri": {}, "camera": {}, "materials": {}, "lights": {}, "exposure": {}},
    },
]


def relit(recipe=MODES[0], *, models=2, hdrs=3, turns=1, **more) -> Job:
    spec = JobSpec.model_validate(
        {"models": ["a"], "hdrs": ["b"], "views_per_task": 4, **more}
        | {"recipe": {**recipe, "relight": True, "relight_turns": turns}}
    )
    assets = [an_asset(f"m{at}.blend") for at in range(models)]
    return make_job(spec, [*assets, *(an_asset(f"h{at}.exr", kind="hdr") for at in range(hdrs))])


@pytest.mark.parametrize("recipe", MODES)
@pytest.mark.parametrize("turns", [1, 2])
def test_all_lights_of_a_pose_have_one_camera_and_know_each_other(recipe, turns):
    job = relit(recipe, turns=turns)
    poses: dict[tuple[str, str | None], list] = {}
    names = set()

    tasks = list(expand.expand(job))

    for task in tasks:
        for view in task.views:
            poses.setdefault((task.group, view.pose), []).append(view)
            names.add((task.dataset, view.name))
    assert len(poses) == 2 * 6
    assert len(names) == 2 * 6 * 3 * turns == expand.count(job).views
    assert len(tasks) == expand.count(job).tasks == 4
    for views in poses.values():
        assert len(views) == 3 * turns
        assert len({view.camera for view in views}) == len({view.seed for view in views}) == 1
        assert len({view.drawn and view.drawn.paints for view in views}) == 1
        for view in views:
            assert {view.name, *view.siblings} == {each.name for each in views}
            assert len(view.siblings) == 3 * turns - 1
    indices = sorted(view.index for views in poses.values() for view in views)
    assert indices == list(range(len(names)))


def test_another_hdri_changes_no_view_that_was_there():
    few, more = (
        {
            view.name: (view_id(task, view), view.made_of(task.assets))
            for task in expand.expand(relit(hdrs=hdrs))
            for view in task.views
        }
        for hdrs in (2, 3)
    )

    assert few.items() <= more.items()
    assert len(more) > len(few)


def test_turns_are_evenly_around_and_in_names():
    [task] = expand.expand(relit({"yaw": 1, "pitch": 1}, models=1, hdrs=1, turns=4))

    turned = {view.name: view.light.rotation_deg for view in task.views}

    assert turned == {f"view_000_00_h0_{deg:03d}": deg for deg in (0, 90, 180, 270)}


def test_one_dataset_per_model_holds_all_lights():
    assert list(expand.datasets(relit())) == ["m0", "m1"]
    with pytest.raises(SpecError, match=r"include \{model\} in it"):
        list(expand.datasets(relit(dataset_name="all")))


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"hdrs": 1}, "one light alone"),
        ({"passes": ["mask", "depth"]}, "depends on light"),
        ({"dataset_name": "{model}_{hdr}"}, "leave {hdr} out"),
    ],
)
def test_what_makes_no_sense_under_several_lights_is_told(more, told):
    [mistake] = expand.mistakes(relit(**more))

    assert told in mistake


def test_turns_are_for_relight_alone():
    with pytest.raises(ValidationError, match="--relight"):
        JobSpec.model_validate({"models": ["a"], "hdrs": ["b"], "recipe": {"relight_turns": 2}})


def test_tasks_of_an_asset_are_those_that_take_it():
    job = relit()
    model, hdr = job.of("models")[1], job.of("hdrs")[2]

    for asset in (model, hdr):
        taken = [task.index for task in expand.expand(job) if asset in task.assets]
        assert [at for part in expand.tasks_of(job, asset) for at in part] == taken
    assert expand.assets_of(job, 3) == expand.render_task(job, 3).assets
