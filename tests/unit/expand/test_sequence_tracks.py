"""Which points a sequence follows is said once, the same for all of its frames."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from farm import expand
from farm.spec.job import JobSpec, make_job
from farm.spec.scene_facts import CameraCut, SceneFacts
from farm.spec.task import view_id
from tests.builders import an_asset

FACTS = SceneFacts(fps=25, frame_start=1, frame_end=40, cameras=("Cam", "Top"), camera="Cam")


def job_of(facts=FACTS, views_per_task=100, passes=("rgb", "mask"), **recipe):
    spec = JobSpec.model_validate(
        {
            "recipe": {"kind": "sequence", **recipe}, "scenes": ["x.blend"],
            "passes": list(passes), "views_per_task": views_per_task,
        }
    )  # fmt: skip
    scene = an_asset("street.blend", kind="scene").model_copy(update={"scene": facts})
    return make_job(spec, [scene])


def test_asking_for_points_adds_their_pass():
    assert job_of(tracks=64).spec.passes == ("rgb", "mask", "tracks")
    spec = {"recipe": {"kind": "sequence", "tracks": 64}, "scenes": ["x.blend"]}
    assert JobSpec.model_validate(spec).passes == ("rgb", "mask", "tracks")
    assert job_of(tracks=64, passes=("tracks",)).spec.passes == ("tracks",)
    assert JobSpec.model_validate({**spec, "recipe": {"kind": "sequence"}}).passes == (
        "rgb",
        "mask",
    )


def test_points_are_chosen_evenly_over_the_sequence_by_what_sees_it_there():
    cuts = (CameraCut(frame=1, camera="Cam"), CameraCut(frame=20, camera="Top"))
    job = job_of(
        FACTS.model_copy(update={"cuts": cuts}), passes=("rgb", "tracks"), frames=31, frame_start=5,
        keyframe_multiplier=[2],
    )  # fmt: skip
    [*tasks] = expand.expand(job)
    wanted = tasks[0].setup.tracks
    assert wanted.count == 256
    assert [start.place for start in wanted.starts] == [0, 10, 20, 30]
    assert [start.frame for start in wanted.starts] == [5, 10, 15, 20]
    assert [start.camera.name for start in wanted.starts] == ["Cam", "Cam", "Cam", "Top"]


def test_all_chunks_of_a_sequence_follow_the_same_points_and_other_sequences_others():
    job = job_of(tracks=9, sequences_per_scene=2, views_per_task=7)
    seeds: dict[str, set] = {}
    for task in expand.expand(job):
        seeds.setdefault(task.views[0].moment.sequence, set()).add(
            task.setup.tracks.model_dump_json()
        )
    assert [len(each) for each in seeds.values()] == [1, 1]
    assert len(set.union(*seeds.values())) == 2


def test_a_single_frame_is_one_start():
    [task] = expand.expand(job_of(tracks=9, frames=1))
    assert [start.place for start in task.setup.tracks.starts] == [0]


def test_frames_without_tracks_have_the_ids_that_they_had():
    [task] = expand.expand(job_of())
    assert "tracks" not in task.setup.model_dump(mode="json")
    assert "tracks" not in job_of().spec.model_dump(mode="json")["recipe"]
    [tracked] = expand.expand(job_of(tracks=9))
    [more] = expand.expand(job_of(tracks=10))
    ids = {view_id(each, each.views[0]) for each in (task, tracked, more)}
    assert len(ids) == 3


def test_views_of_other_recipes_have_no_tracks():
    with pytest.raises(ValidationError, match="tracks: views of the recipe sod have no neighbour"):
        JobSpec.model_validate({"models": ["a.glb"], "hdrs": ["b.hdr"], "passes": ["tracks"]})


@pytest.mark.parametrize("count", [0, -1, 100_001, "many"])
def test_a_number_of_points_that_makes_no_sense_is_refused(count):
    with pytest.raises(ValidationError, match="tracks"):
        job_of(tracks=count)
