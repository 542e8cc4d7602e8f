"""A line of `views.jsonl` that is not a record is one sentence, whoever reads it."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

import farm.dataset
from farm.api.datasets.listing import list_files
from farm.api.datasets.views import view_lines
from farm.cli.main import make_app
from farm.dataset.reader import DatasetError, open_dataset
from farm.dataset.records.read import BrokenLineError
from farm.dataset.splits.split import split_dataset
from farm.dataset.verify.verify import verify
from farm.storage import FolderStorage, open_storage
from tests.builders import a_job
from tests.support.datasets import write_dataset

pytest.importorskip("imagecodecs")
pytest.importorskip("PIL")

LINES: dict[str, Callable[[bytes], bytes]] = {
    "half": lambda line: line[: len(line) // 2],
    "a few letters": lambda line: line[:20],
    "without its end": lambda line: line[:-1],
    "null": lambda line: b"null",
    "a number": lambda line: b"3",
    "a list": lambda line: b"[]",
    "a text": lambda line: b'"view"',
    "an empty object": lambda line: b"{}",
    "a view that is a text": lambda line: b'{"view": "vase"}',
    "a name that is a number": lambda line: line.replace(b'"name":"ball', b'"name":7,"x":"ball', 1),
    "a wrong type": lambda line: line.replace(b'"coverage":', b'"coverage":"much","x":', 1),
    "another version's": lambda line: line.replace(b'"device":', b'"machine":', 1),
    "no UTF-8": lambda line: line.replace(b'"name":"ball', b'"name":"b\xff\xfell', 1),
    "half a character": lambda line: line.replace(b'"name":"ball', b'"name":"\\ud800', 1),
    "bytes": lambda line: bytes(range(128, 256)),
}
EACH_LINE = pytest.mark.parametrize("spoil", LINES.values(), ids=LINES.keys())


def run(*args: object) -> BaseException | None:
    return CliRunner().invoke(make_app(), ["dataset", *map(str, args)]).exception


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Four views; all are in the split `train`."""
    write_dataset(tmp_path / "balls", views=4, models=2, passes=("rgb", "mask"))
    split_dataset(open_dataset(tmp_path / "balls"), {"train": 1.0}, by="model", seed=0)
    return tmp_path / "balls"


def spoil_line(folder: Path, spoil: Callable[[bytes], bytes], at: int = 2) -> None:
    lines = (folder / "views.jsonl").read_bytes().splitlines()
    lines[at] = spoil(lines[at])
    lines.insert(1, b"")  # counts as a line, and is nothing
    (folder / "views.jsonl").write_bytes(b"\n".join(lines) + b"\n")


@EACH_LINE
def test_every_reader_says_file_and_line_in_one_sentence(folder, spoil, tmp_path):
    spoil_line(folder, spoil)
    readers = {
        "iterate": lambda: [view.record for view in farm.dataset.open(folder)],
        "at": lambda: farm.dataset.open(folder)[2],
        "split": lambda: [view.record for view in farm.dataset.open(folder, split="train")],
    }
    commands = {
        "stats": ("stats", folder, "--pixels", 0),
        "preview": ("preview", folder),
        "page": ("preview", folder, "--html"),
        "split": ("split", folder, "--fresh"),
        "merge": ("merge", folder, "--out", tmp_path / "all"),
        "export": ("export", folder, "--to", "folders", "--out", tmp_path / "coco"),
    }

    for name, read in readers.items():
        with pytest.raises(DatasetError) as told:
            read()
        check_sentence(name, str(told.value), folder)
    for name, words in commands.items():
        error = run(*words)
        assert isinstance(error, DatasetError), (name, error)
        check_sentence(name, str(error), folder)


def check_sentence(reader: str, sentence: str, folder: Path) -> None:
    assert f"{folder}/views.jsonl: line 4 is not a record: " in sentence, (reader, sentence)
    assert f"farm dataset verify {folder} explains how" in sentence
    assert "\n" not in sentence
    assert "line 1 column" not in sentence


