import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farm.cli.request.spec import EXAMPLE, TABLETOP
from farm.errors import SpecError
from farm.expand import render_task
from farm.spec.base import digest
from farm.spec.job import JobSpec
from farm.spec.load import parse_spec
from farm.spec.recipes import roles_of
from farm.spec.recipes.tabletop import RecipeSpec, TableRandomise
from farm.spec.render import RenderSettings
from farm.spec.task import view_id
from farm.spec.yaml_text import parse_yaml
from tests.builders import a_job

GOOD = {"models": "m.blend", "hdrs": "h.exr"}


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"render": {"resolution": 20000}}, "render.resolution: 20000 is more than 8192"),
        ({"render": {"resolution": "640x32"}}, "render.resolution: 32 is less than 64"),
        (
            {"render": {"resolution": "big"}},
            "render.resolution: 'big' is neither a number such as 640 nor WxH such as 1280x720",
        ),
        ({"render": {"resolution": 640.7}}, "render.resolution: 640.7 is neither a number"),
        ({"render": {"resolution": True}}, "render.resolution: True is neither a number"),
        ({"models": {"a": 1}}, "models: {'a': 1} is not a list"),
        ({"render": {"samples": 0}}, "render.samples: 0 is less than 1"),
        ({"dataset_name": "x" * 121}, "dataset_name: has more than 120 characters"),
        (
            {"recipe": {"mode": "augmented", "strength": [1, 1, 2]}},
            "recipe.strength: has 3 entries; give 2 at most",
        ),
        ({"recipe": {"mode": "augmented", "strength": [{}, 1]}}, "strength.0: {} is not a number"),
        ({"render": {"format": "bmp"}}, "render.format: 'bmp' is not one of 'png' or 'jxl'"),
        ({"render": {"bit_depth": 12}}, "render.bit_depth: 12 is not one of 8 or 16"),
        ({"recipe": {"mode": "spiral"}}, "recipe.mode: 'spiral' is not one of"),
        ({"recipe": {"yaw": "many"}}, "recipe.yaw: 'many' is not a whole number"),
        ({"recipe": {"mode": "augmented", "strength": [2, 1]}}, "recipe.strength: 2.0..1.0 is not"),
        (
            {"recipe": {"hdr_switch": 4}},
            "recipe.hdr_switch: is of the mode augmented, and this is grid: leave it out, or add "
            "--augmented (recipe.mode: augmented)",
        ),
        (
            {"recipe": {"mode": "augmented", "yaw": 3}},
            "recipe.yaw: is of the mode grid, and this is augmented: leave one of them out",
        ),
        (
            {"recipe": {"rig": "lrm", "pitch": 3}},
            "recipe.pitch: is of the modes grid and augmented, and this is rig: leave one of them",
        ),
        ({"models": []}, "models: is empty"),
        ({"dataset_name": "../up"}, "dataset_name: '../up' cannot be a folder's name"),
        ({"passes": ["rgb", "rgb"]}, "passes: names each pass once"),
        ({"sedd": 1}, "sedd: is not a field; `farm spec` shows all of them; did you mean 'seed'?"),
        ({"passes": ["rgb", "masks"]}, "; did you mean 'mask'?"),
        ({"passes": ["rgb", "surfaces"]}, "; did you mean 'surface'?"),
        ({"passes": ["rgb", "surfacevalid"]}, "; did you mean 'surface_valid'?"),
        ({"render": {"view_transform": "agx"}}, "or 'Standard'; did you mean 'AgX'?"),
        ({"render": {"sample": 3}}, "of them; did you mean 'samples'?"),
        ({"recipe": {"kind": "sodd"}}, "recipe.kind: 'sodd' is not one of"),
        ({"recipe": {"kind": "sodd"}}, "; did you mean 'sod'?"),
        ({"recipe": {"mode": "augment"}}, "; did you mean 'augmented'?"),
        ({"recipe": {"ywa": 3}}, "of them; did you mean 'yaw'?"),
        ({"recipe": {"mode": "augmented", "hdrswitch": 3}}, "; did you mean 'hdr_switch'?"),
        ({"recipe": {"kind": "sequence", "frmes": 3}}, "of them; did you mean 'frames'?"),
        (
            {"recipe": {"kind": "sequence", "camera": {"kind": "orbit", "hight": 2}}},
            "; did you mean 'height'?",
        ),
        ({"recipe": {"kind": "sequence", "lights": "hdr"}}, "; did you mean 'hdri'?"),
        ({"modls": ["a"]}, "of them; did you mean 'models'?"),
    ],
)
def test_a_mistake_is_named_with_its_path_and_the_bound_it_breaks(change, sentence):
    with pytest.raises(SpecError) as caught:
        parse_spec(GOOD | change)

    assert sentence in str(caught.value)


