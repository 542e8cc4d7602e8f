"""Sequences whose camera follows a path of ours."""

from __future__ import annotations

import pytest

from farm.cli.request.request import read_request
from farm.errors import SpecError
from farm.expand.recipe import expand, mistakes
from farm.expand.sequence import plan_of
from farm.local.plan.prepare import with_files
from farm.local.receipt import Draft
from farm.spec.job import make_job
from farm.spec.load import parse_spec
from farm.spec.scene_facts import SceneFacts
from farm.spec.task import RenderTask
from tests.builders import an_asset

STILL = SceneFacts(fps=24, frame_start=1, frame_end=1)
PLAYS = SceneFacts(fps=24, frame_start=1, frame_end=48)
TUM = "".join(f"{seconds} {seconds} 0 0 0 0 0 1\n" for seconds in range(5))


def a_spec(**recipe):
    return parse_spec({"recipe": {"kind": "sequence", **recipe}, "scenes": "room.blend"})


def a_job(facts=STILL, **recipe):
    scene = an_asset("room.blend", kind="scene").model_copy(update={"scene": facts})
    return make_job(a_spec(**recipe), [scene])


def posed(base, **recipe):
    spec = with_files(a_spec(**recipe), base=base, draft=Draft())
    scene = an_asset("room.blend", kind="scene").model_copy(update={"scene": STILL})
    return make_job(spec, [scene])


def frames_of(job):
    return [each.take.frames for each in plan_of(job).shootings]


def test_a_scene_that_stands_still_is_filmed_for_as_long_as_one_likes():
    assert frames_of(a_job(camera="orbit", frames=250)) == [250]
    job = a_job(camera="orbit", frames=250, sequences_per_scene=3, frame_step=2)
    assert [each.take.number for each in plan_of(job).shootings] == [1, 501, 1001]


def test_it_must_be_said_for_how_long():
    assert list(mistakes(a_job(camera="orbit"))) == [
        "scenes: room.blend stands still, so its camera may move for as long as you like: say with "
        "--frames how many frames a sequence has"
    ]


def test_a_scene_that_plays_is_filmed_while_it_does():
    [sentence] = mistakes(a_job(PLAYS, camera="orbit", frames=250))
    assert "frames 1 to 48 are too few" in sentence
    assert frames_of(a_job(PLAYS, camera="orbit")) == [48]


def test_one_maker_lays_the_paths_of_all_sequences_of_a_scene():
    job = a_job(PLAYS, camera="random_walk", frames=20, sequences_per_scene=2)
    maker, first, _, second, _ = expand(job)
    assert maker.product
    assert maker.setup.takes[1].place == 1
    assert [task.needs.made_by for task in (first, second)] == [0, 0]
    assert [task.needs.product for task in (first, second)] == [maker.product] * 2
    assert [task.setup.take for task in (first, second)] == [0, 1]


def test_other_seeds_lay_other_paths():
    products = set()
    for seed in (0, 1):
        job = a_job(camera="random_walk", frames=20)
        spec = job.spec.model_copy(update={"seed": seed})
        products.add(next(iter(expand(make_job(spec, job.assets)))).product)
    assert len(products) == 2


def test_pictures_of_another_shape_are_filmed_along_another_path():
    """In a narrower picture the target may be out of sight where it was not."""
    products = []
    for resolution in ((64, 64), (128, 128), (128, 64)):
        job = a_job(camera="random_walk", frames=20)
        settings = job.spec.render.model_copy(update={"resolution": resolution})
        spec = job.spec.model_copy(update={"render": settings})
        products.append(next(iter(expand(make_job(spec, job.assets)))).product)
    assert products[0] == products[1] != products[2]


def test_a_trajectory_is_known_by_its_poses_wherever_its_file_lies(tmp_path):
    jobs = []
    for name in ("one/walk.txt", "other/path.tum"):
        path = tmp_path / name
        path.parent.mkdir()
        path.write_text(TUM)
        jobs.append(posed(tmp_path, camera=name))
    one, other = jobs
    assert one.job_id == other.job_id
    assert one.spec.recipe.camera.file is None
    assert len(one.spec.recipe.camera.poses) == 5


