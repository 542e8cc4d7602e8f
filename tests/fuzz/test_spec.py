"""Whatever a spec's file holds: a spec, or a sentence."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from farm import expand
from farm.cli.request.request import read_request
from farm.cli.request.spec import EXAMPLE
from farm.errors import SpecError
from farm.local.plan.prepare import prepare
from farm.spec.job import Job, JobSpec
from farm.spec.load import parse_spec
from farm.spec.task import RenderTask
from farm.spec.yaml_text import parse_yaml
from tests.fuzz.effort import fuzz
from tests.fuzz.strange import damaged, scalars, trees, words

SENTENCES = 8000
"""Characters: an error is for a person to read."""

FIELDS = ("models", "hdrs", "output", "dataset_name", "recipe", "render", "passes", "seed",
          "views_per_task", "kind", "mode", "yaw", "pitch", "yaw_per_pitch", "strength", "fit",
          "resolution", "samples", "format", "bit_depth", "<<", "x", "rig", "views", "azimuths",
          "elevations", "elevation_range", "distance", "fov_deg", "orthographic", "stereo",
          "frame", "front")  # fmt: skip
VALUES = ("*a", "&a [*a]", "!!int x", "!!bool x", "!!float ''", "!!timestamp x", "2001-99-99",
          "!!binary é", "!!set {a}", "!!omap [a: 1]", "!!python/object:os.system x", ".nan",
          ".inf", "0x", "1:61:61", "[[[]]]", "{[1]: 2}", "? [x]", "|", ">-", "9" * 5000,
          "0b" + "1" * 40_000, "'\\ud800'", '"\\ud800"', '"\\0"', "64",
          "png", "grid", "augmented", "[0.1, 2]", "rig", "zero123plus", "fibonacci", "file",
          "0:360:45", "0:1:1e-320", "0..90", "1.5..2.2")  # fmt: skip
lines = st.tuples(
    st.sampled_from(["", "  ", "- ", "\t", "&a ", "---\n", "? "]),
    st.sampled_from(FIELDS),
    st.sampled_from([": ", ":", " ", ": &a ", ": *a"]),
    st.sampled_from(VALUES) | words,
).map("".join)
texts = (
    st.lists(lines, max_size=8).map("\n".join)
    | trees(scalars, keys=st.sampled_from(FIELDS) | words).map(lambda data: json.dumps(data))
).map(lambda text: text.encode("utf-8", "surrogatepass"))


def check(error: SpecError) -> None:
    assert 0 < len(str(error)) < SENTENCES


@fuzz(4)
@given(data=st.binary(max_size=60) | texts | damaged(st.just(EXAMPLE.encode())))
def test_a_spec_file_is_a_spec_or_a_sentence(tmp_path_factory, data):
    path = tmp_path_factory.getbasetemp() / "strange.yaml"
    path.write_bytes(data)

    try:
        spec, _ = read_request([str(path)], {})
    except SpecError as error:
        check(error)
    else:
        assert JobSpec.model_validate_json(spec.model_dump_json()) == spec


@fuzz(2)
@given(data=st.dictionaries(st.sampled_from(FIELDS), trees(), max_size=8))
def test_fields_of_any_value_are_a_spec_or_a_sentence(data):
    try:
        spec = parse_spec({"models": "m.blend", "hdrs": "h.exr"} | data)
    except SpecError as error:
        check(error)
    else:
        spec.model_dump_json()


@fuzz(2)
@given(flags=st.dictionaries(
    st.sampled_from(["models", "hdrs", "output", "recipe.mode", "recipe.yaw", "render.resolution",
                     "render.samples", "render.bit_depth", "seed", "views_per_task"]),
    words, max_size=5))  # fmt: skip
def test_flags_of_any_value_are_a_spec_or_a_sentence(flags):
    flags |= {key: [flags[key]] for key in ("models", "hdrs") if key in flags}

    with contextlib.suppress(SpecError):
        read_request([], flags)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        pytest.param("seed: 1\nseed: 2", "line 2 is not YAML: 'seed' appears twice", id="twice"),
        pytest.param(
            "seed: &a [*a]", "line 1 is not YAML: a group that contains itself", id="ring"
        ),
        pytest.param("[" * 3000, "line 1 is not YAML: more than 50 levels", id="deep"),
        pytest.param(
            "a: 2001-99-99", "line 1 is not YAML: '2001-99-99' is not a valid timestamp", id="day"
        ),
        pytest.param("a: !!bool x", "line 1 is not YAML: 'x' is not a valid bool", id="bool"),
        pytest.param("a: !!float ''", "line 1 is not YAML: '' is not a valid float", id="float"),
        pytest.param("seed: " + "9" * 5000, "is not a valid int", id="digits"),
        pytest.param("\0", "is not YAML: special characters are not allowed", id="NUL"),
    ],
)
def test_what_yaml_makes_of_a_text_is_named(text, sentence):
    with pytest.raises(SpecError) as caught:
        parse_yaml(text, name="my.yaml")

    assert sentence in str(caught.value)
    assert len(str(caught.value)) < 200


def test_a_bomb_of_aliases_is_refused_before_it_unfolds():
    bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"{name}: &{name} [{','.join(['*' + before] * 9)}]\n"
        for before, name in zip("abcdefghijk", "bcdefghijkl", strict=True)
    )

    with pytest.raises(SpecError, match="more than 1000000 values"):
        parse_yaml(f"{bomb}models: *l", name="bomb.yaml")


def test_aliases_that_stay_small_are_taken():
    spec = parse_yaml(
        "models: &m [a.blend]\nhdrs: *m\nrender: &r {samples: 4}\nx: {<<: *r}", name=""
    )

    assert spec["hdrs"] == ["a.blend"]
    assert spec["x"] == {"samples": 4}


@pytest.mark.parametrize("field", ["models", "hdrs", "output", "dataset_name"])
@pytest.mark.parametrize("name", ["caf\udce9.blend", "a\0b"])
def test_a_name_that_json_cannot_hold_is_refused(field, name):
    with pytest.raises(SpecError, match=rf"{field}: .* is not valid Unicode"):
        parse_spec({"models": "m.blend", "hdrs": "h.exr", field: name})


def test_a_number_of_very_many_digits_is_not_written_out():
    with pytest.raises(SpecError, match="seed: a number with very many digits"):
        parse_spec({"models": "m", "hdrs": "h", "seed": -(10**5000)})


plain = st.text("abcXYZ019 _-", min_size=1, max_size=12).map(lambda text: f"a{text}z")
modes = st.fixed_dictionaries(
    {"mode": st.just("grid")},
    optional={"yaw": st.integers(1, 40), "pitch": st.integers(1, 20), "fit": st.booleans()},
) | st.fixed_dictionaries(
    {"mode": st.just("augmented")},
    optional={
        "pitch": st.integers(1, 20),
        "yaw_per_pitch": st.integers(1, 20),
        "hdr_switch": st.integers(1, 9),
        "strength": st.tuples(st.floats(0.01, 5), st.floats(5, 9.99)).map(list),
    },
)
specs = st.fixed_dictionaries(
    {"models": st.lists(plain, min_size=1, max_size=3), "hdrs": plain, "recipe": modes},
    optional={
        "dataset_name": plain,
        "seed": st.integers(0, 2**31 - 1),
        "views_per_task": st.integers(1, 50),
        "render": st.fixed_dictionaries(
            {},
            optional={
                "resolution": st.integers(64, 8192) | st.just("128x64"),
                "samples": st.integers(1, 65536),
                "format": st.sampled_from(["png", "jxl"]),
                "bit_depth": st.sampled_from([8, 16]),
            },
        ),
    },
).map(parse_spec)
stems = st.sampled_from(["chair", "Chair", "chair-two", "a_b", "b", "a", "très", "x" * 90])
OTHER_PROCESS = """
import sys
from farm import expand
from farm.spec.job import Job
for line in sys.stdin:
    job = Job.model_validate_json(line)
    index = expand.count(job).tasks - 1
    print(expand.render_task(job, index).model_dump_json(), flush=True)
