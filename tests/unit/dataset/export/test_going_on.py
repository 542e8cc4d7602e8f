"""An export goes on where it was stopped, follows its dataset, and touches nothing else."""

from __future__ import annotations

import gc
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import farm.dataset
from farm.dataset.export.output_folder import STATE_FOLDER
from farm.dataset.export.registry import PICTURE_FORMATS
from farm.dataset.reader import DatasetView
from farm.dataset.splits.split import split_dataset
from farm.errors import SetupError, SpecError
from tests.support.datasets import write_dataset
from tests.unit.dataset.export.pictures import files_of, run

KILLED = """
import os, signal, sys
from pathlib import Path
from tests.unit.dataset.export.pictures import run
def report(done, views):
    if done == 5:
        os.kill(os.getpid(), signal.SIGKILL)
run(Path(sys.argv[1]), Path(sys.argv[2]), "coco", shard_views=2, report=report)
"""


def stop_after(count: int) -> Callable[[int, int], None]:
    def report(done: int, _views: int) -> None:
        if done == count:
            raise KeyboardInterrupt

    return report


@pytest.mark.parametrize("to", PICTURE_FORMATS)
def test_stopped_and_gone_on_with_is_the_same_as_in_one_go(tmp_path: Path, to):
    write_dataset(tmp_path / "Töpfe & Vasen", views=7, models=2, passes=("rgb", "mask", "depth"))
    place = tmp_path / "Töpfe & Vasen"
    whole, stopped = tmp_path / "one/x", tmp_path / "two/x"
    run(place, whole, to, shard_views=2)

    with pytest.raises(KeyboardInterrupt):
        run(place, stopped, to, shard_views=2, report=stop_after(5))
    assert files_of(stopped) != files_of(whole)
    summary = run(place, stopped, to, shard_views=2)

    assert summary.there == 4
    assert files_of(stopped) == files_of(whole)
    assert not list((stopped / STATE_FOLDER / "partial").iterdir())


def test_a_killed_export_is_gone_on_with(tmp_path: Path):
    write_dataset(tmp_path / "d", views=7, passes=("rgb", "mask"))
    run(tmp_path / "d", tmp_path / "one/x", "coco", shard_views=2)

    killed = subprocess.run(
        [sys.executable, "-c", KILLED, tmp_path / "d", tmp_path / "two/x"],
        check=False, cwd=Path(__file__).parents[4],
    )  # fmt: skip
    summary = run(tmp_path / "d", tmp_path / "two/x", "coco", shard_views=2)

    assert killed.returncode == -signal.SIGKILL
    assert summary.there == 4
    assert files_of(tmp_path / "two/x") == files_of(tmp_path / "one/x")


def test_marks_that_a_power_cut_broke_are_written_anew(tmp_path: Path):
    write_dataset(tmp_path / "d", views=5, passes=("rgb", "mask"))
    out = tmp_path / "out/x"
    run(tmp_path / "d", out, "yolo", shard_views=2)
    before = files_of(out)
    (out / STATE_FOLDER / "shared.json").write_text("")
    (out / STATE_FOLDER / "parts/train-000001.json").write_text("{")

    assert run(tmp_path / "d", out, "yolo", shard_views=2).there == 3
    assert files_of(out) == before


def test_what_is_done_is_not_touched(tmp_path: Path):
    write_dataset(tmp_path / "d", views=5, passes=("rgb", "mask"))
    run(tmp_path / "d", tmp_path / "out", "yolo", shard_views=2)
    lost, *others = sorted((tmp_path / "out/labels/train").iterdir())
    before = {path: path.stat().st_mtime_ns for path in others[1:]}
    lost.unlink()

    summary = run(tmp_path / "d", tmp_path / "out", "yolo", shard_views=2)

    assert summary.there == 3
    assert lost.is_file()
    assert {path: path.stat().st_mtime_ns for path in others[1:]} == before


def test_an_export_follows_its_dataset(tmp_path: Path):
    """Views that came are written, those that went are gone, and the rest stays."""
    place = tmp_path / "d"
    write_dataset(place, views=6, passes=("rgb", "mask"))
    lines = (place / "views.jsonl").read_text().splitlines(keepends=True)
    out = tmp_path / "out/x"
    run(place, out, "yolo", shard_views=2)

    (place / "views.jsonl").write_text("".join(lines[:3]))
    summary = run(place, out, "yolo", shard_views=2)

    assert (summary.views, summary.there) == (3, 2)
    run(place, tmp_path / "fresh/x", "yolo", shard_views=2)
    assert files_of(out) == files_of(tmp_path / "fresh/x")


@pytest.mark.parametrize("to", PICTURE_FORMATS)
def test_only_the_views_of_a_part_are_ever_held(tmp_path: Path, to):
    """However large a dataset is, an export takes the memory of one part and the next view."""
    write_dataset(tmp_path / "d", views=12, passes=("rgb", "mask"), size=(8, 8))
    gc.collect()
    gc.freeze()  # what was there before does not count, and is not looked through each time
    held: list[int] = []

    def report(_done: int, _views: int) -> None:
        held.append(sum(type(each) is DatasetView for each in gc.get_objects()))

    try:
        run(tmp_path / "d", tmp_path / "out", to, shard_views=3, report=report)
    finally:
        gc.unfreeze()

    assert 0 < max(held) <= 4


