import subprocess
import sys
from collections import Counter
from itertools import pairwise

import pytest
from pydantic import ValidationError

from farm import expand
from farm.errors import SpecError
from farm.spec.recipes.sod import SodAugmented, SodGrid
from farm.spec.render import RenderSettings
from farm.spec.task import view_id
from tests.builders import a_job, an_asset, the_job


def views_of(job):
    return sorted(
        ((view, task) for task in expand.expand(job) for view in task.views),
        key=lambda pair: pair[0].index,
    )


def test_a_task_does_not_depend_on_its_neighbours():
    """Task 5 alone equals task 5 of the whole, so a lost task can be redone alone."""
    job = a_job(models=2, hdrs=3, recipe=SodAugmented())

    assert expand.render_task(job, 5) == list(expand.expand(job))[5]


def test_another_process_makes_the_same_task():
    job = a_job(models=2, hdrs=2, recipe=SodAugmented(), seed=7)
    code = (
        "import sys; from farm.spec.job import Job; from farm import expand;"
        "print(expand.render_task(Job.model_validate_json(sys.stdin.read()), 3).model_dump_json())"
    )

    printed = subprocess.run(
        [sys.executable, "-c", code],
        input=job.model_dump_json(), capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip

    assert printed.strip() == expand.render_task(job, 3).model_dump_json()


@pytest.mark.parametrize(
    "recipe", [SodGrid(yaw=5, pitch=3), SodAugmented(pitch=4, yaw_per_pitch=3)]
)
@pytest.mark.parametrize("views_per_task", [1, 4, 100])
def test_the_counts_are_those_of_the_expansion(recipe, views_per_task):
    job = a_job(models=3, hdrs=2, recipe=recipe, views_per_task=views_per_task)
    tasks = list(expand.expand(job))

    assert expand.count(job).tasks == len(tasks)
    assert expand.count(job).views == sum(len(task.views) for task in tasks)
    assert sorted(v.index for task in tasks for v in task.views) == list(
        range(expand.count(job).views)
    )
    with pytest.raises(IndexError):
        expand.render_task(job, len(tasks))


def test_a_grid_has_the_steps_and_names_of_the_layout():
    job = a_job(models=1, hdrs=1, recipe=SodGrid(yaw=12, pitch=8))
    views = [view for view, _ in views_of(job)]

    assert {v.camera.yaw_deg for v in views} == {30 * step for step in range(12)}
    assert sorted({v.camera.pitch_deg for v in views}) == [0, 11, 22, 34, 45, 56, 68, 79]
    assert views[0].name == "view_000_00"
    assert views[13].name == "view_030_11"
    assert list(expand.datasets(job)) == ["model000_hdr00000"]
    assert expand.render_task(job, 0).render.format == "png"


def test_a_grid_puts_each_pair_into_a_dataset_of_its_own():
    job = a_job(models=2, hdrs=2, recipe=SodGrid(yaw=2, pitch=1), dataset_name="x-{hdr}-{model}")

    assert len(set(expand.datasets(job))) == 4
    assert {task.dataset for task in expand.expand(job)} == set(expand.datasets(job))


def test_one_name_for_many_grids_is_refused():
    with pytest.raises(SpecError, match=r"include \{model\} and \{hdr\} in it"):
        list(expand.datasets(a_job(models=2, hdrs=1, recipe=SodGrid(), dataset_name="all")))


def test_augmented_names_tell_the_truth():
    job = a_job(models=2, hdrs=2, recipe=SodAugmented())
    for view, task in views_of(job):
        session, model, hdr, yaw, pitch, dist, rot, strength = view.name.split("_")

        assert (session, model, hdr) == (
            job.session,
            task.of("models")[0].id,
            task.of("hdrs")[0].id,
        )
        assert (len(yaw), len(pitch), len(rot), len(strength)) == (3, 2, 3, 3)
        assert view.camera.yaw_deg == int(yaw)
        assert view.camera.pitch_deg == int(pitch)
        assert view.light.rotation_deg == int(rot)
        assert view.light.strength == int(strength) / 100
        assert view.camera.distance == 3.5 * {"t": 0.85, "m": 1.0, "l": 1.3}[dist]


def test_augmented_views_cover_what_the_recipe_says():
    job = a_job(models=1, hdrs=3, recipe=SodAugmented(pitch=10, yaw_per_pitch=40))
    views = [view for view, _ in views_of(job)]

    assert Counter(v.camera.pitch_deg for v in views) == dict.fromkeys(range(0, 91, 10), 120)
    assert min(v.light.strength for v in views) == pytest.approx(0.7, abs=0.02)
    assert max(v.light.strength for v in views) == pytest.approx(1.5, abs=0.02)
    assert len({v.light.rotation_deg for v in views}) > 300
    assert len({v.camera.distance for v in views}) == 3
    assert len({v.seed for v in views}) == len(views)


@pytest.mark.parametrize(("hdrs", "switch"), [(3, 4), (2, 3), (1, 4), (5, 1)])
def test_the_hdri_changes_every_so_many_views_of_the_dataset(hdrs, switch):
    job = a_job(
        models=2, hdrs=hdrs, recipe=SodAugmented(pitch=4, yaw_per_pitch=3, hdr_switch=switch)
    )
    order = [(task.of("models")[0].id, task.of("hdrs")[0].id) for _, task in views_of(job)]

    for walk in range(2 * hdrs):
        hdr_ids = [hdr for _, hdr in order[walk * 12 : walk * 12 + 12]]
        assert len({model for model, _ in order[walk * 12 : walk * 12 + 12]}) == 1
        for slot, (before, after) in enumerate(pairwise(hdr_ids), start=1):
            assert (before != after) == (slot % switch == 0 and hdrs > 1)


@pytest.mark.parametrize(
    "recipe", [SodAugmented(pitch=91, yaw_per_pitch=30), SodGrid(yaw=360, pitch=90)]
)
def test_names_never_collide(recipe):
    job = a_job(models=1, hdrs=2, recipe=recipe)
    files = [(task.dataset, view.name) for task in expand.expand(job) for view in task.views]

    assert len(set(files)) == len(files) > 1000


def test_the_seed_makes_a_dataset_again_and_another_seed_another():
    jobs = [a_job(recipe=SodAugmented(), seed=seed) for seed in (3, 3, 4)]
    ids = [[view_id(task, view) for view, task in views_of(job)] for job in jobs]

    assert ids[0] == ids[1]
    assert not set(ids[0]) & set(ids[2])
    assert jobs[0].session != jobs[2].session


def test_adding_a_model_changes_no_view_of_the_others():
    few, many = (a_job(models=n, hdrs=2, recipe=SodAugmented()) for n in (2, 3))
    ids = [{view_id(task, view) for view, task in views_of(job)} for job in (few, many)]

    assert ids[0] < ids[1]


def test_quality_follows_the_resolution():
    def render_of(**settings):
        return a_job(recipe=SodAugmented(), render=RenderSettings(**settings)).render

    assert (render_of().samples, render_of().denoise, render_of().format) == (64, False, "jxl")
    high = render_of(resolution=2048)
    assert (high.samples, high.denoise) == (128, True)
    chosen = render_of(resolution=2048, samples=5, denoise=False, format="png")
    assert (chosen.samples, chosen.denoise, chosen.format) == (5, False, "png")


def test_with_fit_no_framing_is_tighter_than_the_model_filling_the_picture():
    job = a_job(recipe=SodAugmented(fit=True))

    factors = {view.camera.distance for view, _ in views_of(job)}
    assert factors == {1.0, 1.0 / 0.85, 1.3 / 0.85}
    grid = a_job(recipe=SodGrid(fit=True))
    assert {view.camera.distance for view, _ in views_of(grid)} == {1.0}


def test_pairs_that_would_read_alike_under_names_of_before_are_refused():
    def named(name, *, kind="model"):
        return an_asset(name, kind=kind).model_copy(update={"id": name.partition(".")[0]})

    job = the_job(
        {"models": ["a_b.obj", "a.obj"], "hdrs": ["c.exr", "b_c.exr"]},
        models=[named("a_b.obj"), named("a.obj")],
        hdrs=[named("c.exr", kind="hdr"), named("b_c.exr", kind="hdr")],
    )

    assert any("would look the same" in mistake for mistake in expand.mistakes(job))


# Randomise


def randomised(mode, groups):
    return a_job(recipe=mode.model_validate({"randomise": groups}), models=1, hdrs=1)


def views_in(job):
    return [view for task in expand.expand(job) for view in task.views]


@pytest.mark.parametrize("mode", [SodGrid, SodAugmented])
@pytest.mark.parametrize("group", ["lights", "exposure", "camera", "materials"])
def test_what_is_randomised_changes_nothing_else_of_a_view(mode, group):
    own = {"camera": {"camera"}}.get(group, {"drawn"})
    changed = set()
    for before, after in zip(
        views_in(randomised(mode, None)), views_in(randomised(mode, group)), strict=True
    ):
        changed |= {
            name
            for name in type(before).model_fields
            if getattr(before, name) != getattr(after, name)
            and (name != "name" or mode is SodGrid)  # begins with what the settings hash to
        }
    assert changed == own


def test_a_grid_may_turn_its_sky():
    lights = {view.light for view in views_in(randomised(SodGrid, "hdri"))}
    assert len({light.rotation_deg for light in lights}) > 90
    assert all(0.4 <= light.strength <= 1.5 for light in lights)


def test_augmented_views_turn_it_already():
    with pytest.raises(ValidationError, match="augmented views turn the HDRI already"):
        randomised(SodAugmented, "hdri")


def test_a_longer_lens_stands_further_off():
    camera = {"camera": {"focal_length_mm": 100, "distance": 1, "roll_deg": 5, "look_at": 0}}
    for view in views_in(randomised(SodGrid, camera)):
        assert view.camera.distance == pytest.approx(2 * 3.5)
        assert view.camera.roll_deg == 5


def test_groups_that_one_model_has_not_are_refused():
    with pytest.raises(ValidationError, match="distractors"):
        randomised(SodGrid, "distractors")


def test_views_that_are_not_randomised_keep_their_ids():
    """Jobs of before `randomise` continue."""
    view = views_in(randomised(SodGrid, None))[0]
    told = view.model_dump(mode="json")
    assert "drawn" not in told
    assert not {"roll_deg", "look_at"} & set(told["camera"])
    assert "randomise" not in SodGrid().model_dump(mode="json")


@pytest.mark.parametrize("views_per_task", [1, 7, 96])
def test_assets_of_tasks_are_told_without_making_these(views_per_task):
    job = a_job(models=3, hdrs=2, views_per_task=views_per_task)
    tasks = list(expand.expand(job))

    assert [expand.assets_of(job, task.index) for task in tasks] == [task.assets for task in tasks]
    for asset in job.assets:
        told = [index for run in expand.tasks_of(job, asset) for index in run]
        assert told == [task.index for task in tasks if asset in task.assets]
