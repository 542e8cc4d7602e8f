"""Jobs of scripts as tasks: whole episodes, numbers that hang on nothing but their place."""

import pytest
from pydantic import ValidationError

from farm import expand
from farm.errors import SpecError
from farm.spec.job import Job, make_job
from farm.spec.load import parse_spec
from farm.spec.task import view_id
from tests.builders import an_asset

SCENE = an_asset("cubes.blend", kind="scene").model_copy(update={"role": "scene"})
SCRIPT = an_asset("cubes.py", kind="script").model_copy(update={"role": "script"})


def a_script_job(*, views_per_task: int = 10, **recipe: object) -> Job:
    spec = parse_spec(
        {
            "scene": "cubes.blend",
            "script": "cubes.py",
            "recipe": {"kind": "script", **recipe},
            "views_per_task": views_per_task,
        }
    )
    return make_job(spec, [SCENE, SCRIPT])


def all_views(job: Job):
    return [view for task in expand.expand(job) for view in task.views]


@pytest.mark.parametrize(
    ("episode", "views", "sizes"),
    [
        pytest.param(None, 25, [10, 10, 5], id="views on their own"),
        pytest.param(4, 25, [8, 8, 8, 1], id="two whole episodes in each"),
        pytest.param(10, 25, [10, 10, 5], id="one in each"),
        pytest.param(25, 60, [10, 10, 5, 10, 10, 5, 10], id="parts of one"),
    ],
)
def test_a_task_crosses_no_episode_that_it_cannot_hold(episode, views, sizes):
    job = a_script_job(episode=episode, views=views)

    tasks = list(expand.expand(job))

    assert [len(task.views) for task in tasks] == sizes
    assert expand.count(job) == expand.Count(tasks=len(sizes), views=views)
    assert [view.index for view in all_views(job)] == list(range(views))


def test_an_episode_is_made_of_steps_of_the_scene():
    views = all_views(a_script_job(episode=3, views=6, first_frame=20, frame_step=5))

    assert [(view.episode, view.step, view.frame) for view in views] == [
        (0, 0, 20), (0, 1, 25), (0, 2, 30), (1, 0, 20), (1, 1, 25), (1, 2, 30),
    ]  # fmt: skip


def test_parameters_are_drawn_once_per_episode_within_their_bounds():
    randomise = {
        "size": {"kind": "uniform", "low": 1, "high": 2},
        "place": {"kind": "normal", "mean": [0, 0, 5], "std": [1, 1, 0]},
        "count": {"kind": "whole", "low": 3, "high": 4},
        "colour": {"kind": "choice", "values": ["red", "blue"]},
    }
    views = all_views(a_script_job(episode=2, views=40, randomise=randomise, params={"mass": 7}))

    for first, second in zip(views[::2], views[1::2], strict=True):
        assert first.params == second.params
        assert 1 <= first.params["size"] <= 2
        assert first.params["place"][2] == 5
        assert first.params["mass"] == 7
    assert {view.params["count"] for view in views} == {3, 4}
    assert {view.params["colour"] for view in views} == {"red", "blue"}
    assert len({view.params["size"] for view in views}) == 20


def test_one_more_parameter_changes_no_other_and_a_view_stands_alone():
    one = {"size": {"kind": "uniform", "low": 1, "high": 2}}
    two = one | {"age": {"kind": "normal", "mean": 0, "std": 1}}
    few = all_views(a_script_job(views=12, randomise=one))
    more = all_views(a_script_job(views=30, randomise=two))

    assert [view.params["size"] for view in few] == [view.params["size"] for view in more[:12]]


def test_a_longer_job_finds_the_views_of_a_shorter_one():
    short, long = a_script_job(views=10), a_script_job(views=20)

    ids = [[view_id(task, view) for view in task.views] for task in (
        expand.render_task(short, 0), expand.render_task(long, 0)
    )]  # fmt: skip

    assert ids[0] == ids[1]


def test_another_script_makes_other_views():
    job = a_script_job(views=1)
    other = SCRIPT.model_copy(update={"sha256": "ab" * 32})
    changed = make_job(job.spec, [SCENE, other])

    ids = [view_id(task, task.views[0]) for task in (
        expand.render_task(job, 0), expand.render_task(changed, 0)
    )]  # fmt: skip

    assert ids[0] != ids[1]


def test_episodes_are_told_apart_for_splits():
    groups = [task.group for task in expand.expand(a_script_job(episode=20, views=40))]

    assert groups[0] == groups[1]
    assert groups[1] != groups[2]


def test_parameters_may_be_written_as_words():
    job = a_script_job(params="size=2.5, colour=red, wide=true")

    assert job.spec.recipe.params == {"size": 2.5, "colour": "red", "wide": True}


@pytest.mark.parametrize(
    ("recipe", "words"),
    [
        pytest.param({"params": "size"}, "NAME=VALUE", id="a word without a value"),
        pytest.param({"params": {"a b": 1}}, "a name that Python can have", id="an odd name"),
        pytest.param(
            {"params": {"a": 1}, "randomise": {"a": {"kind": "choice", "values": [1]}}},
            "name it once",
            id="fixed and drawn",
        ),
        pytest.param(
            {"randomise": {"a": {"kind": "uniform", "low": 2, "high": 1}}}, "is above high",
            id="reversed",
        ),
        pytest.param(
            {"randomise": {"a": {"kind": "uniform", "low": [1, 2], "high": 1}}},
            "two lists of as many numbers",
            id="a vector and a number",
        ),
        pytest.param(
            {"randomise": {"a": {"kind": "normal", "mean": 0, "std": -1}}}, "is below 0",
            id="a width below 0",
        ),
        pytest.param({"episode": 2000, "frame_step": 1000}, "its last frame would be", id="late"),
        pytest.param({"views": 0}, "views", id="no views"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused_in_a_sentence(recipe, words):
    with pytest.raises((SpecError, ValidationError), match=words):
        a_script_job(**recipe)


def test_a_script_needs_no_scene_and_exactly_one_file():
    bare = parse_spec({"script": "a.py", "recipe": {"kind": "script"}})
    twice = [SCRIPT, SCRIPT.model_copy(update={"id": "b", "sha256": "cd" * 32})]

    assert not list(expand.mistakes(make_job(bare, [SCRIPT])))
    assert "too many" in "".join(expand.mistakes(make_job(bare, twice)))
