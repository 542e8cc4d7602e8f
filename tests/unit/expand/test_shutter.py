"""The open shutter of a sequence: what a spec may say, and what its tasks are told."""

from __future__ import annotations

import os

import pytest
from pydantic import ValidationError

from farm.expand import expand
from farm.expand.recipe import mistakes
from farm.local.plan.estimate import make_estimate
from farm.settings import Settings
from farm.spec.job import JobSpec, make_job
from farm.spec.passes import SHUTTERED
from farm.spec.scene_facts import SceneFacts
from farm.spec.shutter import Shutter
from farm.spec.task import view_id
from farm.spec.view_sizes import pass_bytes
from tests.builders import an_asset
from worker.supervisor.time_limit import FLOOR_S, TimeLimits

FACTS = SceneFacts(fps=25, frame_start=1, frame_end=10, cameras=("Cam",), camera="Cam")


def spec_of(*passes, **recipe):
    return JobSpec.model_validate(
        {
            "recipe": {"kind": "sequence", **recipe},
            "scenes": ["x.blend"],
            "passes": passes or ("rgb", "mask"),
        }
    )


def job_of(*passes, **recipe):
    scene = an_asset("x.blend").model_copy(
        update={"scene": FACTS, "kind": "scene", "role": "scenes"}
    )
    return make_job(spec_of(*passes, **recipe), [scene])


def ids(job):
    return [view_id(task, view) for task in expand(job) for view in task.views]


def test_sub_frames_are_spread_from_opening_to_closing_around_the_frame():
    odd = Shutter(open=0.5, subframes=5, event_threshold=0.2)
    assert odd.offsets == (-0.25, -0.125, 0.0, 0.125, 0.25)
    assert odd.weights == (0.125, 0.25, 0.25, 0.25, 0.125)
    assert odd.pictures == 5
    even = Shutter(open=0.9, subframes=4, event_threshold=0.2)
    assert even.offsets == pytest.approx((-0.45, -0.15, 0.15, 0.45))
    assert even.pictures == 5, "the frame itself is none of them"


@pytest.mark.parametrize("subframes", range(2, 40))
def test_sub_frames_stand_for_all_of_the_time_and_are_centred(subframes):
    shutter = Shutter(open=0.7, subframes=subframes, event_threshold=0.2)
    assert sum(shutter.weights) == pytest.approx(1.0)
    assert len(shutter.offsets) == len(shutter.weights) == subframes
    assert list(shutter.offsets) == [-each for each in shutter.offsets[::-1]]
    assert (0.0 in shutter.offsets) == (subframes % 2 == 1)


def test_tasks_know_of_the_shutter():
    [task] = expand(job_of("rgb", "blur", shutter=0.5, subframes=8))
    assert task.setup.shutter == Shutter(open=0.5, subframes=8, event_threshold=0.2)
    view = task.views[0]
    assert view.path_of("blur", picture_format="jxl").endswith("/blurred/blurred_000001.jxl")
    assert view.path_of("events", picture_format="jxl").endswith("/events/events_000001.npz")


def test_frames_without_an_open_shutter_keep_their_ids():
    known = job_of()
    [task] = expand(known)
    assert "shutter" not in task.setup.model_dump(mode="json")
    named = {"shutter", "subframes", "event_threshold"}
    assert not named & known.spec.model_dump(mode="json")["recipe"].keys()
    said = job_of(shutter=0.0, subframes=3, event_threshold=0.5)
    assert ids(said) == ids(known)


def test_what_is_seen_through_another_shutter_is_another_picture():
    kinds = [
        {"shutter": 0.5}, {"shutter": 0.25}, {"shutter": 0.5, "subframes": 8},
        {"shutter": 0.5, "event_threshold": 0.1},
    ]  # fmt: skip
    jobs = [job_of("events", **kind) for kind in kinds]
    assert len({ids(job)[0] for job in jobs}) == len(kinds)
    assert len({job.job_id for job in jobs}) == len(kinds)
    assert job_of("events", shutter=0.5, subframes=9).job_id == jobs[0].job_id


@pytest.mark.parametrize("name", SHUTTERED)
def test_its_passes_need_it_open(name):
    with pytest.raises(ValidationError, match=f"{name}: .* such as --shutter 0.5"):
        spec_of("rgb", name)
    with pytest.raises(ValidationError, match=f"{name}: views of the recipe sod"):
        JobSpec.model_validate({"models": ["x.obj"], "hdrs": ["x.hdr"], "passes": ["rgb", name]})
    assert spec_of(name, shutter=1.0)


def test_a_shutter_that_no_pass_shows_is_told():
    [told] = mistakes(job_of("rgb", "flow", shutter=0.5))
    assert told.startswith("shutter: none of the passes shows it, and rgb stays sharp: add blur")
    assert not list(mistakes(job_of("rgb", "events", shutter=0.5)))


@pytest.mark.parametrize(
    "wrong",
    [
        {"shutter": -0.1}, {"shutter": 1.1}, {"shutter": float("nan")}, {"subframes": 1},
        {"subframes": 2.5}, {"event_threshold": 0.0}, {"event_threshold": float("inf")},
    ],
)  # fmt: skip
def test_what_no_shutter_can_be_is_refused(wrong):
    with pytest.raises(ValidationError, match=next(iter(wrong))):
        spec_of("blur", **{"shutter": 0.5, **wrong})


def test_more_pictures_take_longer_and_may():
    plain, shuttered = job_of("rgb", "depth"), job_of("rgb", "blur", shutter=0.5, subframes=8)
    limits = TimeLimits(Settings(device="cpu", threads=2))
    limits.warm(os.getpid())
    spans = [limits.limit_s(next(iter(expand(job)))) - FLOOR_S for job in (plain, shuttered)]
    assert spans[1] == pytest.approx(9 * spans[0])
    seconds = [make_estimate(job, devices=["cpu"]).seconds for job in (plain, shuttered)]
    assert seconds[1] > 5 * seconds[0]
    assert all(pass_bytes(name, shuttered) > 0 for name in SHUTTERED)
