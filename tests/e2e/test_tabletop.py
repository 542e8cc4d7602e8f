"""Scenes of several things on a table, as a user asks for them on one machine."""

from __future__ import annotations

import signal

import numpy as np
import pytest
import yaml
from PIL import Image

import farm.dataset
from farm.spec.record import ViewRecord
from tests.e2e.conftest import farm as run
from tests.e2e.conftest import held_renders, here, radiance
from tests.support.tabletop import box, write_obj, write_things, write_words
from tests.support.waiting import wait_for

SMALL = ("--resolution", 64, "--samples", 4)
SEEN = ("--min-visible", 1, "--visible-px", 10)
"""What a view of 64 pixels can show."""


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """Things, words, skies, pictures of wood and a table to lie on."""
    folder = tmp_path_factory.mktemp("table")
    write_things(folder / "things", colours=("red", "blue", "white"))
    write_words(folder / "words.yaml", folder / "things")
    (folder / "skies").mkdir()
    for name, colour in (("day.hdr", (120, 130, 160)), ("dusk.hdr", (200, 110, 70))):
        (folder / "skies" / name).write_bytes(radiance(colour))
    (folder / "woods").mkdir()
    pixels = np.full((32, 32, 3), (150, 100, 60), np.uint8)
    pixels[::8] = (90, 50, 20)
    Image.fromarray(pixels).save(folder / "woods" / "oak.png")
    (folder / "clutter").mkdir()
    write_obj(folder / "clutter" / "bar.obj", box(0.05, 0.03, 0.02), (0.3, 0.3, 0.3))
    return folder


def asked(table, output, *more):
    return (
        "render", "--recipe", "tabletop", "--objects", table / "things", "--words",
        table / "words.yaml", "--hdrs", table / "skies", "--passes", "rgb,mask,index,depth",
        *SMALL, *SEEN, "--output", output, *more,
    )  # fmt: skip


def records_of(folder) -> list[ViewRecord]:
    return [view.record for view in farm.dataset.open(folder)]


def files_of(folder):
    return {
        (record.view.name, name): file.sha256
        for record in records_of(folder)
        for name, file in record.files.items()
    }


def test_things_fall_onto_a_table_and_all_is_randomised(table, tmp_path):
    done = run(
        *asked(table, tmp_path / "out", "--scenes", 2, "--views", 2, "--skies", 2,
               "--textures", table / "woods", "--distractors", table / "clutter",
               "--randomise", "all", "--set", "recipe.randomise.distractors.count=2"),
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    assert "9 objects x 1 distractor x 1 texture x 2 HDRIs: 4 views in 4 tasks" in done.stderr
    assert "4 of 4 views complete" in done.stderr
    records = records_of(tmp_path / "out")
    assert [record.view.name for record in records] == [
        "scene_000000_000", "scene_000000_001", "scene_000001_000", "scene_000001_001",
    ]  # fmt: skip
    for record in records:
        categories = [label.category for label in record.objects]
        assert categories[0] == "surface"
        assert categories[-2:] == ["distractor", "distractor"]
        assert 6 <= len(categories) - 3 <= 12
        assert all(label.words for label in record.objects[1:-2])
        assert record.view.drawn.lamps
        assert record.view.drawn.surface.texture is not None
        assert set(record.values["drawn"]["camera"]) >= {"distance_m", "focal_length_mm"}
    assert len({record.assets[record.view.hdr].name for record in records[:2]}) == 2
    assert {record.group for record in records[:2]} != {record.group for record in records[2:]}

    proven = here("dataset", "verify", tmp_path / "out")
    assert proven.returncode == 0, proven.stdout + proven.stderr


def test_a_spec_is_stopped_and_continues_as_if_it_had_not_been(table, tmp_path, start_farm):
    spec = {
        "objects": ["things"], "hdrs": ["skies"], "passes": ["rgb", "mask", "index"],
        "views_per_task": 2,
        "render": {"resolution": 64, "samples": 4},
        "recipe": {
            "kind": "tabletop", "words": "words.yaml", "arrangement": "place", "scenes": 3,
            "views": 4, "min_visible": 1, "visible_px": 10,
            "randomise": {"lights": {"count": 1}, "materials": None},
        },
    }  # fmt: skip
    file = table / "spec.yaml"
    file.write_text(yaml.safe_dump(spec))
    request = ("render", file, "--output", tmp_path / "stopped")
    with held_renders(tmp_path):
        process = start_farm(*request)
        wait_for(
            lambda: (
                len(list((tmp_path / "stopped").rglob("scene_*.png"))) >= 2
                or process.poll() is not None
            ),
            "the first views are written",
        )
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=120)
    assert process.returncode == 130, said
    assert "run the same command again to resume" in said
    assert not (tmp_path / "stopped" / "dataset.json").exists() or (
        0 < len(records_of(tmp_path / "stopped")) < 12
    )

    done = run(*request)
    whole = run("render", file, "--output", tmp_path / "whole")

    assert done.returncode == whole.returncode == 0, done.stderr + whole.stderr
    assert "12 of 12 views complete" in done.stderr
    assert "12 of 12 views complete: 12 rendered" not in done.stderr
    assert files_of(tmp_path / "stopped") == files_of(tmp_path / "whole")


def test_held_out_objects_are_kept_apart_by_a_split(table, tmp_path):
    done = run(
        *asked(table, tmp_path / "out", "--scenes", 4, "--views", 1, "--per-scene", "2..3",
               "--arrangement", "place", "--holdout", 0.3),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr

    split = here(
        "dataset", "split", tmp_path / "out", "--by", "objects", "--train", 0.7, "--val", 0,
        "--test", 0.3,
    )  # fmt: skip

    assert split.returncode == 0, split.stdout + split.stderr
    objects = [
        {
            asset.sha256
            for view in farm.dataset.open(tmp_path / "out", split=name)
            for asset in view.record.of("objects")
        }
        for name in ("train", "test")
    ]
    assert all(objects)
    assert not objects[0] & objects[1]


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (("--words", "nowhere.yaml"), "nowhere.yaml: cannot be read: No such file"),
        (("--per-scene", 40), "objects: 9, each 2 times at most, are fewer than the 40"),
        (("--textures", "words.yaml"), "is not a picture (.png, .jpg, .jpeg)"),
        (("--textures", "fake.png"), "fake.png: not a picture (PNG or JPEG): it is a JSON message"),
        (("--randomise", "lamps"), "recipe.randomise.lamps: is not a field"),
        (
            ("--set", "recipe.randomise.lights.kelvin=9..9000"),
            "kelvin: 9 is not within 1667..25000",
        ),
        (("--scenes", 9_999_999, "--views", 900), "are more than 100,000,000 views"),
    ],
)
def test_what_cannot_be_is_said_before_anything_is_rendered(table, tmp_path, more, told):
    (table / "fake.png").write_text('{"error": "not found"}')
    paths = [table / each if str(each).endswith((".yaml", ".png")) else each for each in more]

    done = run(*asked(table, tmp_path / "out", "--dry-run", *paths))

    assert done.returncode == 2
    assert told in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()
