"""Scenes of the recipe `tabletop`: what they are made of, and what is drawn for them."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from farm import expand
from farm.errors import SpecError
from farm.expand.table_scenes import scene_of, words_of
from farm.local.plan.estimate import make_estimate
from farm.spec.job import Job
from farm.spec.load import parse_spec
from farm.spec.recipes.tabletop import RecipeSpec
from farm.spec.task import RenderTask, view_id
from farm.spec.words import AssetWords
from tests.builders import an_asset
from tests.support.tabletop import a_tabletop_job

SCENES = range(40)


def makers(job: Job) -> list[RenderTask]:
    return [expand.render_task(job, number) for number in range(job.spec.recipe.scenes)]


def views_of(job: Job) -> list[RenderTask]:
    scenes = job.spec.recipe.scenes
    return [expand.render_task(job, index) for index in range(scenes, expand.count(job).tasks)]


def recipe_of(job: Job) -> RecipeSpec:
    return job.spec.recipe


def names_in(job: Job, number: int) -> list[str]:
    return [asset.name for asset in scene_of(job, number).objects]


# What a scene is made of


def test_scenes_have_as_many_objects_copies_and_kinds_as_asked_for():
    job = a_tabletop_job(
        objects=30, nouns=6, scenes=40, per_scene="5..9", copies="1..3", categories="2..3"
    )
    sizes, kinds, copies = set(), set(), set()
    for number in SCENES:
        scene = scene_of(job, number)
        sizes.add(len(scene.objects))
        kinds.add(len({words_of(recipe_of(job), asset).noun for asset in scene.objects}))
        copies |= set(Counter(scene.objects).values())
    assert sizes == {5, 6, 7, 8, 9}
    assert kinds == {2, 3}
    assert copies == {1, 2, 3}


def test_few_objects_come_more_often_rather_than_that_a_scene_is_too_small():
    job = a_tabletop_job(objects=3, scenes=40, per_scene="6..12", copies="1..2")
    assert {len(names_in(job, number)) for number in SCENES} == {6}


def test_kinds_that_are_too_small_make_way_for_larger_ones():
    job = a_tabletop_job(objects=9, nouns=8, scenes=40, per_scene=4, copies=2, categories=1)
    for number in SCENES:
        assert {name[5:7] for name in names_in(job, number)} == {"00", "08"}, "the noun with two"


def test_a_grid_holds_no_more_objects_than_it_has_cells():
    job = a_tabletop_job(
        objects=20, scenes=40, per_scene="2..12", arrangement="place", rows=2, columns=3
    )
    assert max(len(names_in(job, number)) for number in SCENES) == 6


def test_held_out_objects_are_in_the_last_scenes_and_in_no_other():
    job = a_tabletop_job(objects=20, scenes=20, per_scene=4, holdout=0.2)
    usual = {name for number in range(16) for name in names_in(job, number)}
    apart = {name for number in range(16, 20) for name in names_in(job, number)}
    assert len(apart) == 4
    assert not usual & apart


# Where things are let go, or put


def test_a_grid_has_one_thing_in_each_of_its_cells():
    job = a_tabletop_job(objects=20, arrangement="place", rows=3, columns=4, table_m=(0.8, 0.6))
    for task in makers(job):
        for draw in task.setup.draws:
            at = np.array([placed.at_m for placed in draw])
            cells = {(int((x + 0.4) // 0.2), int((y + 0.3) // 0.2)) for x, y in at[:, :2].tolist()}
            assert len(cells) == len(draw)
            assert not at[:, 2].any()


def test_free_places_keep_clear_of_each_other():
    job = a_tabletop_job(objects=20, arrangement="place", free=True, per_scene=8)
    for task in makers(job):
        for draw in task.setup.draws:
            at = np.array([placed.at_m[:2] for placed in draw])
            apart = np.linalg.norm(at[:, None] - at[None], axis=2)[np.triu_indices(8, 1)]
            assert apart.min() > 0.1, "eight on a table of 1 m"


def test_stacks_are_pairs_on_one_spot_and_the_last_draws_have_none():
    job = a_tabletop_job(objects=20, arrangement="place", stacks=0.6, per_scene=8, scene_tries=9)
    counts = []
    for task in makers(job):
        for draw in task.setup.draws:
            pairs = {place: placed.on for place, placed in enumerate(draw) if placed.on is not None}
            assert not set(pairs) & set(pairs.values()), "nothing stands on a stack"
            assert len(set(pairs.values())) == len(pairs), "nothing carries two"
            for place, on in pairs.items():
                assert draw[place].at_m[:2] == draw[on].at_m[:2]
            counts.append(len(pairs))
        assert not any(placed.on is not None for draw in task.setup.draws[-3:] for placed in draw)
    assert max(counts) == 4


def test_what_must_stand_is_let_go_upright():
    words = {
        f"thing{number:02d}.obj": AssetWords(noun="vase", stands=number % 2 == 0)
        for number in range(8)
    }
    for task in makers(a_tabletop_job(words=words)):
        for prop, placed in zip(task.setup.props, task.setup.draws[0], strict=True):
            assert (placed.turn[1:3] == (0.0, 0.0)) == prop.words.stands


# Randomise


GROUPS = ("lights", "exposure", "hdri", "camera", "materials", "surface", "distractors")


def test_without_randomise_views_say_nothing_of_it():
    job = a_tabletop_job()
    assert "randomise" not in job.spec.model_dump_json()
    for task in views_of(job):
        assert "drawn" not in task.model_dump_json()


@pytest.mark.parametrize("group", GROUPS)
def test_a_group_changes_nothing_that_is_not_its_own(group):
    """One more knob, and all other draws stay: a dataset is varied in one way alone."""
    plain, other = a_tabletop_job(scenes=2), a_tabletop_job(scenes=2, randomise=group)
    own = {"hdri": {"light"}, "camera": {"camera", "cameras"}}.get(group, {"drawn"})
    for before, after in zip(views_of(plain), views_of(other), strict=True):
        for one, two in zip(before.views, after.views, strict=True):
            changed = {
                name for name in type(one).model_fields if getattr(one, name) != getattr(two, name)
            }
            assert changed == own
    for before, after in zip(makers(plain), makers(other), strict=True):
        assert after.setup.props[: len(before.setup.props)] == before.setup.props
        for one, two in zip(before.setup.draws, after.setup.draws, strict=True):
            assert two[: len(one)] == one
        assert (before.product == after.product) == (group != "distractors")


def test_one_more_lamp_changes_none_of_those_before_it():
    few, many = (
        views_of(a_tabletop_job(scenes=1, randomise={"lights": {"count": count}}))[0].views
        for count in (2, 3)
    )
    for one, two in zip(few, many, strict=True):
        assert len(two.drawn.lamps) == 3
        assert two.drawn.lamps[:2] == one.drawn.lamps


def test_what_is_drawn_keeps_within_its_bounds():
    lights = {
        "count": "1..4", "kinds": ["spot"], "power_w": {"mean": 10, "std": 100},
        "kelvin": {"values": [2000, 9000]}, "distance_m": 2, "elevation_deg": "30..60",
    }  # fmt: skip
    job = a_tabletop_job(randomise={"lights": lights, "exposure": {"ev": "-1..1"}})
    lamps = [lamp for task in views_of(job) for view in task.views for lamp in view.drawn.lamps]
    assert {lamp.kelvin for lamp in lamps} == {2000, 9000}
    assert {lamp.kind for lamp in lamps} == {"spot"}
    assert min(lamp.power_w for lamp in lamps) == 0.0, "what a normal draw has below is cut off"
    for lamp in lamps:
        assert np.linalg.norm(lamp.at_m) == pytest.approx(2.0, abs=1e-3)
        assert 1.0 <= lamp.at_m[2] <= 2 * np.sin(np.radians(60)) + 1e-3
    exposures = [view.drawn.exposure_ev for task in views_of(job) for view in task.views]
    assert len(set(exposures)) > 40
    assert all(-1 <= each <= 1 for each in exposures)


def test_twins_stay_alike_and_all_views_of_a_scene_show_the_same():
    job = a_tabletop_job(scenes=6, copies=2, randomise={"materials": {"share": 1, "swap": 0.3}})
    for task in views_of(job):
        paints = task.views[0].drawn.paints
        assert all(view.drawn.paints == paints for view in task.views)
        assert len(paints) == len(task.setup.props)
        by_asset = {}
        for paint in paints:
            asset = task.setup.props[paint.prop].asset
            assert by_asset.setdefault(asset, paint) == paint.model_copy(
                update={"prop": by_asset[asset].prop}
            )
            if paint.swap is not None:
                assert task.setup.props[paint.swap].asset != asset
                assert paint.hue_deg is None, "they are the other's materials"


def test_materials_may_change_from_view_to_view():
    job = a_tabletop_job(scenes=1, randomise={"materials": {"share": 1, "per": "view"}})
    [task] = views_of(job)
    assert len({view.drawn.paints for view in task.views}) == len(task.views)


def test_nobody_has_confirmed_of_what_a_thing_is_made_whose_material_changes():
    words = {f"thing{number:02d}.obj": AssetWords(noun="spoon", material="wooden", confirmed=True)
             for number in range(8)}  # fmt: skip
    plain = views_of(a_tabletop_job(scenes=1, words=words))[0]
    other = views_of(a_tabletop_job(scenes=1, words=words, randomise="materials"))[0]
    assert {prop.words.material for prop in plain.setup.props} == {"wooden"}
    assert {prop.words.material for prop in other.setup.props} == {None}


def test_distractors_have_no_words_and_come_with_and_without_gravity():
    job = a_tabletop_job(scenes=20, randomise={"distractors": {"count": 3, "floating": 0.5}})
    falls = []
    for task in makers(job):
        objects = sum(prop.words is not None for prop in task.setup.props)
        beside = task.setup.props[objects:]
        assert len(beside) == 3
        for prop, placed in zip(beside, task.setup.draws[0][objects:], strict=True):
            assert prop.words is None
            assert prop.shape is not None
            assert round(prop.size_m * 1000) % 5 == 0, "a worker makes few sizes"
            assert prop.falls or 0.2 <= placed.at_m[2] <= 0.45
            falls.append(prop.falls)
    assert set(falls) == {True, False}


# Tasks


def test_skies_come_one_after_the_other():
    job = a_tabletop_job(scenes=3, hdrs=6, views=6, skies=3)
    for task in views_of(job):
        assert [view.hdr for view in task.views] == sorted(view.hdr for view in task.views)
        assert len({view.hdr for view in task.views}) == 3
        assert all(task.assets[view.hdr].kind == "hdr" for view in task.views)


def test_without_skies_there_is_none():
    for task in views_of(a_tabletop_job(scenes=1, hdrs=0)):
        assert {view.hdr for view in task.views} == {None}


def test_who_settles_a_scene_gets_its_views_first():
    job = a_tabletop_job(scenes=3)
    keys = [task.affinity for task in (*makers(job), *views_of(job))]
    assert keys[:3] == keys[3:]
    assert len(set(keys)) == 3


def test_views_in_other_batches_are_the_same_views():
    one = a_tabletop_job(scenes=2, randomise="all")
    spec = one.spec.model_copy(update={"views_per_task": 2})
    two = one.model_copy(update={"spec": spec})
    ids = [
        [view_id(task, view) for task in views_of(job) for view in task.views] for job in (one, two)
    ]
    assert ids[0] == ids[1]


def test_messages_stay_small():
    job = a_tabletop_job(objects=40, per_scene=12, copies=1, randomise="all")
    assert max(len(task.model_dump_json()) for task in makers(job)) < 30_000
    assert max(len(task.model_dump_json()) for task in views_of(job)) < 40_000


# What cannot be


@pytest.mark.parametrize(
    ("recipe", "told"),
    [
        ({"per_scene": 9, "copies": 1}, "objects: 8, each once at most, are fewer than the 9"),
        ({"per_scene": 17}, "objects: 8, each 2 times at most, are fewer than the 17"),
        ({"holdout": 0.2, "per_scene": 5}, "a held-out scene"),
        ({"categories": "3..4"}, "2 nouns (kind0, kind1), fewer than 3"),
        ({"categories": 1, "per_scene": "9..12"}, "no 1 nouns have the 9 objects"),
        ({"words": {"thing00.obj": AssetWords(noun="mug")}}, "say nothing of thing01.obj"),
        ({"nouns": 1, "objects": 4, "categories": "5..5", "per_scene": "2..3"}, "categories"),
    ],
)
def test_what_no_scene_can_be_made_of_is_said_before_rendering(recipe, told):
    mistakes = list(expand.mistakes(a_tabletop_job(**recipe)))
    assert any(told in mistake for mistake in mistakes), mistakes


def test_words_of_nothing_are_named():
    job = a_tabletop_job(objects=4, per_scene=4)
    more = {**recipe_of(job).words, "lamp.obj": AssetWords(noun="lamp")}
    [mistake] = expand.mistakes(a_tabletop_job(objects=4, per_scene=4, words=more))
    assert mistake == "words: lamp.obj is not among the objects: take it out"


def with_sky(job: Job, name: str) -> Job:
    sky = an_asset(name, kind="hdr")
    return job.model_copy(update={"assets": (*job.of("objects"), sky)})


def test_an_hdri_that_shows_some_of_the_nouns_is_told_and_the_rest_is_said():
    words = {f"thing{n:02d}.obj": AssetWords(noun=("mug", "fork")[n % 2], confirmed=True)
             for n in range(8)}  # fmt: skip
    job = with_sky(a_tabletop_job(words=words), "kitchen_with_mugs.hdr")
    assert not list(expand.mistakes(job))
    [remark] = expand.remarks(job)
    assert remark.startswith("kitchen_with_mugs.hdr shows mug, by its name, category or tags")


def test_an_hdri_that_leaves_no_noun_is_refused():
    words = {f"thing{n:02d}.obj": AssetWords(noun="mug", confirmed=True) for n in range(8)}
    [mistake] = expand.mistakes(with_sky(a_tabletop_job(words=words), "mugs_on_a_shelf.hdr"))
    assert "mugs_on_a_shelf.hdr shows mug" in mistake
    assert "take another HDRI" in mistake


def test_objects_without_an_expected_size_cannot_be_scaled_to_it():
    words = {f"thing{n:02d}.obj": AssetWords(noun="mug", size_m=(0.07, 0.15) if n else None)
             for n in range(8)}  # fmt: skip
    [mistake] = expand.mistakes(a_tabletop_job(words=words, scale="expected"))
    assert "words say no size_m of thing00.obj" in mistake


def test_models_that_nothing_shows_are_named():
    job = a_tabletop_job()
    clutter = an_asset("clutter.obj").model_copy(update={"role": "distractors"})
    job = job.model_copy(update={"assets": (*job.assets, clutter)})
    [mistake] = expand.mistakes(job)
    assert mistake.startswith("distractors: recipe.randomise says nothing of them")


@pytest.mark.parametrize(
    ("recipe", "told"),
    [
        ({"scenes": 1_000_000, "views": 1000}, "1,000,000 of 1,000 views each are more than"),
        ({"free": True}, "free: is of things that are put: say --arrangement place"),
        ({"stacks": 0.5}, "stacks: is of things that are put"),
        ({"table_m": (0.0, 1.0)}, "0 x 1 m is not a table"),
        ({"table_m": (float("inf"), 1.0)}, "table_m"),
        ({"per_scene": "12..6"}, "12..6 is not a range"),
        ({"per_scene": "17", "arrangement": "place"}, "17 objects do not fit into 4 x 4 cells"),
        ({"copies": "0..2"}, "0..2 is not a range"),
        ({"categories": "two"}, "categories"),
        ({"camera": {"distance_m": "2..1"}}, "low: 2.0 is above high, 1.0"),
    ],
)
def test_what_a_recipe_cannot_mean_is_refused_by_one_sentence(recipe, told):
    with pytest.raises(SpecError) as refused:
        parse_spec({"objects": ["things"], "recipe": {"kind": "tabletop", **recipe}})
    assert told in str(refused.value)
    assert "\n" not in str(refused.value)


def test_an_estimate_counts_what_scenes_take_to_settle():
    few, many = (
        make_estimate(a_tabletop_job(scenes=scenes, views=views), devices=["cpu"])
        for scenes, views in ((1, 40), (40, 1))
    )
    assert few.views == many.views
    assert many.seconds > few.seconds + 39 * 5


@pytest.mark.parametrize("said", ["6..9", ["6..9"], "6 .. 9", [6, 9], ["6", "9"]])
def test_a_range_is_read_as_files_and_flags_have_it(said):
    """A flag's value comes as a list, cut at its commas."""
    recipe = {"kind": "tabletop", "per_scene": said}
    assert parse_spec({"objects": ["things"], "recipe": recipe}).recipe.per_scene == (6, 9)
