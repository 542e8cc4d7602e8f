"""Which frames of sequences are a scene that stands still, and what else is refused by its name."""

from __future__ import annotations

import functools
import shutil
import tempfile
from pathlib import Path

import pytest

import farm.dataset
from farm.dataset.export.registry import SCENE_FORMATS
from farm.dataset.splits.split import split_dataset
from farm.errors import SpecError
from farm.spec.recipes.sequence import TIME_DEPENDENT
from tests.support.changed_datasets import ChangedDataset
from tests.support.sequences import SCENES, write_sequences
from tests.unit.dataset.export.pictures import run
from tests.unit.dataset.export.scenes.shared import KEPT, change_records

TAKES_ALL = ("materials", "matting", "rvm", "nerfstudio")
every_format = pytest.mark.parametrize("to", [to for to in SCENE_FORMATS if to not in TAKES_ALL])
STANDS = {"the place of Door": "12345678"}
FRAMES = 4


def write_still(folder: Path, *, sequences: int = 2, lit: bool = False) -> None:
    """Write sequences of one scene in which things stand still, as their records tell it.

    Args:
        folder: Where to.
        sequences: How many of the scene.
        lit: Each sequence has drawn a light of its own.
    """
    shutil.copytree(made(sequences), folder)
    if lit:
        change_records(
            folder,
            lambda _at, line: line["view"].update(drawn={"exposure_ev": float(number_of(line))}),
        )


@functools.cache
def made(sequences: int) -> Path:
    """Make such a dataset once; it goes when the process ends."""
    held = tempfile.TemporaryDirectory()
    KEPT.append(held)
    folder = Path(held.name) / "d"
    of_all_scenes = len(SCENES) * (sequences - 1) + 1
    passes = ("rgb", "mask", "depth", "normal")
    write_sequences(folder, sequences=of_all_scenes, frames=FRAMES, passes=passes)
    changed = ChangedDataset(folder)
    changed.lines[:] = [line for line in changed.lines if line["title"].startswith(SCENES[0])]
    for line in changed.lines:
        line["values"][TIME_DEPENDENT] = dict(STANDS)
    changed.change_all(("mask",), lambda mask: (mask > 127).astype(mask.dtype) * 255)
    changed.save()
    return folder


def number_of(line: dict) -> int:
    """Which sequence of its scene a frame is of, from 0."""
    return int(line["view"]["moment"]["sequence"].split("-")[1]) // FRAMES


def tell(folder: Path, how) -> None:
    """Change what frames tell; `how` gets what each tells, and the frame."""
    change_records(folder, lambda _at, line: how(line["values"][TIME_DEPENDENT], line))


def scenes_in(out: Path) -> list[str]:
    return sorted(path.parent.name for path in out.rglob("transforms.json"))


@every_format
def test_a_sequence_in_which_the_camera_alone_moves_is_a_scene(tmp_path: Path, to):
    write_still(tmp_path / "d", sequences=1)

    done = run(tmp_path / "d", tmp_path / "o", to)

    assert done.views == FRAMES
    assert not [note for note in done.notes if "release" in note]


def test_sequences_of_one_scene_in_one_light_are_one_scene_for_training(tmp_path: Path):
    write_still(tmp_path / "d", sequences=3)

    run(tmp_path / "d", tmp_path / "o", "ngp")

    assert scenes_in(tmp_path / "o") == ["street"]
    assert len(list((tmp_path / "o/street/images").iterdir())) == 3 * FRAMES


def test_sequences_that_have_drawn_a_light_are_a_scene_each(tmp_path: Path):
    write_still(tmp_path / "d", sequences=2, lit=True)

    run(tmp_path / "d", tmp_path / "o", "ngp")

    assert scenes_in(tmp_path / "o") == ["street-001-00001-00004", "street-001-00005-00008"]


def test_sequences_that_stand_still_in_other_ways_are_a_scene_each(tmp_path: Path):
    """A door is open in one and closed in the other."""
    write_still(tmp_path / "d", sequences=2)
    tell(
        tmp_path / "d", lambda told, line: told.update({"the place of Door": str(number_of(line))})
    )

    run(tmp_path / "d", tmp_path / "o", "ngp")

    assert scenes_in(tmp_path / "o") == ["street-001-00001-00004", "street-001-00005-00008"]