def test_its_poses_travel_with_the_maker_alone(tmp_path):
    (tmp_path / "walk.txt").write_text(TUM)
    maker, first, *_ = expand(posed(tmp_path, camera={"kind": "trajectory", "file": "walk.txt"}))
    assert len(maker.setup.path.poses) == 5
    assert first.setup.path.poses == ()
    assert RenderTask.model_validate_json(maker.model_dump_json()) == maker


def test_a_scene_that_stands_still_is_filmed_as_long_as_the_trajectory_lasts(tmp_path):
    (tmp_path / "walk.txt").write_text(TUM)
    assert frames_of(posed(tmp_path, camera="walk.txt")) == [97]
    assert frames_of(posed(tmp_path, camera="walk.txt", sequences_per_scene=2)) == [48, 48]
    twice = {"kind": "trajectory", "file": "walk.txt", "speed": 2.0}
    assert frames_of(posed(tmp_path, camera=twice)) == [49]


def test_a_trajectory_that_ends_before_its_sequence_is_told_before_anything_starts(tmp_path):
    (tmp_path / "walk.txt").write_text(TUM)
    [sentence] = mistakes(posed(tmp_path, camera="walk.txt", frames=98))
    assert sentence.startswith("camera: the trajectory lasts 4 s, and the frames of room.blend")
    assert "take 4.042 s: lower --frames" in sentence


def test_a_trajectory_without_poses_is_refused():
    assert list(mistakes(a_job(camera="trajectory", frames=3))) == [
        "camera: a trajectory needs a file, or its poses: --camera FILE"
    ]


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(SpecError, match=r"walk.txt: cannot be read: No such file"):
        posed(tmp_path, camera="walk.txt")


def test_a_file_in_a_spec_lies_beside_it_and_one_of_a_flag_where_one_is(tmp_path, monkeypatch):
    (tmp_path / "specs").mkdir()
    (tmp_path / "specs" / "walk.txt").write_text(TUM)
    (tmp_path / "here.csv").write_text(
        "time_s,x,y,z,qx,qy,qz,qw\n0,0,0,0,0,0,0,1\n1,0,0,1,0,0,0,1\n"
    )
    path = tmp_path / "specs" / "film.yaml"
    path.write_text("scenes: room.blend\nrecipe: {kind: sequence, camera: walk.txt}\n")
    monkeypatch.chdir(tmp_path)

    spec, base = read_request([str(path)], {})
    assert len(with_files(spec, base=base, draft=Draft()).recipe.camera.poses) == 5
    spec, base = read_request([str(path)], {"recipe.camera": "here.csv"})
    assert len(with_files(spec, base=base, draft=Draft()).recipe.camera.poses) == 2


def test_fields_of_a_camera_may_be_set_beside_its_word(tmp_path, monkeypatch):
    (tmp_path / "walk.txt").write_text(TUM)
    monkeypatch.chdir(tmp_path)
    flags = {"scenes": ["room.blend"], "recipe.kind": "sequence"}
    more = ["recipe.camera.target=Table", "recipe.camera.speed=2"]

    spec, _ = read_request([], {**flags, "recipe.camera": "orbit"}, more)
    assert (spec.recipe.camera.kind, spec.recipe.camera.target) == ("orbit", "Table")
    spec, base = read_request([], {**flags, "recipe.camera": "walk.txt"}, more)
    path = with_files(spec, base=base, draft=Draft()).recipe.camera
    assert (path.kind, path.speed, len(path.poses)) == ("trajectory", 2.0, 5)


@pytest.mark.parametrize(("camera", "sentence"), [
    ({"speed": 2}, "recipe.camera: lacks its 'kind'"),
    ("orbits", "camera.kind: 'orbits' is not one of"),
    ({"kind": "orbit", "speed": "quick"}, "camera.orbit.speed: 'quick' is not a number"),
    ({"kind": "orbit", "radius": 0}, "radius: 0 is not more than 0"),
    ({"kind": "random_walk", "speed": 0}, "speed: 0 is not more than 0"),
    ({"kind": "trajectory", "poses": [[0, 0, 0, 0, 0, 0, 0, 1]]}, "poses: give two or more of 8"),
    ({"kind": "trajectory", "poses": [[0, 0, 0, 0, 0, 0, 0, 1]] * 2}, "their times do not rise"),
])  # fmt: skip
def test_a_camera_that_is_none_is_told_by_its_field(camera, sentence):
    with pytest.raises(SpecError) as refused:
        a_spec(camera=camera)
    assert sentence in str(refused.value)