@pytest.mark.parametrize(
    "change",
    [
        {"passes": ["segmentation"]},  # several of ours could be meant
        {"recipe": {"hdr_switch": 4}},  # of the other mode
        {"recipe": {"sequences_per_scene": 4}},  # of another recipe
        {"render": {"bit_depth": 12}},
        {"x" * 10_000: 1},
    ],
)
def test_nothing_is_suggested_that_is_not_like_what_was_written(change):
    with pytest.raises(SpecError) as caught:
        parse_spec(GOOD | change)

    assert "did you mean" not in str(caught.value)


def test_all_mistakes_are_named_at_once():
    with pytest.raises(SpecError) as caught:
        parse_spec({"models": [], "render": {"resolution": 1, "samples": -1}})

    assert len(str(caught.value).splitlines()) == 4  # hdrs is missing too


def test_a_list_of_mistakes_is_not_called_empty():
    with pytest.raises(SpecError) as caught:
        parse_spec(GOOD | {"models": [1]})

    assert str(caught.value) == "models.0: 1 is not text"


@pytest.mark.parametrize("text", ["a: [1", "\t- x", "a: b: c"])
def test_a_file_that_is_not_yaml_is_named_with_the_line(text):
    with pytest.raises(SpecError, match=r"my\.yaml: line \d+ is not YAML"):
        parse_yaml(text, name="my.yaml")


def test_the_printed_example_is_a_spec():
    spec = parse_spec(parse_yaml(EXAMPLE, name="example"))

    assert spec.recipe.kind == "sod"
    assert spec.render.resolution == (640, 640)


def test_the_example_names_every_field():
    for name in (
        *(JobSpec.model_fields.keys() - {"assets"}),
        *roles_of("sod"),
        *JobSpec.model_fields["render"].default.__class__.model_fields,
    ):
        assert f"{getattr(name, 'name', name)}:" in EXAMPLE, name


def test_the_example_of_a_tabletop_is_what_it_is_by_default():
    spec = parse_spec(parse_yaml(TABLETOP, name="example"))

    recipe = spec.recipe.model_copy(update={"randomise": None})
    assert recipe == RecipeSpec()
    assert spec.recipe.randomise == TableRandomise.model_validate("all")
    for name in (*RecipeSpec.model_fields, *roles_of("tabletop")):
        assert f"{getattr(name, 'name', name)}:" in TABLETOP or name in UNSAID, name


UNSAID = ("allow_empty_masks",)
"""Fields that are for other recipes."""


def test_a_spec_survives_json():
    spec = parse_spec(GOOD | {"recipe": {"mode": "augmented"}, "render": {"resolution": [128, 64]}})

    assert JobSpec.model_validate_json(spec.model_dump_json()) == spec


def test_the_schema_knows_the_fields_and_their_help():
    schema = json.dumps(JobSpec.model_json_schema())

    assert "yaw_per_pitch" in schema
    assert "Cycles samples per pixel" in schema


words = st.text(max_size=8)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=8,
)


@given(
    data=st.dictionaries(st.sampled_from([*JobSpec.model_fields, "x"]), json_values, max_size=6)
    | json_values
)
def test_whatever_a_file_says_the_answer_is_a_spec_or_a_sentence(data):
    with contextlib.suppress(SpecError):
        parse_spec(data)


def test_previews_change_neither_the_dataset_nor_its_views():
    shown, hidden = (a_job(render=RenderSettings(previews=each)) for each in (True, False))
    tasks = [render_task(job, 0) for job in (shown, hidden)]

    assert shown.session == hidden.session
    assert shown.job_id != hidden.job_id  # what is asked for is another thing
    assert len({view_id(task, task.views[0]) for task in tasks}) == 1
    assert [task.render.previews for task in tasks] == [True, False]
    older = shown.spec.model_dump(mode="json")  # as it was before there were previews
    del older["render"]["previews"]
    assets = [[asset.content, asset.id] for asset in shown.assets]
    assert digest(older, assets)[:12] == shown.job_id
