"""Views that have a record are set up as they were when they were rendered."""

from __future__ import annotations

import pytest

from farm import expand
from farm.errors import SpecError
from farm.expand.again import makes
from farm.spec.job import Job, JobSpec, make_job
from farm.spec.label import ObjectLabel
from farm.spec.recipes.sequence import Setup
from farm.spec.recipes.tabletop import Setup as TableSetup
from farm.spec.scene_facts import CameraCut, Clip, SceneFacts
from farm.spec.task import RenderTask, view_id
from farm.spec.view import View
from tests.builders import a_record, an_asset
from tests.support.tabletop import a_tabletop_job

PLAIN = SceneFacts(fps=25, frame_start=1, frame_end=40, cameras=("Cam", "Top"), camera="Cam")
CLIPS = {"clips": (Clip(name="walk", frame_start=1, frame_end=40),
                   Clip(name="walk fast", frame_start=1, frame_end=40),
                   Clip(name="run", frame_start=5, frame_end=30))}  # fmt: skip


def a_film(facts: SceneFacts = PLAIN, *, hdrs: int = 0, passes=("rgb", "mask"), **recipe) -> Job:
    spec = JobSpec.model_validate({
        "recipe": {"kind": "sequence", "frames": 4, **recipe},
        "scenes": ["*.blend"],
        "passes": passes,
    })  # fmt: skip
    scenes = [
        an_asset(f"{name}.blend").model_copy(
            update={"scene": facts, "kind": "scene", "role": "scenes"}
        )
        for name in ("one", "two")
    ]
    skies = [an_asset(f"sky{number}.hdr", kind="hdr") for number in range(hdrs)]
    return make_job(spec, [*scenes, *skies])


def record_of(task: RenderTask, view: View, **changes):
    """What is recorded of a view, with all that `again` looks at."""
    record = a_record()
    return record.model_copy(
        update={
            "view": view,
            "view_id": view_id(task, view),
            "assets": task.assets,
            "group": task.group,
            "files": dict.fromkeys(task.passes, next(iter(record.files.values()))),
            **changes,
        }
    )


def later(job: Job, record, *passes: str):
    """Set a view of a job up once more, of which its record and the spec alone are known."""
    known = {asset.content: asset.scene for asset in job.assets}
    assets = [asset.model_copy(update={"scene": known[asset.content]}) for asset in record.assets]
    spec = job.spec.model_copy(update={"passes": passes})
    alone = make_job(spec, assets)
    return alone, expand.again(alone, record)


def unnamed(setup: Setup) -> Setup:
    """A maker's setup without the folders of its sequences: on these hangs nothing."""
    takes = tuple(take.model_copy(update={"name": ""}) for take in setup.takes)
    return setup.model_copy(update={"takes": takes})


@pytest.mark.parametrize(
    ("facts", "recipe"),
    [
        ({}, {}),
        ({}, {"sequences_per_scene": 2, "keyframe_multiplier": [1, 2.5], "frame_step": 2}),
        ({}, {"cameras": ["all"], "camera_offsets": {"left": [-0.1, 0, 0], "right": [0.1, 0, 0]}}),
        ({"cuts": (CameraCut(frame=1, camera="Cam"), CameraCut(frame=3, camera="Top"))}, {}),
        (CLIPS, {}),
        (CLIPS, {"clip": "run"}),
        (CLIPS, {"clip": "all"}),
        ({"simulations": ("cloth of Flag",)}, {"sequences_per_scene": 3}),
        ({}, {"camera": "orbit", "sequences_per_scene": 2}),
        ({"is_still": True}, {"camera": "random_walk"}),
        (CLIPS, {"camera": "pan", "fps": 30, "randomise": {"lights": {}}, "lights": "hdri"}),
    ],
)
def test_each_frame_is_found_among_those_of_its_scene(facts, recipe):
    """Its neighbours, its bake and its path are those that it had beside other scenes and HDRIs."""
    job = a_film(PLAIN.model_copy(update=facts), hdrs=2 if "lights" in recipe else 0, **recipe)
    tasks = [task for task in expand.expand(job) if task.views]
    makers = {task.product: task for task in expand.expand(job) if task.product}
    assert len({view.name for task in tasks for view in task.views}) >= 8

    for task in tasks:
        for view in task.views:
            record = record_of(task, view)
            alone, again = later(job, record, "depth")
            assert again.setup == task.setup
            assert again.product == (task.needs.product if task.needs else None)
            assert makes(alone, record, then=again.then, product=again.product)
            if task.needs:
                made = makers[task.needs.product]
                assert unnamed(again.maker.setup) == unnamed(made.setup)
                assert again.maker.assets[0] == made.assets[0]


