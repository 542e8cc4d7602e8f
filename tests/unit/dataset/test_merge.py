"""Merged datasets are one dataset, whole in every respect, or an error before anything is there."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path

import pytest

from farm.dataset import merge as merge_module
from farm.dataset.merge import MergeSummary, merge
from farm.dataset.reader import DatasetError, open_dataset
from farm.dataset.splits.split import split_dataset
from farm.dataset.verify.verify import verify
from farm.errors import SpecError, StorageError
from farm.spec.recipes.sod import Relit
from farm.spec.record import read_record
from farm.storage import FolderStorage
from farm.storage.folder import PARTIAL_PREFIX
from tests.support.datasets import views_that_are_whole, write_dataset
from tests.support.full_disks import fill, small_disk

pytest.importorskip("imagecodecs")
pytest.importorskip("OpenEXR")

PASSES = ("rgb", "mask", "depth")


def write(folder: Path, *, views: int = 3, first: int = 0, **options) -> None:
    write_dataset(folder, views=views, first=first, **{"passes": PASSES} | options)


def put_together(root: Path, *names: str, **options) -> MergeSummary:
    parts = [open_dataset(root / name) for name in names]
    return merge(parts, FolderStorage(root / "out"), **options)


def files_in(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_siblings_under_other_lights_find_each_other_under_their_new_names(tmp_path):
    write_dataset(tmp_path / "a", views=2, models=1, passes=("mask",), size=(8, 6))
    listing = tmp_path / "a" / "views.jsonl"
    records = [read_record(line) for line in listing.read_bytes().splitlines()]
    names = [record.view.name for record in records]
    with listing.open("w") as file:
        for record, other in zip(records, reversed(names), strict=True):
            relit = Relit(pose="view", hdr=record.assets[-1].id, siblings=(other,))
            view = record.view.model_copy(update={"relit": relit})
            changed = record.model_copy(update={"view": view, "siblings": (other,)})
            file.write(f"{changed.model_dump_json()}\n")

    merge([open_dataset(tmp_path / "a")], FolderStorage(tmp_path / "all"), prefix=True)

    data = open_dataset(tmp_path / "all")
    assert [view.name for view in data] == [f"a_{name}" for name in names]
    for view, other in zip(data, reversed(names), strict=True):
        assert view.record.siblings == view.record.view.siblings == (f"a_{other}",)


def test_a_merged_dataset_is_whole_and_in_order(tmp_path):
    write(tmp_path / "a", models=2)
    write(tmp_path / "b", first=3, hdrs=2)

    done = put_together(tmp_path, "a", "b")

    assert done == MergeSummary(views=6, repeated=0, linked=18, copied=0, there=0)
    assert views_that_are_whole(tmp_path / "out") == 6
    report = verify(open_dataset(tmp_path / "out"), workers=2)
    assert (report.wrong, report.views) == (0, 6)
    names = [view.name for part in ("a", "b") for view in open_dataset(tmp_path / part)]
    merged = open_dataset(tmp_path / "out")
    assert [view.name for view in merged] == names
    assert [view.record.view.index for view in merged] == list(range(6))
    summary = json.loads((tmp_path / "out/dataset.json").read_text())
    assert (summary["name"], summary["tasks"], summary["seconds"]) == ("out", 4, 6.0)
    assert [spec["name"] for spec in summary["spec"]["merged"]] == ["a", "b"]
    text = (tmp_path / "out/ATTRIBUTION.md").read_text()
    assert "Ball 0" in text
    assert "Ball 1" in text
    assert (tmp_path / "out/preview.jpg").stat().st_size > 1000


def test_files_are_linked_unless_copies_are_wanted_or_links_impossible(tmp_path, monkeypatch):
    write(tmp_path / "a")
    path = open_dataset(tmp_path / "a")[0].path("rgb")

    put_together(tmp_path, "a")
    assert (tmp_path / "out" / path).samefile(tmp_path / "a" / path)

    done = merge([open_dataset(tmp_path / "a")], FolderStorage(tmp_path / "c"), link=False)
    assert done.copied == 9
    assert not (tmp_path / "c" / path).samefile(tmp_path / "a" / path)

    def refuse(*_: object) -> None:
        raise OSError(18, "cross-device link")

    monkeypatch.setattr(os, "link", refuse)
    done = merge([open_dataset(tmp_path / "a")], FolderStorage(tmp_path / "d"))
    assert (done.linked, done.copied) == (0, 9)
    assert views_that_are_whole(tmp_path / "d") == 3


def test_the_same_merge_again_changes_nothing_and_another_adds(tmp_path):
    write(tmp_path / "a")
    write(tmp_path / "b", first=3)
    put_together(tmp_path, "a", "b")
    before = {name: (tmp_path / "out" / name).read_bytes() for name in files_in(tmp_path / "out")}

    done = put_together(tmp_path, "a", "b")

    assert (done.views, done.repeated, done.there) == (6, 6, 18)
    after = {name: (tmp_path / "out" / name).read_bytes() for name in files_in(tmp_path / "out")}
    assert before == after
    write(tmp_path / "c", first=6)
    assert put_together(tmp_path, "c").views == 9
    assert verify(open_dataset(tmp_path / "out"), workers=2).wrong == 0


def test_other_pictures_under_one_name_are_refused_before_anything_is_written(tmp_path):
    write(tmp_path / "a")
    write(tmp_path / "b", size=(32, 24))

    with pytest.raises(SpecError, match=r"b/ball000_.*: another view is also called .*--prefix"):
        put_together(tmp_path, "a", "b")
    assert not (tmp_path / "out").exists()

    done = put_together(tmp_path, "a", "b", prefix=True)

    assert done.views == 6
    assert {view.name[:6] for view in open_dataset(tmp_path / "out")} == {"a_ball", "b_ball"}
    assert views_that_are_whole(tmp_path / "out") == 6
    assert verify(open_dataset(tmp_path / "out"), workers=2).wrong == 0
    write(tmp_path / "x/a", size=(16, 12))
    with pytest.raises(SpecError, match="rename the folder"):
        put_together(tmp_path, "x/a", prefix=True)


def test_the_same_views_in_two_datasets_are_one(tmp_path):
    write(tmp_path / "a", views=3)
    write(tmp_path / "b", views=5)

    done = put_together(tmp_path, "a", "b")

    assert (done.views, done.repeated) == (5, 3)


@pytest.mark.parametrize("first", [True, False])
def test_a_view_is_there_once_whatever_it_is_called(tmp_path, first):
    """With the names of datasets and then without, or the other way round."""
    write(tmp_path / "a", views=3)
    write(tmp_path / "b", views=2, first=1)
    put_together(tmp_path, "a", "b", prefix=first)
    before = files_in(tmp_path / "out")

    done = put_together(tmp_path, "b", "a", prefix=not first)

    assert done.views == 3
    assert files_in(tmp_path / "out") == before
    assert verify(open_dataset(tmp_path / "out"), workers=2).wrong == 0


def test_a_merge_that_was_stopped_shows_no_records_and_goes_on(tmp_path, monkeypatch):
    write(tmp_path / "a")
    write(tmp_path / "b", first=3)
    bring = merge_module.bring
    count = 0

    def stop(*args: object, **options: object) -> object:
        nonlocal count
        count += 1
        if count == 5:
            raise KeyboardInterrupt
        return bring(*args, **options)

    monkeypatch.setattr(merge_module, "bring", stop)
    with pytest.raises(KeyboardInterrupt):
        put_together(tmp_path, "a", "b")
    there = files_in(tmp_path / "out")
    assert there
    assert all(name.startswith(("images/", "masks/", "depth/")) for name in there)
    monkeypatch.setattr(merge_module, "bring", bring)

    done = put_together(tmp_path, "a", "b")

    assert done.there == len(there)
    assert views_that_are_whole(tmp_path / "out") == 6


def test_what_a_killed_merge_left_half_written_is_gone(tmp_path):
    write(tmp_path / "a")
    (tmp_path / "out/images").mkdir(parents=True)
    (tmp_path / f"out/images/{PARTIAL_PREFIX}x").write_bytes(b"half")

    put_together(tmp_path, "a")

    assert not [name for name in files_in(tmp_path / "out") if PARTIAL_PREFIX in name]


def split_views(root: Path, name: str) -> None:
    split_dataset(open_dataset(root / name), {"train": 1.0}, by="view", seed=0)


@pytest.mark.parametrize("verb", [put_together, split_views])
def test_a_folder_of_temporary_files_without_room_is_named(tmp_path, monkeypatch, verb):
    write(tmp_path / "a", views=40)
    with small_disk(tmp_path / "disk", 1 << 16) as disk:
        monkeypatch.setattr(tempfile, "tempdir", str(disk))
        fill(disk)
        with pytest.raises(StorageError, match=f"{disk}: cannot be written: No space left"):
            verb(tmp_path, "a")


def test_what_cannot_be_merged_is_named(tmp_path):
    write(tmp_path / "a")
    with pytest.raises(SpecError, match=r"lies in .* or around it"):
        merge([open_dataset(tmp_path / "a")], FolderStorage(tmp_path / "a/out"))
    path = tmp_path / "a" / open_dataset(tmp_path / "a")[1].path("mask")
    path.unlink()
    with pytest.raises(DatasetError, match=r"masks/.*: is gone; farm dataset verify"):
        put_together(tmp_path, "a")
    (tmp_path / "other").mkdir()
    write(tmp_path / "b")
    wanted = tmp_path / "other" / open_dataset(tmp_path / "b")[0].path("mask")
    wanted.parent.mkdir()
    wanted.write_bytes(b"mine")
    with pytest.raises(SpecError, match="is another file"):
        merge([open_dataset(tmp_path / "b")], FolderStorage(tmp_path / "other"))
    assert wanted.read_bytes() == b"mine"


def give_own_paths(folder: Path, pattern: str) -> None:
    """Have the files of a dataset lie as a recipe's `path_of` says."""
    lines = []
    for line in (folder / "views.jsonl").read_text().splitlines():
        record = json.loads(line)
        for of, file in record["files"].items():
            before, suffix = folder / file["path"], Path(file["path"]).suffix
            at = f"{record['view']['index']:02d}"
            file["path"] = f"{pattern.format(of=of, at=at)}{suffix}"
            (folder / file["path"]).parent.mkdir(parents=True, exist_ok=True)
            before.rename(folder / file["path"])
        lines.append(json.dumps(record))
    (folder / "views.jsonl").write_text("\n".join(lines) + "\n")


def test_files_keep_a_recipes_own_paths(tmp_path):
    write(tmp_path / "a")
    write(tmp_path / "b", first=3)
    give_own_paths(tmp_path / "a", "{of}/left/{at}")
    give_own_paths(tmp_path / "b", "right/{at}/{of}")

    put_together(tmp_path, "a", "b")

    assert {"rgb/left/00.png", "depth/left/02.exr", "right/04/mask.png"} <= files_in(
        tmp_path / "out"
    )
    assert verify(open_dataset(tmp_path / "out"), workers=2).wrong == 0
    assert put_together(tmp_path, "a", "b").there == 18, "the same again moves nothing"


def test_own_paths_that_are_the_same_are_told_apart_by_a_prefix(tmp_path):
    for name, first in (("a", 0), ("b", 3)):
        write(tmp_path / name, first=first)
        give_own_paths(tmp_path / name, "{of}/left/frame")

    with pytest.raises(SpecError, match="have a file of that name; --prefix puts the files"):
        put_together(tmp_path, "a", "b")
    assert not (tmp_path / "out").exists()
