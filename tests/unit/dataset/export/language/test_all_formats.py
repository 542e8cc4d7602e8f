"""What holds of all formats of sentences."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

import farm.dataset
from farm.cli.main import make_app
from farm.dataset.export.registry import LANGUAGE_FORMATS, load_format
from farm.dataset.splits.split import split_dataset
from farm.errors import SpecError
from tests.support.datasets import write_dataset
from tests.support.sentences import BOWL, TABLE, draw, told, write_sentences
from tests.unit.dataset.export.pictures import files_of, run

every_format = pytest.mark.parametrize("to", LANGUAGE_FORMATS)
BOXES = ("odvg", "swift", "pixmo")
"""Formats that need no masks."""


def stop_after(count: int) -> Callable[[int, int], None]:
    def report(done: int, _views: int) -> None:
        if done == count:
            raise KeyboardInterrupt

    return report


@every_format
def test_the_same_dataset_gives_the_same_bytes(tmp_path: Path, to):
    write_sentences(tmp_path / "d")

    for name in ("one", "two"):
        run(tmp_path / "d", tmp_path / name / "x", to)

    assert files_of(tmp_path / "one/x") == files_of(tmp_path / "two/x")


@every_format
def test_stopped_and_resumed_is_the_same_as_in_one_go(tmp_path: Path, to):
    place, whole, stopped = tmp_path / "d", tmp_path / "one/x", tmp_path / "two/x"
    write_sentences(place, views=7)
    one_go = run(place, whole, to, shard_views=2)

    with pytest.raises(KeyboardInterrupt):
        run(place, stopped, to, shard_views=2, report=stop_after(5))
    summary = run(place, stopped, to, shard_views=2)

    assert summary.there == 4
    assert summary.notes == one_go.notes
    assert files_of(stopped) == files_of(whole)


@every_format
def test_a_view_that_goes_takes_its_sentences_along(tmp_path: Path, to):
    place, out = tmp_path / "d", tmp_path / "out/x"
    write_sentences(place, views=5)
    lines = (place / "views.jsonl").read_text().splitlines(keepends=True)
    run(place, out, to, shard_views=2)

    (place / "views.jsonl").write_text("".join(lines[1:]))
    run(place, out, to, shard_views=2)

    run(place, tmp_path / "fresh/x", to, shard_views=2)
    assert files_of(out) == files_of(tmp_path / "fresh/x")


@every_format
def test_a_damaged_view_is_left_out_and_comes_back(tmp_path: Path, to):
    place, out = tmp_path / "d", tmp_path / "out/x"
    write_sentences(place, views=3)
    run(place, tmp_path / "whole/x", to)
    path = place / farm.dataset.open(place)[1].path("rgb")
    good = path.read_bytes()
    path.write_bytes(good[:-1])

    summary = run(place, out, to)

    assert summary.views == 2
    assert f"has {len(good) - 1} bytes, not {len(good)}" in summary.damaged[0]
    path.write_bytes(good)
    assert run(place, out, to).views == 3
    assert files_of(out) == files_of(tmp_path / "whole/x")


@every_format
def test_without_sentences_it_says_what_to_render(tmp_path: Path, to):
    write_dataset(tmp_path / "d", views=2, passes=("rgb", "mask"))

    with pytest.raises(SpecError, match=f"an export to {to} is about sentences, and no view has"):
        run(tmp_path / "d", tmp_path / "out", to)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("to", [to for to in LANGUAGE_FORMATS if to not in BOXES])
def test_without_the_index_pass_it_says_so(tmp_path: Path, to):
    write_sentences(tmp_path / "d", passes=("rgb", "depth"))

    with pytest.raises(SpecError, match=f"{to} needs the pass index: not all views have it"):
        run(tmp_path / "d", tmp_path / "out", to)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("to", BOXES)
def test_boxes_and_points_take_the_picture_alone(tmp_path: Path, to):
    write_sentences(tmp_path / "d", passes=("rgb",))
    write_sentences(tmp_path / "all/d")

    run(tmp_path / "d", tmp_path / "out/x", to)
    run(tmp_path / "all/d", tmp_path / "out2/x", to)

    assert files_of(tmp_path / "out/x") == files_of(tmp_path / "out2/x")


@every_format
def test_other_passes_go_beside(tmp_path: Path, to):
    write_sentences(tmp_path / "d", views=1)
    view = farm.dataset.open(tmp_path / "d")[0]

    run(tmp_path / "d", tmp_path / "out", to, passes=("rgb", "index"))

    (beside,) = (tmp_path / "out/passes").glob(f"*/train/{view.name}.png")
    assert beside.read_bytes() == view.data("index")


@pytest.mark.parametrize("source", [{"bit_depth": 16}, {"bit_depth": 16, "picture_format": "jxl"}])
@every_format
def test_16_bits_and_jpeg_xl_become_what_readers_take(tmp_path: Path, to, source):
    write_sentences(tmp_path / "d", views=1, **source)

    summary = run(tmp_path / "d", tmp_path / "out", to)

    assert summary.views == 1
    assert not list((tmp_path / "out").rglob("*.jxl"))


@pytest.mark.parametrize("to", [to for to in LANGUAGE_FORMATS if "link" in load_format(to).takes])
def test_pictures_that_stay_as_they_are_may_be_links(tmp_path: Path, to):
    write_sentences(tmp_path / "d", views=1)
    source = tmp_path / "d" / farm.dataset.open(tmp_path / "d")[0].path("rgb")

    run(tmp_path / "d", tmp_path / "out", to, image_format="png", link=True)

    pictures = [path for path in (tmp_path / "out").rglob("*.png") if path.samefile(source)]
    assert len(pictures) == 1


@every_format
def test_the_command_tells_what_is_left_out(tmp_path: Path, to):
    """Of the seven sentences of each view one means two things, and one none."""
    write_sentences(tmp_path / "d", views=2)
    kind = load_format(to)

    done = CliRunner().invoke(
        make_app(), ["dataset", "export", str(tmp_path / "d"), "--to", to, "--out",
                     str(tmp_path / "out")],
    )  # fmt: skip

    assert done.exit_code == 0, done.output
    said = " ".join(done.stderr.split())
    several = f"2 sentences left out: more than one target, where {kind.reader} takes one"
    assert (several in said) is not kind.several
    assert ("2 sentences left out: no target, which" in said) is not kind.nothing


@every_format
def test_splits_stay_apart(tmp_path: Path, to):
    place = tmp_path / "d"
    write_sentences(place, views=6)
    split_dataset(
        farm.dataset.open(place), {"train": 0.5, "val": 0.25, "test": 0.25}, by="view", seed=0
    )

    summary = run(place, tmp_path / "out", to)

    assert set(summary.splits) == {"train", "val", "test"}
    assert sum(summary.splits.values()) == summary.views == 6


@every_format
def test_several_datasets_of_several_sizes_become_one(tmp_path: Path, to):
    write_sentences(tmp_path / "all/one", views=2)
    write_sentences(tmp_path / "all/two", views=3, size=(72, 44))

    summary = run(tmp_path / "all", tmp_path / "out", to)

    assert summary.views == 5
    pictures = [
        path
        for path in (tmp_path / "out").rglob("*.*")
        if path.suffix in (".jpg", ".png") and path.parent.name not in ("mask", "depth")
    ]
    assert len(pictures) == (0 if to in ("lmms-eval", "pixmo") else 5)


@every_format
def test_the_table_is_never_meant(tmp_path: Path, to):
    more = told("the table", draw(0, (60, 40)).index, [TABLE], ["the table"])
    nowhere = more.model_copy(update={"targets": (99,)})
    write_sentences(tmp_path / "d", views=1, more=[more, nowhere])

    notes = run(tmp_path / "d", tmp_path / "out", to).notes

    assert (
        "2 sentences left out: a target that is the table, a distractor, or not in the record"
        in notes
    )


def test_too_many_sentences_of_a_view_are_told(tmp_path: Path):
    write_sentences(tmp_path / "d", views=1)
    record = json.loads((tmp_path / "d/views.jsonl").read_text())
    record["expressions"] = record["expressions"][:1] * 2001
    (tmp_path / "d/views.jsonl").write_text(json.dumps(record) + "\n")

    with pytest.raises(SpecError, match="numbers for 2,000 objects and 2,000 sentences of a view"):
        run(tmp_path / "d", tmp_path / "out", "refcoco")


STRANGE = "the \u201cbowl\u201d,\twhich\nis \U0001f963 \u2028or caf\u00e9's"
"""A sentence that files of lines and tables find hard."""


@pytest.mark.parametrize(
    ("to", "file", "lines"),
    [
        ("odvg", "annotations/train_grounding.jsonl", 14),
        ("swift", "train.jsonl", 16),
        ("polyformer", "refcoco_train.tsv", 12),
        ("refgrasp", "train/train.tsv", 12),
        ("refgrasp", "train/train_rec.tsv", 12),
    ],
)
def test_a_sentence_is_one_line_whatever_it_says(tmp_path: Path, to, file, lines):
    more = told(STRANGE, draw(0, (60, 40)).index, [BOWL], [STRANGE])
    write_sentences(tmp_path / "d", views=2, more=[more])

    run(tmp_path / "d", tmp_path / "out", to)

    with (tmp_path / "out" / file).open(encoding="utf-8") as found:
        rows = list(found)
    assert len(rows) == lines
    assert len({row.count("\t") for row in rows}) == 1


@every_format
def test_strange_words_go_through_all_formats(tmp_path: Path, to):
    more = told(STRANGE, draw(0, (60, 40)).index, [BOWL], [STRANGE])
    write_sentences(tmp_path / "d", views=1, more=[more])

    assert run(tmp_path / "d", tmp_path / "out", to).views == 1


@every_format
def test_the_words_for_what_is_meant_may_stand_alone(tmp_path: Path, to):
    write_sentences(tmp_path / "d", views=1)

    run(tmp_path / "d", tmp_path / "whole", to, text="sentence")
    run(tmp_path / "d", tmp_path / "cut", to, text="phrase")

    for folder, there in (("whole", True), ("cut", False)):
        found = text_in(tmp_path / folder)
        assert "the leftmost mug" in found
        assert ("hand me" in found) is there


def text_in(folder: Path) -> str:
    """What the files of an export say, in small letters, pictures apart."""
    told = [
        str([row | {"image": None} for row in pq.read_table(path).to_pylist()])
        for path in folder.glob("data/*.parquet")
    ]
    told += [
        data.decode("latin-1")
        for path, data in files_of(folder).items()
        if path.endswith((".json", ".jsonl", ".p", ".tsv"))
    ]
    return "".join(told).lower()
