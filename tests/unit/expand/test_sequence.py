"""How scenes are cut into sequences."""

from __future__ import annotations

import itertools

import pytest

from farm import expand
from farm.errors import SpecError
from farm.expand.recipe import mistakes, remarks, waits_for
from farm.spec.job import JobSpec, make_job
from farm.spec.scene_facts import Baked, Cache, CameraCut, Clip, SceneFacts
from farm.spec.view_sizes import view_bytes
from tests.builders import an_asset

FACTS = SceneFacts(fps=25, frame_start=1, frame_end=600, cameras=("Cam", "Top"), camera="Cam")


def job_of(*facts, views_per_task=100, **recipe):
    spec = JobSpec.model_validate(
        {
            "recipe": {"kind": "sequence", **recipe},
            "scenes": ["x.blend"],
            "views_per_task": views_per_task,
        }
    )
    scenes = [
        an_asset(f"scene{number}.blend").model_copy(
            update={"scene": each, "kind": "scene", "role": "scenes"}
        )
        for number, each in enumerate(facts or (FACTS,))
    ]
    return make_job(spec, scenes)


def frames(job):
    """Moments of each sequence."""
    found = {}
    for task in expand.expand(job):
        for view in task.views:
            found.setdefault(view.moment.sequence, []).append(view)
    return found


def test_a_scene_is_one_sequence_unless_said():
    [(name, views)] = frames(job_of()).items()
    assert name == "scene0/001-00001-00600"
    assert [view.frame for view in views] == list(range(1, 601))
    assert views[0].path_of("rgb", picture_format="png") == f"{name}/frames/frame_000001.png"
    assert views[0].path_of("depth", picture_format="png") == f"{name}/depths/depth_000001.exr"


def test_scene_flow_and_occlusion_are_words_for_several_passes():
    spec = JobSpec.model_validate(
        {
            "recipe": {"kind": "sequence"}, "scenes": ["x.blend"],
            "passes": ["rgb", "scene_flow", "occlusion", "scene_flow_forward_world"],
        }
    )  # fmt: skip
    assert spec.passes == (
        "rgb", "scene_flow_forward", "scene_flow_backward", "occlusion_forward",
        "occlusion_backward", "out_of_frame_forward", "out_of_frame_backward",
        "scene_flow_forward_world",
    )  # fmt: skip
    [_, *paths] = [
        frames(job_of())["scene0/001-00001-00600"][0].path_of(name, picture_format="png")
        for name in spec.passes
    ]
    assert len(set(paths)) == len(paths)
    assert paths[0] == "scene0/001-00001-00600/scene_flows/forward_000001.exr"
    assert paths[2] == "scene0/001-00001-00600/occlusions/forward_000001.png"


@pytest.mark.parametrize("name", ["scene_flow", "occlusion", "scene_flow_forward_world"])
def test_models_have_no_neighbouring_frames_to_carry_points_to(name):
    with pytest.raises(ValueError, match="of the recipe sod have no neighbouring frames"):
        JobSpec.model_validate({"models": ["x.glb"], "hdrs": ["y.hdr"], "passes": [name]})


def test_it_is_told_that_a_dark_scene_is_lit_evenly_in_pictures():
    dark = FACTS.model_copy(update={"is_dark": True})
    job = job_of(dark)
    assert frames(job)
    [sentence] = remarks(job)
    assert sentence.startswith("scene0.blend: nothing in it gives light: ")

    depth = job.spec.model_copy(update={"passes": ("depth", "flow_forward")})
    assert not remarks(make_job(depth, job.assets))
    hdr = an_asset("sky.exr").model_copy(update={"kind": "hdr", "role": "hdrs"})
    assert not remarks(make_job(job.spec, (*job.assets, hdr)))


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({}, "frames 1 to 600 are asked for"),
        ({"frame_end": 50}, None),
        ({"frame_start": 40, "frame_end": 51, "sequences_per_scene": 2}, "frames 40 to 51"),
        ({"frame_start": -3, "frame_end": 9}, "frames -3 to 9"),
        ({"keyframe_multiplier": [2.0], "frame_start": 49, "frame_end": 51}, "frames 49 to 51"),
    ],
)
def test_it_is_told_that_a_cache_holds_fewer_frames_than_are_asked_for(asked, told):
    short = FACTS.model_copy(
        update={"caches": (Cache(name="crowd.abc", frame_start=1.0000000001, frame_end=50),)}
    )
    job = job_of(short, **asked)
    assert frames(job)
    begin = "scene0.blend: crowd.abc moves things in frames 1 to 50 alone, and "
    if told is None:
        assert not remarks(job)
    else:
        [sentence] = remarks(job)
        assert sentence.startswith(begin)
        assert told in sentence