def test_tracks_and_an_open_shutter_come_with_the_passes_that_take_them():
    job = a_film(shutter=0.5, passes=("rgb", "blur"))
    follows = a_film(shutter=0.5, passes=("rgb", "blur", "tracks"))
    [task, *_] = expand.expand(job)
    record = record_of(task, task.views[1])

    _, labels = later(job, record, "depth")
    _, rolling = later(job, record, "rolling_shutter")
    _, tracks = later(job, record, "rgb", "tracks")

    assert labels.setup.shutter is None
    assert rolling.setup.shutter == job.spec.recipe.exposure
    assert tracks.setup.tracks == next(expand.expand(follows)).setup.tracks
    assert labels.then == task.setup


def test_an_animation_is_known_by_its_id_or_by_its_folder():
    job = a_film(PLAIN.model_copy(update=CLIPS))
    tasks = list(expand.expand(job))
    [fast] = [task for task in tasks if "walk_fast" in task.task_id and "one" in task.task_id]
    view = fast.views[0]

    _, by_folder = later(job, record_of(fast, view, view_id="of an older release"), "depth")
    nameless = view.moment.model_copy(update={"sequence": "one/001-00001-00004"})
    moved = view.model_copy(update={"moment": nameless})
    _, by_id = later(job, record_of(fast, moved), "depth")

    assert by_folder.setup.clip == by_id.setup.clip == "walk fast"
    with pytest.raises(SpecError, match=r"does not tell which animation of one\.blend it shows"):
        later(job, record_of(fast, moved, view_id="of an older release"), "depth")


def test_a_frame_of_another_spec_is_refused_with_the_reason():
    job = a_film()
    [task, *_] = expand.expand(job)
    other = a_film(PLAIN.model_copy(update={"frame_end": 2}))

    with pytest.raises(SpecError, match=r"cannot be found again .*too few"):
        later(other, record_of(task, task.views[0]), "depth")


def test_a_settled_scene_is_that_of_which_a_view_has_the_id():
    """Copies, shapes and models beside the objects are told by the record's objects."""
    job = a_tabletop_job(scenes=2, views=2, copies=(1, 2), per_scene=(4, 6))
    for task in (task for task in expand.expand(job) if task.views):
        label = a_labelled(task)
        record = record_of(task, task.views[0], objects=label)
        alone, again = later(job, record, "normal")

        assert again.setup.props == task.setup.props
        assert again.setup.settled.props[0].world_from_file == label[1].world_from_file
        assert makes(alone, record, then=again.then, product=again.product)


def a_labelled(task: RenderTask) -> tuple[ObjectLabel, ...]:
    """What a record says of the things of a scene, the table first."""
    assert isinstance(task.setup, TableSetup)
    places = [None, *(prop.asset for prop in task.setup.props)]
    return tuple(
        ObjectLabel(
            name=f"thing{number}",
            asset=place,
            category="object",
            indices=(number + 1,),
            box_px=None,
            area_px=0.0,
            visible_fraction=None,
            truncation=0.0,
            camera_from_object=shifted(0.0),
            size=(0.1, 0.1, 0.1),
            world_from_file=shifted(float(number)),
            corners_px=(),
        )
        for number, place in enumerate(places)
    )


def shifted(x: float):
    return ((1.0, 0, 0, x), (0, 1.0, 0, 0), (0, 0, 1.0, 0), (0, 0, 0, 1.0))


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"world_from_file": None}, "does not tell where its thing1 stands"),
        ({"asset": None}, "does not tell of which file its thing1 is"),
    ],
)
def test_a_record_of_an_older_release_that_lacks_something_is_refused(changes, told):
    job = a_tabletop_job(scenes=1, views=1)
    [task] = [task for task in expand.expand(job) if task.views]
    table, thing, *rest = a_labelled(task)
    objects = (table, thing.model_copy(update=changes), *rest)

    with pytest.raises(SpecError, match=f"{told}, as those of older releases"):
        later(job, record_of(task, task.views[0], objects=objects), "normal")
    with pytest.raises(SpecError, match="names no things"):
        later(job, record_of(task, task.views[0]), "normal")