@every_format
def test_what_changes_within_a_sequence_is_refused_by_its_name_and_two_frames(tmp_path: Path, to):
    write_still(tmp_path / "d", sequences=1)

    def burn_down(told, line):
        told["the material Candle"] = "1" if line["view"]["moment"]["place"] < 2 else "2"

    tell(tmp_path / "d", burn_down)

    with pytest.raises(SpecError) as refused:
        run(tmp_path / "d", tmp_path / "o", to)

    assert str(refused.value).startswith(
        "street-001-00001-00004-000001 and street-001-00001-00004-000003: the material Candle "
        "changes, and in "
    )
    assert "(--frame-start, --frame-end, --clip)" in str(refused.value)
    assert "export to nerfstudio" in str(refused.value)
    assert not (tmp_path / "o").exists()
    assert run(tmp_path / "d", tmp_path / "o", "nerfstudio").views == FRAMES


@every_format
def test_a_lamp_that_changes_is_refused_and_the_object_alone_offered(tmp_path: Path, to):
    write_still(tmp_path / "d", sequences=2)
    tell(
        tmp_path / "d",
        lambda told, line: told.update({"the lamp Candle": str(line["view"]["moment"]["place"])}),
    )

    with pytest.raises(SpecError, match=r"-000001 and \S+-000002: the lamp Candle changes, and "):
        run(tmp_path / "d", tmp_path / "o", to)
    done = run(tmp_path / "d", tmp_path / "o", to, foreground=True)

    assert done.views == 2 * FRAMES
    assert any("the light differs from view to view of 1 object" in note for note in done.notes)


def test_what_comes_within_a_sequence_is_refused(tmp_path: Path):
    write_still(tmp_path / "d", sequences=1)
    tell(
        tmp_path / "d",
        lambda told, line: (
            told.update({"the shape of Smoke": "1"}) if line["view"]["frame"] > 1 else None
        ),
    )

    with pytest.raises(SpecError, match="the shape of Smoke changes, and in COLMAP nothing but"):
        run(tmp_path / "d", tmp_path / "o", "colmap")


def forget(folder: Path) -> None:
    """Make records as releases wrote them that told no more than poses."""
    change_records(folder, lambda _at, line: line["values"].pop(TIME_DEPENDENT))


def test_frames_of_older_releases_are_refused_where_a_thing_is_elsewhere(tmp_path: Path):
    write_still(tmp_path / "d", sequences=1)
    forget(tmp_path / "d")

    with pytest.raises(SpecError, match=r"-000001 and \S+-000002: \S+ moves, and in COLMAP .*--fr"):
        run(tmp_path / "d", tmp_path / "o", "colmap")


def test_frames_of_older_releases_that_tell_no_move_are_a_scene_with_a_note(tmp_path: Path):
    write_still(tmp_path / "d", sequences=1)
    forget(tmp_path / "d")
    change_records(tmp_path / "d", lambda _at, line: line.update(objects=line["objects"][:1]))

    done = run(tmp_path / "d", tmp_path / "o", "colmap")

    assert done.views == FRAMES
    [note] = [note for note in done.notes if "release" in note]
    assert note.startswith("frames of 1 scene, such as street · 001-00001-00004, are of a release ")


def test_new_frames_of_a_sequence_speak_for_those_of_an_older_release(tmp_path: Path):
    write_still(tmp_path / "d", sequences=1)
    changed = ChangedDataset(tmp_path / "d")
    changed.lines[0]["values"].pop(TIME_DEPENDENT)
    changed.save()

    run(tmp_path / "d", tmp_path / "o", "ngp")

    assert len(list((tmp_path / "o/street/images").iterdir())) == FRAMES


def test_splits_by_view_hold_out_frames(tmp_path: Path):
    write_still(tmp_path / "d", sequences=3)
    shares = {"train": 0.5, "test": 0.5}
    split_dataset(farm.dataset.open(tmp_path / "d"), shares, by="view", seed=3)
    test = set((tmp_path / "d/splits/test.txt").read_text().split())

    run(tmp_path / "d", tmp_path / "o", "colmap")

    listed = (tmp_path / "o/street/test_list.txt").read_text().split()
    assert {name.removesuffix(".png") for name in listed} == test


def test_a_blurred_picture_which_has_no_one_camera_is_not_taken_for_a_view(tmp_path: Path):
    write_still(tmp_path / "d", sequences=1)

    def blur(_at: int, line: dict) -> None:
        line["files"]["blur"] = line["files"].pop("rgb")

    change_records(tmp_path / "d", blur)

    with pytest.raises(
        SpecError, match=r"needs the pass rgb or foreground: .* render again with --"
    ):
        run(tmp_path / "d", tmp_path / "o", "colmap")