def test_a_still_scene_has_as_many_frames_as_are_asked_for():
    still = SceneFacts(fps=24, frame_start=0, frame_end=0, is_still=True)
    asked = {"camera": "orbit", "frames": 10, "frame_step": 2, "sequences_per_scene": 3}
    found = frames(job_of(still, keyframe_multiplier=[0.5, 2.0], **asked))
    assert [len(views) for views in found.values()] == [10] * 6

    with pytest.raises(SpecError, match=r"stands still, .* say with --frames how many"):
        frames(job_of(still, camera="orbit"))
    with pytest.raises(SpecError, match="frames 0 to 5 are too few"):
        frames(job_of(still, frame_end=5, **asked))


def test_a_cut_to_a_camera_that_labels_cannot_follow_is_told():
    cuts = (CameraCut(frame=1, camera="Cam"), CameraCut(frame=90, camera="Ball"))
    facts = FACTS.model_copy(update={"cuts": cuts, "unfit_cameras": {"Ball": "it is a mirror"}})

    with pytest.raises(SpecError, match="switches to the camera Ball at frame 90: it is a mirror"):
        frames(job_of(facts))
    assert frames(job_of(facts, cameras=["Top"]))


def test_neighbouring_sequences_share_no_frame_and_ends_are_inclusive():
    found = frames(job_of(sequences_per_scene=4, frames=150))
    assert list(found) == [
        "scene0/001-00001-00150", "scene0/001-00151-00300",
        "scene0/001-00301-00450", "scene0/001-00451-00600",
    ]  # fmt: skip
    for one, other in itertools.combinations(found.values(), 2):
        assert not {view.frame for view in one} & {view.frame for view in other}


def test_slow_motion_keeps_all_of_the_scene():
    [(name, views)] = frames(job_of(frames=1200, keyframe_multiplier=[2])).items()
    assert name == "scene0/002-00002-01201"
    assert [view.frame for view in views[:3]] == [1.0, 1.5, 2.0]
    assert views[0].moment.fps == 50
    assert views[3].moment.time_s == pytest.approx(3 / 50)


def test_multipliers_that_begin_alike_have_folders_of_their_own():
    found = frames(job_of(frames=10, keyframe_multiplier=[1, 1.5]))
    assert list(found) == ["scene0/001-00001-00010", "scene0/1.5-00002-00011"]


def test_steps_are_told_in_the_frame_rate():
    [(name, views)] = frames(job_of(frames=4, frame_step=5, frame_start=11)).items()
    assert name == "scene0/001-00011-00026"
    assert [view.frame for view in views] == [11, 16, 21, 26]
    assert views[0].moment.fps == 5


def test_a_scene_that_is_too_short_is_told_before_anything_starts():
    short = FACTS.model_copy(update={"frame_end": 9})
    with pytest.raises(SpecError, match=r"scene1\.blend: frames 1 to 9 are too few: 1 x 10 frames"):
        expand.count(job_of(FACTS, short, frames=10))


def test_a_scene_that_is_too_short_may_be_left_out():
    short = FACTS.model_copy(update={"frame_end": 9})
    job = job_of(FACTS, short, frames=10, allow_skips=True)
    assert list(frames(job)) == ["scene0/001-00001-00010"]
    [remark] = remarks(job)
    assert "left out: scenes: scene1.blend: frames 1 to 9 are too few" in remark


def test_all_scenes_that_cannot_be_used_are_told_at_once():
    short = FACTS.model_copy(update={"frame_end": 9})
    blind = FACTS.model_copy(update={"camera": None, "cameras": ()})
    told = list(mistakes(job_of(short, blind, frames=10)))
    assert [sentence.split(":")[1].split()[0] for sentence in told] == [
        "scene0.blend",
        "scene1.blend",
    ]


def test_light_of_an_hdri_takes_one():
    assert list(mistakes(job_of(frames=2, lights="hdri"))) == [
        "lights: there is no HDRI to light the scenes: name some with --hdrs"
    ]


@pytest.mark.parametrize(
    ("facts", "recipe", "sentence"),
    [
        ({"refused": ("the linked file kit.blend is missing",)}, {}, "kit.blend is missing"),
        ({"python_drivers": ("Cube: location[0]",)}, {}, "driven by Python"),
        ({}, {"cameras": ["Side"]}, "has no camera 'Side', it has Cam, Top"),
        ({"camera": None, "cameras": ()}, {}, "no camera that it renders with"),
        (
            {"camera": None, "cameras": (), "unfit_cameras": {"Ball": "its kind is 'mirror ball'"}},
            {}, "its camera Ball: its kind is 'mirror ball'",
        ),
        ({}, {"clip": "Walk"}, "has no animation 'Walk'"),
        ({}, {"frame_start": 700}, "no frames are left from 700 to 600"),
    ],
)  # fmt: skip
def test_what_cannot_be_right_is_told_by_scene(facts, recipe, sentence):
    job = job_of(FACTS.model_copy(update=facts), **recipe)
    with pytest.raises(SpecError, match=r"scene0\.blend") as caught:
        expand.count(job)
    assert sentence in str(caught.value)
    assert sentence in "\n".join(mistakes(job))