@pytest.mark.parametrize("to", PICTURE_FORMATS)
def test_views_that_move_to_another_part_stay(tmp_path: Path, to):
    """The first view goes: all others move up, and their files must not go with their old part."""
    place, out = tmp_path / "d", tmp_path / "out/x"
    write_dataset(place, views=7, models=3, passes=("rgb", "mask"))
    lines = (place / "views.jsonl").read_text().splitlines(keepends=True)
    run(place, out, to, shard_views=2)

    (place / "views.jsonl").write_text("".join(lines[1:]))
    with pytest.raises(KeyboardInterrupt):
        run(place, out, to, shard_views=2, report=stop_after(3))
    run(place, out, to, shard_views=2)

    run(place, tmp_path / "fresh/x", to, shard_views=2)
    assert files_of(out) == files_of(tmp_path / "fresh/x")
    assert not (out / STATE_FOLDER / "stale").exists() or not any(
        (out / STATE_FOLDER / "stale").iterdir()
    )


def test_a_split_that_is_gone_leaves_no_listing(tmp_path: Path):
    place, out = tmp_path / "d", tmp_path / "out"
    write_dataset(place, views=6, models=3, passes=("rgb", "mask"))
    run(place, out, "coco")
    split_dataset(farm.dataset.open(place), {"fit": 0.5, "test": 0.5}, by="model", seed=0)

    run(place, out, "coco")

    assert sorted(files_of(out / "annotations")) == ["instances_fit.json", "instances_test.json"]
    assert sorted(path.name for path in (out / "images").iterdir()) == ["fit", "test"]


def test_a_class_that_is_gone_leaves_no_folder(tmp_path: Path):
    place, out = tmp_path / "d", tmp_path / "out"
    write_dataset(place, views=3, models=3, passes=("rgb", "mask"))
    lines = (place / "views.jsonl").read_text().splitlines(keepends=True)
    run(place, out, "folders")

    (place / "views.jsonl").write_text(lines[0])
    run(place, out, "folders")

    assert [path.name for path in (out / "images/train").iterdir()] == ["vase"]


def test_another_export_or_a_folder_in_use_is_refused(tmp_path: Path):
    write_dataset(tmp_path / "d", views=1, passes=("rgb", "mask"))
    run(tmp_path / "d", tmp_path / "out", "coco")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/thesis.tex").write_text("all of it")
    (tmp_path / "file").write_text("")

    with pytest.raises(SpecError, match="holds an export with format 'coco', not 'yolo'"):
        run(tmp_path / "d", tmp_path / "out", "yolo")
    with pytest.raises(SpecError, match="with segmentation 'rle', not 'polygon'"):
        run(tmp_path / "d", tmp_path / "out", "coco", segmentation="polygon")
    with pytest.raises(SetupError, match=r"already holds other files \(thesis.tex\)"):
        run(tmp_path / "d", tmp_path / "mine", "coco")
    with pytest.raises(SetupError, match="is a file"):
        run(tmp_path / "d", tmp_path / "file", "coco")
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["thesis.tex"]


def truncated(good: bytes, _other: bytes) -> bytes:
    return good[:-7]


def swapped(_good: bytes, other: bytes) -> bytes:
    return other


def changed(good: bytes, _other: bytes) -> bytes:
    """As long as before, and still a picture to most readers."""
    return good[:-13] + bytes([good[-13] ^ 1]) + good[-12:]


@pytest.mark.parametrize("harm", [truncated, swapped, changed, None])
@pytest.mark.parametrize("name", ["rgb", "mask"])
@pytest.mark.parametrize("to", PICTURE_FORMATS)
def test_a_damaged_file_keeps_its_view_out_until_it_is_good(tmp_path: Path, to, name, harm):
    """Whatever it is that befell the file, and whether the format copies or decodes it."""
    place, out = tmp_path / "d", tmp_path / "out/x"
    write_dataset(place, views=5, models=2, passes=("rgb", "mask"))
    views = farm.dataset.open(place)
    path = place / views[3].path(name)
    good = path.read_bytes()
    if harm:
        path.write_bytes(harm(good, (place / views[0].path(name)).read_bytes()))
    else:
        path.unlink()

    summary = run(place, out, to, shard_views=2)

    assert (summary.views, len(summary.damaged)) == (4, 1)
    assert summary.damaged[0].startswith(f"{views[3].path(name)}: ")
    assert not [file for file in files_of(out) if views[3].name in file]
    assert run(place, out, to, shard_views=2).there == 3
    path.write_bytes(good)
    summary = run(place, out, to, shard_views=2)
    assert (summary.views, summary.there, summary.damaged) == (5, 3, ())
    run(place, tmp_path / "fresh/x", to, shard_views=2)
    assert files_of(out) == files_of(tmp_path / "fresh/x")