@EACH_LINE
def test_verify_names_the_line_and_says_how_it_is_mended(folder, spoil):
    spoil_line(folder, spoil)

    done = CliRunner().invoke(make_app(), ["dataset", "verify", str(folder), "--json"])

    assert done.exit_code == 1
    (place,) = json.loads(done.stdout)["places"].values()
    found = {check["check"]: check for check in place["checks"]}
    (example,) = found["records"]["examples"]
    assert example.startswith("views.jsonl: line 4 is not a record: ")
    assert "the same farm render" in done.stderr
    assert "rm -f" not in done.stderr, "the files of the view may be all right"


@pytest.mark.parametrize("spoil", [LINES["half"], LINES["null"], LINES["no UTF-8"]])
def test_a_dataset_that_is_being_rendered_or_far_away_tells_it_too(folder, spoil, s3_place):
    (folder / ".records").mkdir()
    lines = (folder / "views.jsonl").read_bytes().splitlines()
    (folder / ".records/t.jsonl").write_bytes(lines[0] + b"\n" + spoil(lines[1]) + b"\n")
    assert len(open_dataset(folder)) == 4, "what a worker had not finished is of no view"
    spoil_line(folder, spoil)
    bucket = open_storage(s3_place)
    for path in filter(Path.is_file, folder.rglob("*")):
        bucket.put_file(path.relative_to(folder).as_posix(), path)

    for place in (str(folder), s3_place):
        with pytest.raises(DatasetError, match=r"/views\.jsonl: line 4 is not a record: "):
            open_dataset(place)
        report = verify(open_dataset(place, broken=lambda _sentence: None), workers=1)
        assert {check.check: check.found for check in report.checks}["records"] == 1
    bucket.delete(".records/t.jsonl")
    with pytest.raises(DatasetError, match=rf"{s3_place}/views\.jsonl: line 4 is not a record: "):
        list(open_dataset(s3_place))


@EACH_LINE
def test_a_farm_sends_what_is_whole_and_says_what_is_not(folder, spoil):
    spoil_line(folder, spoil)
    job = a_job(dataset_name="balls").model_copy(update={"prefix": "datasets/job"})
    storage = FolderStorage(folder.parent.parent / "storage")
    for path in filter(Path.is_file, folder.rglob("*")):
        storage.put_file(f"datasets/job/balls/{path.relative_to(folder).as_posix()}", path)

    lines = [json.loads(line) for line in view_lines(storage, job)]
    files = list_files(storage, job, cursor=None, limit=1000).items

    assert [sorted(line) for line in lines] == [["dataset", "record"]] * 3 + [["broken", "dataset"]]
    assert lines[-1]["broken"].startswith("balls/views.jsonl: line 4 is not a record: ")
    assert sum(file.path.startswith("balls/images/") for file in files) == 3


def test_the_error_reaches_a_training_from_its_loaders_process():
    error = BrokenLineError("chairs/views.jsonl", 3, "it is half")

    again = pickle.loads(pickle.dumps(error))

    assert str(again) == str(error)


def test_verify_prints_line_by_line_and_names_assets(folder):
    summary = json.loads((folder / "dataset.json").read_text())
    ball, *_, sky = summary["assets"]
    sky["views"], ball["views"] = 9, 8
    (folder / "dataset.json").write_text(json.dumps(summary))

    done = CliRunner().invoke(make_app(), ["dataset", "verify", str(folder)])

    assert done.exit_code == 1
    said = " ".join(done.stdout.split())
    assert "says 9 views of the HDRI sky000.exr, but records say 4" in said
    assert "\\n" not in done.stdout
    assert sky["sha256"] not in said
    report = verify(open_dataset(folder), workers=1)
    (examples,) = [check.examples for check in report.checks if check.check == "summary"]
    assert examples == (
        "dataset.json: says 9 views of the HDRI sky000.exr, but records say 4",
        "dataset.json: says 8 views of the model ball000.blend, but records say 2",
    )