def test_each_animation_of_a_file_makes_sequences_of_its_own():
    clips = (
        Clip(name="Walk", frame_start=0, frame_end=9),
        Clip(name="Run!", frame_start=0, frame_end=4),
    )
    facts = FACTS.model_copy(update={"clips": clips})
    assert list(frames(job_of(facts))) == [
        "scene0/001-00000-00009-Walk",
        "scene0/001-00000-00004-Run",
    ]
    [one] = frames(job_of(facts, clip="Run!"))
    assert one == "scene0/001-00000-00004-Run"


def test_all_animations_of_a_file_may_play_at_once():
    clips = (
        Clip(name="Walk", frame_start=2, frame_end=9),
        Clip(name="Run", frame_start=0, frame_end=4),
    )
    job = job_of(FACTS.model_copy(update={"clips": clips}), clip="all")
    assert list(frames(job)) == ["scene0/001-00000-00009-all"]
    assert list(frames(job_of(clip="all", frames=2))) == ["scene0/001-00001-00002"]


def test_markers_switch_cameras_in_the_middle_of_a_sequence():
    cuts = (CameraCut(frame=1, camera="Cam"), CameraCut(frame=4, camera="Top"))
    job = job_of(FACTS.model_copy(update={"cuts": cuts}), frames=6)
    [views] = frames(job).values()
    assert [view.camera.name for view in views] == ["Cam"] * 3 + ["Top"] * 3
    assert [view.cut_after for view in views] == [False, False, True, False, False, False]
    assert [view.cut_before for view in views] == [False, False, False, True, False, False]


def test_all_cameras_see_the_same_moments():
    found = frames(job_of(frames=2, cameras=["all"]))
    assert list(found) == ["scene0/001-00001-00002-Cam", "scene0/001-00001-00002-Top"]


def test_only_scenes_that_simulate_have_a_maker():
    simulates = FACTS.model_copy(update={"simulations": ("cloth of Flag",)})
    job = job_of(FACTS, simulates, frames=10, sequences_per_scene=3, views_per_task=5)
    ask = waits_for(job)
    tasks = list(expand.expand(job))
    assert [bool(task.product) for task in tasks].count(True) == 1
    assert tasks[0].setup.bake == (0, 411)
    waiting = [task for task in tasks[1:] if ask(task.index) is not None]
    assert {task.assets[0].name for task in waiting} == {"scene1.blend"}
    assert {task.needs.product for task in waiting} == {tasks[0].product}
    assert all(task.needs is None for task in tasks[1:] if task not in waiting)


def test_ids_of_frames_do_not_hang_on_how_tasks_are_cut():
    from farm.spec.task import view_id

    def ids(job):
        return {
            view.name: view_id(task, view) for task in expand.expand(job) for view in task.views
        }

    one, other = ids(job_of(frames=9)), ids(job_of(frames=9, views_per_task=2))
    assert one == other
    assert len(set(one.values())) == 9


def test_frames_beyond_what_a_file_has_baked_are_told():
    """Things would hang in the air."""
    short = FACTS.model_copy(update={"baked": (Baked(name="cloth of Flag", frame_end=250),)})
    assert len(frames(job_of(short, frame_end=250))) == 1
    assert len(frames(job_of(short, frames=250))) == 1
    (told,) = mistakes(job_of(short))
    assert "scene0.blend: cloth of Flag is baked until frame 250 alone, and frame 600 is" in told
    assert "--frame-end 250" in told
    cut_short = frames(job_of(short, sequences_per_scene=2, frames=200, allow_skips=True))
    assert list(cut_short) == ["scene0/001-00001-00200"]


def test_what_blender_shows_at_whole_frames_alone_is_not_slowed_down():
    hairy = FACTS.model_copy(update={"whole_frames": ("particles Hair of Head",)})
    assert len(frames(job_of(hairy))) == 1
    for change in ({"keyframe_multiplier": [2]}, {"frame_step": 2}):
        (told,) = mistakes(job_of(hairy, **change))
        assert "scene0.blend: particles Hair of Head cannot be shown between frames" in told


def test_labels_of_a_scene_that_plays_are_planned_larger_than_those_of_a_model():
    """Bytes of a street that a camera passes: 1.4 for each pixel of depth, 3 to 5.6 of flow."""
    spec = job_of().spec.model_copy(update={"passes": ("depth", "flow_forward")})
    job = make_job(spec, job_of().assets)
    width, height = job.render.resolution_px

    assert 4.4 < view_bytes(job) / (width * height) < 7.0


def test_all_frames_of_a_sequence_are_lit_alike_and_others_are_not():
    job = job_of(sequences_per_scene=3, randomise="lights,exposure")
    drawn = {}
    for task in expand.expand(job):
        for view in task.views:
            drawn.setdefault(view.moment.sequence, set()).add(view.drawn)
    assert [len(each) for each in drawn.values()] == [1, 1, 1]
    assert len(set.union(*drawn.values())) == 3
    assert "drawn" not in expand.render_task(job_of(), 0).model_dump_json()