@pytest.mark.parametrize("to", ["coco", "yolo", "folders", "bop"])
def test_a_linked_file_is_looked_at_too(tmp_path: Path, to):
    """A link costs no bytes, and what is changed under it later is found by the next export."""
    place, out = tmp_path / "d", tmp_path / "out"
    write_dataset(place, views=2, passes=("rgb", "mask"))
    path = place / farm.dataset.open(place)[0].path("rgb")
    good = path.read_bytes()
    run(place, out, to, link=True)
    path.write_bytes(changed(good, b""))

    assert len(run(place, out, to, link=True).damaged) == 1

    path.unlink()
    path.write_bytes(good)
    assert run(place, out, to, link=True).damaged == ()
    assert good in files_of(out).values()
    assert changed(good, b"") not in files_of(out).values()


@pytest.mark.parametrize("to", PICTURE_FORMATS)
def test_what_a_person_changed_in_an_export_is_written_anew(tmp_path: Path, to):
    place, out = tmp_path / "d", tmp_path / "out"
    write_dataset(place, views=3, passes=("rgb", "mask"))
    run(place, out, to)
    before = files_of(out)
    for file in before:
        (out / file).write_bytes(before[file][:-3])

    assert run(place, out, to).there == 0
    assert files_of(out) == before


def test_where_all_is_damaged_nothing_is_exported(tmp_path: Path):
    for to in PICTURE_FORMATS:
        place, out = tmp_path / to, tmp_path / f"out/{to}"
        write_dataset(place, views=3, passes=("rgb", "mask"))
        for path in (place / "masks").iterdir():
            path.write_bytes(b"")

        assert len(run(place, out, to).damaged) == 3
        assert not [name for name in files_of(out) if name.endswith((".png", ".tar", ".parquet"))]


def test_another_dataset_or_a_part_does_not_take_the_place_of_an_export(tmp_path: Path):
    write_dataset(tmp_path / "all/one", views=4, passes=("rgb", "mask"))
    write_dataset(tmp_path / "all/two", views=2, first=4, passes=("rgb", "mask"))
    out = tmp_path / "out/x"
    run(tmp_path / "all", out, "yolo")
    before = files_of(out)

    sentence = f"holds an export of {tmp_path}/all, not of {tmp_path}/all/two: choose another --out"
    with pytest.raises(SpecError, match=sentence):
        run(tmp_path / "all/two", out, "yolo")
    assert files_of(out) == before

    summary = run(tmp_path / "all/two", out, "yolo", replace=True)
    assert (summary.views, summary.fewer) == (2, 0)
    run(tmp_path / "all/two", tmp_path / "fresh/x", "yolo")
    assert files_of(out) == files_of(tmp_path / "fresh/x")


def test_a_dataset_that_was_moved_costs_no_export(tmp_path: Path):
    write_dataset(tmp_path / "d", views=3, passes=("rgb", "mask"))
    run(tmp_path / "d", tmp_path / "out", "coco")
    (tmp_path / "d").rename(tmp_path / "moved")

    assert run(tmp_path / "moved", tmp_path / "out", "coco", replace=True).there == 3
    assert run(tmp_path / "moved", tmp_path / "out", "coco").there == 3


@pytest.mark.parametrize("to", PICTURE_FORMATS)
def test_another_format_takes_the_place_of_an_export_on_request(tmp_path: Path, to):
    write_dataset(tmp_path / "d", views=3, models=2, passes=("rgb", "mask"))
    run(tmp_path / "d", tmp_path / "fresh/x", to)
    for other in PICTURE_FORMATS:
        out = tmp_path / other / "x"
        run(tmp_path / "d", out, other)

        run(tmp_path / "d", out, to, replace=True)

        assert files_of(out) == files_of(tmp_path / "fresh/x")


def test_that_views_left_an_export_is_told(tmp_path: Path):
    place, out = tmp_path / "d", tmp_path / "out"
    write_dataset(place, views=6, passes=("rgb", "mask"))
    run(place, out, "folders")
    lines = (place / "views.jsonl").read_text().splitlines(keepends=True)
    (place / "views.jsonl").write_text("".join(lines[:2]))

    assert run(place, out, "folders").fewer == 4
    assert run(place, out, "folders").fewer == 0


@pytest.mark.parametrize("to", PICTURE_FORMATS)
def test_a_record_that_stands_twice_is_exported_once(tmp_path: Path, to):
    place = tmp_path / "d"
    write_dataset(place, views=4, models=2, passes=("rgb", "mask"))
    run(place, tmp_path / "once/x", to)
    lines = (place / "views.jsonl").read_text().splitlines(keepends=True)
    (place / "views.jsonl").write_text("".join([*lines, lines[1], lines[0]]))

    summary = run(place, tmp_path / "twice/x", to)

    assert (summary.views, summary.left_out) == (4, 0)
    assert files_of(tmp_path / "twice/x") == files_of(tmp_path / "once/x")