"""


@fuzz(2)
@given(spec=specs)
def test_a_spec_is_the_same_after_yaml(spec):
    text = yaml.safe_dump(spec.model_dump(mode="json"), allow_unicode=True)

    assert parse_spec(parse_yaml(text, name="again")) == spec


@pytest.fixture(scope="module")
def other_process() -> Iterator[subprocess.Popen[str]]:
    """Takes a job per line, answers with its last task."""
    command = [sys.executable, "-c", OTHER_PROCESS]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8"
    ) as process:
        yield process
        process.stdin.close()


@fuzz(0.5)
@given(
    spec=specs,
    models=st.lists(stems, min_size=1, max_size=3, unique=True),
    hdrs=st.lists(stems, min_size=1, max_size=3, unique=True),
)
def test_tasks_are_the_same_in_every_process_and_no_two_views_share_a_name(
    other_process, spec, models, hdrs
):
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        job = a_job(folder, spec, models, hdrs)

    other_process.stdin.write(job.model_dump_json() + "\n")
    other_process.stdin.flush()
    tasks = list(expand.expand(job))
    assert RenderTask.model_validate_json(other_process.stdout.readline()) == tasks[-1]

    names = [f"{task.dataset}/{view.name}".casefold() for task in tasks for view in task.views]
    assert len(set(names)) == len(names) == expand.count(job).views
    assert len({view.index for task in tasks for view in task.views}) == len(names)
    assert len({(task.dataset, task.task_id.casefold()) for task in tasks}) == len(tasks)


def a_job(folder: Path, spec: JobSpec, models: list[str], hdrs: list[str]) -> Job:
    """A job of files with these stems, each with bytes of its own."""
    for kind, stems_of_kind, suffix in (("m", models, "obj"), ("h", hdrs, "hdr")):
        (folder / kind).mkdir()
        for at, stem in enumerate(stems_of_kind):
            (folder / kind / f"{stem}.{suffix}").write_text(f"{kind}{at}")
    assets = {"models": (str(folder / "m"),), "hdrs": (str(folder / "h"),)}
    fields = {"assets": assets, "dataset_name": None}
    job, _ = prepare(spec.model_copy(update=fields), base=folder)
    return job


def test_a_light_that_rounds_to_nothing_is_refused():
    with pytest.raises(SpecError, match=r"0\.004\.\.1\.0 is not a range between 0\.01 and 9\.99"):
        parse_spec(
            {
                "models": "m",
                "hdrs": "h",
                "recipe": {"mode": "augmented", "strength": [0.004, 1]},
            }
        )
