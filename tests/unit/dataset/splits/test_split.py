"""Splits keep a model's views together, are the same every time, and stay as a dataset grows."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import farm.dataset
from farm.dataset.reader import open_dataset
from farm.dataset.split_lists import NoSplitError, split_names
from farm.dataset.splits.earlier import SplitsThereError
from farm.dataset.splits.split import split_dataset
from farm.dataset.splits.summary import SplitSummary
from farm.dataset.verify.verify import verify
from farm.errors import SpecError, StorageError
from farm.spec.record import read_record
from farm.storage import FolderStorage
from tests.support.datasets import write_dataset

pytest.importorskip("imagecodecs")

SHARES = {"train": 0.8, "val": 0.1, "test": 0.1}


def split(folder: Path, **changes) -> SplitSummary:
    return split_dataset(
        open_dataset(folder), **{"shares": SHARES, "by": "model", "seed": 3} | changes
    )


def names_of(folder: Path, part: str) -> set[str]:
    return {view.key for view in farm.dataset.open(folder, split=part)}


def write(folder: Path, *, views: int, models: int, **options) -> None:
    write_dataset(folder, views=views, models=models, passes=("mask",), size=(8, 6), **options)


@pytest.mark.parametrize(("by", "count"), [("model", 10), ("hdr", 3)])
def test_no_model_or_hdr_is_in_two_splits(tmp_path, by, count):
    write(tmp_path, views=60, models=10, hdrs=3)

    summary = split(tmp_path, by=by)

    seen = {
        part: {
            asset.content
            for view in farm.dataset.open(tmp_path, split=part)
            for asset in view.record.assets
            if asset.kind == by
        }
        for part in SHARES
    }
    assert all(seen.values())
    assert sum(map(len, seen.values())) == len(set().union(*seen.values())) == count
    assert sum(summary.views.values()) == 60
    if by == "model":
        assert [len(seen[part]) for part in SHARES] == [8, 1, 1]


def test_the_parts_are_the_whole_and_the_reader_finds_any_view_of_a_part(tmp_path):
    write(tmp_path, views=12, models=4)

    split(tmp_path)

    parts = [names_of(tmp_path, part) for part in SHARES]
    assert set().union(*parts) == {view.key for view in farm.dataset.open(tmp_path)}
    train = farm.dataset.open(tmp_path, split="train")
    assert len(train) == len(parts[0]) == 6
    assert [train[at].key for at in range(len(train))] == [view.key for view in train]


def test_the_same_seed_gives_the_same_splits_and_another_does_not(tmp_path):
    write(tmp_path, views=40, models=20)

    first, again = split(tmp_path), split(tmp_path, fresh=True)
    other = split(tmp_path, seed=4, fresh=True)

    assert first == again
    assert {g.name for g in first.groups if g.split == "train"} != {
        g.name for g in other.groups if g.split == "train"
    }


def test_a_model_stays_in_its_split_when_models_are_added(tmp_path):
    write(tmp_path, views=6, models=6)
    before = {group.name: group.split for group in split(tmp_path).groups}
    write(tmp_path, views=12, models=12)

    after = {group.name: group.split for group in split(tmp_path).groups}

    assert len(after) == 12
    assert before.items() <= after.items()


def test_a_view_split_alone_stays_when_views_are_added(tmp_path):
    write(tmp_path, views=30, models=1)
    split(tmp_path, by="view")
    before = {part: names_of(tmp_path, part) for part in SHARES}
    write(tmp_path, views=60, models=1)

    split(tmp_path, by="view")

    assert all(before[part] <= names_of(tmp_path, part) for part in SHARES)


def test_several_datasets_are_split_as_one(tmp_path):
    write(tmp_path / "a", views=6, models=3)
    write(tmp_path / "b", views=6, models=3)

    split(tmp_path)

    for part in SHARES:
        names = names_of(tmp_path, part)
        assert {name.replace("a/", "b/") for name in names} == {
            name.replace("a/", "b/") for name in names if name.startswith("b/")
        }


def test_what_makes_no_sense_is_named(tmp_path):
    write(tmp_path, views=2, models=1)

    with pytest.raises(NoSplitError, match="farm dataset split"):
        farm.dataset.open(tmp_path, split="train")
    with pytest.raises(SpecError, match=r"add up to 0\.9, not to 1"):
        split(tmp_path, shares={"train": 0.8, "val": 0.1})
    split(tmp_path)
    with pytest.raises(NoSplitError, match="has no split 'dev'; it has train, val, test"):
        farm.dataset.open(tmp_path, split="dev")
    (tmp_path / "splits.json").write_text(json.dumps({"by": "colour"}))
    with pytest.raises(SpecError, match="--fresh"):
        split(tmp_path)


class Failing(FolderStorage):
    """Storage that refuses one of its writes, or all from then on, as a crash would."""

    def __init__(self, root: Path, at: int, *, dies: bool) -> None:
        super().__init__(root)
        self.at, self.dies, self.writes = at, dies, 0

    def _count(self) -> None:
        self.writes += 1
        if self.writes == self.at or (self.dies and self.writes > self.at):
            raise StorageError("no space left on device")

    def put(self, key: str, data: bytes) -> None:
        self._count()
        super().put(key, data)

    def put_file(self, key: str, path: Path) -> None:
        self._count()
        super().put_file(key, path)

    def delete(self, key: str) -> None:
        self._count()
        super().delete(key)

    def delete_tree(self, prefix: str) -> None:
        self._count()
        super().delete_tree(prefix)


def splits_of(folder: Path) -> dict[str, set[str]]:
    """The splits as readers find them; {} where there are none."""
    return {name: names_of(folder, name) for name in split_names(FolderStorage(folder))}


@pytest.mark.parametrize("dies", [False, True])
@pytest.mark.parametrize("is_split", [False, True])
def test_splits_are_written_whole_or_not_at_all(tmp_path, is_split, dies):
    """Whichever write fails: the old splits are there, or, after a crash, the new ones."""
    write(tmp_path / "new", views=12, models=6)
    split(tmp_path / "new", seed=8)
    new = splits_of(tmp_path / "new")
    at, failed = 1, True
    while failed:
        place = tmp_path / f"d{at}"
        write(place, views=12, models=6)
        if is_split:
            split(place, seed=3)
        old = splits_of(place)
        data = open_dataset(place)
        data.storage = Failing(place, at, dies=dies)

        try:
            split_dataset(data, SHARES, by="model", seed=8, fresh=True)
            failed = data.storage.writes >= at
        except StorageError:
            pass

        now = splits_of(place)
        assert now in (old, new), at
        split(place, seed=8, fresh=True)
        assert splits_of(place) == new
        assert not (place / "splits/.next").exists()
        at += 1
    assert at > 8


def test_a_place_that_cannot_be_written_keeps_its_splits(tmp_path):
    write(tmp_path, views=6, models=6)
    before = split(tmp_path)
    (tmp_path / "splits/test.txt").unlink()
    (tmp_path / "splits/test.txt").mkdir()

    with pytest.raises(StorageError, match=r"splits/test\.txt: cannot be read"):
        split(tmp_path, seed=4, fresh=True)

    assert SplitSummary.model_validate_json((tmp_path / "splits.json").read_bytes()) == before
    assert len(names_of(tmp_path, "train")) == before.views["train"]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (
            {"seed": 4},
            r"is already split differently \(by model, seed 3, train 0\.8, val 0\.1, test 0\.1\)",
        ),
        ({"by": "hdr"}, "is already split differently"),
        ({"shares": {"train": 0.5, "val": 0.5}}, "is already split differently"),
    ],
)
def test_other_splits_are_replaced_only_on_request(tmp_path, changes, sentence):
    write(tmp_path, views=12, models=6, hdrs=2)
    split(tmp_path)
    before = splits_of(tmp_path)

    with pytest.raises(SplitsThereError, match=f"{sentence}.*--fresh replaces"):
        split(tmp_path, **changes)

    assert splits_of(tmp_path) == before
    assert split(tmp_path, **changes, fresh=True).seed == changes.get("seed", 3)


def test_a_list_that_a_person_changed_is_replaced_only_on_request(tmp_path):
    write(tmp_path, views=12, models=6)
    split(tmp_path)
    (tmp_path / "splits/val.txt").write_text("")

    with pytest.raises(SplitsThereError, match=r"splits/val\.txt: has changed since"):
        split(tmp_path)
    (tmp_path / "splits.json").unlink()
    with pytest.raises(SplitsThereError, match=r"is a split, but splits\.json is gone; --fresh"):
        split(tmp_path)

    assert split(tmp_path, fresh=True).views["val"] == len(names_of(tmp_path, "val")) > 0


@pytest.mark.parametrize(("answer", "seed"), [("n", 3), ("y", 1)])
def test_at_a_terminal_one_is_asked(tmp_path, answer, seed):
    write(tmp_path, views=6, models=6)
    split(tmp_path)
    keyboard, terminal = os.openpty()
    os.write(keyboard, f"{answer}\n".encode())

    done = subprocess.run(
        [sys.executable, "-m", "farm", "dataset", "split", str(tmp_path), "--seed", "1"],
        stdin=terminal, capture_output=True, text=True, check=False,
    )  # fmt: skip
    os.close(keyboard)
    os.close(terminal)

    assert done.returncode == (answer == "n")
    assert "is already split differently" in done.stderr
    assert json.loads((tmp_path / "splits.json").read_bytes())["seed"] == seed


@pytest.mark.parametrize(
    ("harm", "sentence"),
    [
        (lambda place: (place / "splits.json").unlink(), "is a split, but splits.json is gone"),
        (lambda place: (place / "splits/val.txt").unlink(), "splits/val.txt: is gone"),
        (lambda place: (place / "splits/val.txt").write_bytes(b"\xff\n"), "is not text in UTF-8"),
        (
            lambda place: (place / "splits/val.txt").write_bytes(
                (place / "splits/train.txt").read_bytes()
            ),
            "shares 6 views with train, such as ball",
        ),
        (
            lambda place: (place / "splits/val.txt").write_text("nobody_0000\n"),
            "names 1 view without a record, such as nobody_0000; split again",
        ),
    ],
)
def test_verify_tells_of_splits_that_are_not_whole(tmp_path, harm, sentence):
    write(tmp_path, views=8, models=4)
    split(tmp_path, shares={"train": 0.75, "val": 0.25})
    assert verify(open_dataset(tmp_path), workers=1).wrong == 0
    harm(tmp_path)

    checks = {check.check: check for check in verify(open_dataset(tmp_path), workers=1).checks}

    assert checks["splits"].found == 1
    assert sentence in checks["splits"].examples[0]


def test_things_that_are_seen_together_are_never_split_apart(tmp_path):
    """Views of two models each link them, and those link others: none leaks into another split."""
    write(tmp_path, views=24, models=8)
    show_together(
        tmp_path, [("ball000", "ball001"), ("ball001", "ball002"), ("ball006", "ball007")]
    )

    split(tmp_path, by="model")

    shown = [
        {asset.title for view in farm.dataset.open(tmp_path, split=part)
         for asset in view.record.of("models")}
        for part in SHARES
    ]  # fmt: skip
    assert sum({"ball000", "ball001", "ball002"} <= part for part in shown) == 1
    assert sum(map(len, shown)) == 8


def test_what_hangs_together_as_a_whole_is_not_split_by_kind(tmp_path):
    write(tmp_path, views=4, models=2)
    show_together(tmp_path, [("ball000", "ball001")])

    with pytest.raises(SpecError, match="--by model: views that show several of them link all 2"):
        split(tmp_path, by="model")


def show_together(folder, pairs):
    """Let the first views of a dataset show two models each."""
    path = folder / "views.jsonl"
    records = [read_record(line) for line in path.read_bytes().splitlines()]
    models = {record.assets[0].title: record.assets[0] for record in records}
    for at, (one, other) in enumerate(pairs):
        assets = (models[one], models[other], records[at].assets[-1])
        records[at] = records[at].model_copy(update={"assets": assets})
    path.write_text("".join(record.model_dump_json() + "\n" for record in records))


def test_a_role_of_assets_is_split_by_too(tmp_path):
    """Two roles may take the same kind of file, of which one is in all views."""
    write(tmp_path, views=24, models=8)
    add_backdrop(tmp_path)

    split(tmp_path, by="models")

    shown = [
        {asset.title for view in farm.dataset.open(tmp_path, split=part)
         for asset in view.record.of("models")}
        for part in SHARES
    ]  # fmt: skip
    assert sum(map(len, shown)) == len(set().union(*shown)) == 8
    with pytest.raises(SpecError, match="--by model: views that show several of them link all 8"):
        split(tmp_path, by="model", fresh=True)
    with pytest.raises(SpecError, match="--by: 'tools' is not one of group, view, model, hdr, mo"):
        split(tmp_path, by="tools", fresh=True)


def add_backdrop(folder):
    storage = FolderStorage(folder)
    records = [json.loads(line) for line in storage.get("views.jsonl").splitlines()]
    backdrop = records[0]["assets"][0] | {"role": "backdrops"}
    for record in records:
        record["assets"].append(backdrop)
    lines = "".join(json.dumps(record) + "\n" for record in records)
    storage.put("views.jsonl", lines.encode())
