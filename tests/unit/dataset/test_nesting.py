"""No dataset is written into another, and what lies within one is named, and taken when asked."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

import farm.dataset
from farm.cli.main import make_app
from farm.dataset.merge import merge
from farm.dataset.nesting import check_alone, datasets_under
from farm.dataset.reader import find_datasets, open_dataset
from farm.errors import SpecError
from farm.storage import FolderStorage, open_storage
from tests.support.datasets import write_dataset

pytest.importorskip("imagecodecs")
pytest.importorskip("PIL")


def run(*args: object) -> Result:
    return CliRunner().invoke(make_app(), ["dataset", *map(str, args)])


@pytest.fixture
def mixed(tmp_path: Path) -> Path:
    """A dataset of four views around two of one and two views, as older versions let it become."""
    folder = tmp_path / "balls"
    write_dataset(folder, views=4, passes=("rgb", "mask"))
    write_dataset(folder / "chairs", views=1, first=4, passes=("rgb", "mask"))
    write_dataset(folder / "old/lamps", views=2, first=5, passes=("rgb", "mask"))
    return folder


def test_what_lies_within_a_dataset_is_left_out_and_named(mixed):
    with pytest.warns(UserWarning, match=r"2 other .*left out: chairs, old/lamps; every=True"):
        data = farm.dataset.open(mixed)

    assert len(data) == 4
    assert len(farm.dataset.open(mixed, every=True)) == 7
    assert [view.key.rpartition("/")[0] for view in open_dataset(mixed, every=True)] == [
        *[""] * 4, "chairs", "old/lamps", "old/lamps"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("words", "views"),
    [
        (("stats", "--json", "--pixels", 0), lambda done: json.loads(done.stdout)["views"]),
        (
            ("split", "--json", "--by", "view"),
            lambda d: sum(json.loads(d.stdout)["views"].values()),
        ),
        (("preview", "--html"), lambda done: int(done.stdout.split(" of ")[1].split()[0])),
    ],
    ids=["stats", "split", "preview"],
)
def test_commands_name_what_they_leave_out_and_take_it_with_all(mixed, words, views):
    command, *rest = words

    some = run(command, mixed, *rest)
    every = run(command, mixed, *rest, "--all", *(["--fresh"] if command == "split" else []))

    assert views(some) == 4
    assert "2 other datasets lie within it, and are left out: chairs, old/lamps; --all" in (
        " ".join(some.stderr.split())
    )
    assert views(every) == 7
    assert "left out" not in every.stderr


def test_exports_name_what_they_leave_out_and_take_it_with_all(mixed, tmp_path):
    some = run("export", mixed, "--to", "folders", "--out", tmp_path / "some")
    every = run("export", mixed, "--to", "folders", "--out", tmp_path / "every", "--all")

    assert "4 views as folders" in " ".join(some.output.split())
    assert "left out: chairs, old/lamps; --all" in " ".join(some.output.split())
    assert "7 views as folders" in " ".join(every.output.split())


def test_merge_names_what_it_leaves_out_and_takes_it_with_all(mixed, tmp_path):
    some = run("merge", mixed, "--out", tmp_path / "some")
    every = run("merge", mixed, "--out", tmp_path / "every", "--all")

    assert len(open_dataset(tmp_path / "some")) == 4
    assert "left out: chairs, old/lamps; --all" in " ".join(some.stderr.split())
    assert len(open_dataset(tmp_path / "every")) == 7
    assert every.exit_code == 0


def test_verify_notes_what_it_does_not_look_at_and_looks_at_it_with_all(mixed):
    (mixed / "chairs/masks").rename(mixed / "chairs/gone")

    some = json.loads(run("verify", mixed, "--json").stdout)
    every = json.loads(run("verify", mixed, "--json", "--all").stdout)
    by_glob = run("verify", *sorted(mixed.glob("*/")), "--json")

    (place,) = some["places"].values()
    (nested,) = [check for check in place["checks"] if check["check"] == "nested"]
    assert nested["is_note"]
    assert "2 more, which only --all looks at: chairs, old/lamps" in nested["examples"][0]
    assert (some["wrong"], some["notes"], place["views"]) == (0, 1, 4)
    (place,) = every["places"].values()
    assert (every["wrong"], place["views"]) == (1, 7)
    assert by_glob.exit_code != 0


def test_a_split_of_all_is_read_with_all(mixed):
    assert run("split", mixed, "--all", "--train", 1, "--val", 0, "--test", 0).exit_code == 0

    train = farm.dataset.open(mixed, split="train")  # without a warning: it says itself what is in

    assert len(train) == 7


class Counting:
    """A folder that counts the keys that are listed."""

    def __init__(self, folder: Path) -> None:
        self.inner = FolderStorage(folder)
        self.listed = 0

    def __getattr__(self, name: str) -> object:
        return getattr(self.inner, name)

    def keys(self, prefix: str, *, after: str = "") -> object:
        for key in self.inner.keys(prefix, after=after):
            self.listed += 1
            yield key


def test_finding_datasets_lists_no_pictures(tmp_path):
    for at in range(3):
        write_dataset(tmp_path / f"d{at}", views=1, first=at, passes=("rgb", "mask"))
        for name in ("images", "masks"):
            for number in range(200):
                (tmp_path / f"d{at}/{name}/more_{number:03d}.png").write_bytes(b"")
    storage = Counting(tmp_path)

    assert list(datasets_under(storage)) == ["d0", "d1", "d2"]
    assert storage.listed < 40


def test_every_dataset_is_found_whatever_it_is_called(place):
    """Also one called like a folder of pictures, and one whose first views are being rendered."""
    storage = open_storage(place)
    for name in ("images", "depth/masks", "a/previews", "a", "images/images", "b-1", "b"):
        storage.put(f"{name}/views.jsonl", b"")
        storage.put(f"{name}/images/x.png", b"")
        storage.put(f"{name}/previews/depth/x.png", b"")
    storage.put("running/.records/t.jsonl", b"")
    storage.put("running/.records/t/0000000002.jsonl", b"")
    storage.put("none/images/x.png", b"")
    storage.put("none/.records/notes.txt", b"")

    found = find_datasets(storage)

    assert found == sorted(
        ["images", "images/images", "a", "a/previews", "b-1", "b", "running", "depth/masks"]
    )


@pytest.mark.parametrize(
    ("there", "new", "refused"),
    [
        ("", "chairs", "lies within the dataset"),
        ("", "sets/chairs", "lies within the dataset"),
        ("chairs", "", "holds the dataset"),
        ("sets/chairs", "sets", "holds the dataset"),
        ("../", "chairs", "lies within the dataset"),
        ("chairs", "lamps", ""),
        ("chairs", "chairs", ""),
        ("", "", ""),
    ],
)
def test_a_new_dataset_lies_in_no_other_and_around_none(tmp_path, there, new, refused):
    out = tmp_path / "above/out"
    out.mkdir(parents=True)
    (out / there).mkdir(parents=True, exist_ok=True)
    (out / there / "views.jsonl").write_text("")
    storage = FolderStorage(out)

    if not refused:
        check_alone(storage, [new], flag="--output")
        return
    with pytest.raises(SpecError, match=rf"{refused}.*choose another --output"):
        check_alone(storage, [new], flag="--output")


def test_datasets_that_were_mixed_before_are_continued(mixed):
    """To stop half-way would help nobody."""
    check_alone(FolderStorage(mixed), ["", "chairs"], flag="--output")


def test_a_merge_goes_neither_into_a_dataset_nor_around_one(tmp_path):
    parts = [open_dataset(_written(tmp_path / "a"))]
    _written(tmp_path / "b")
    (tmp_path / "c").mkdir()
    _written(tmp_path / "c/inner")

    for out in ("b/merged", "c"):
        with pytest.raises(SpecError, match="choose another --out"):
            merge(parts, FolderStorage(tmp_path / out))
    assert not (tmp_path / "b/merged").exists()
    assert not (tmp_path / "c/views.jsonl").exists()


def _written(folder: Path) -> Path:
    write_dataset(folder, views=1, passes=("rgb", "mask"))
    return folder
