"""What all exports of sequences hold to: they resume, follow their dataset, and take frames in
time."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

import farm.dataset
from farm.cli.main import make_app
from farm.dataset.export.output_folder import STATE_FOLDER
from farm.dataset.export.registry import FORMATS, SCENE_FORMATS, SEQUENCE_FORMATS, load_format
from farm.dataset.export.run import ExportSummary
from farm.errors import SpecError
from tests.support.datasets import write_dataset
from tests.support.sequences import write_sequences
from tests.unit.dataset.export.pictures import files_of
from tests.unit.dataset.export.pictures import run as run_with

every_format = pytest.mark.parametrize("to", SEQUENCE_FORMATS)


LINKING = [to for to in SEQUENCE_FORMATS if "link" in load_format(to).takes]


def run(place: Path, out: Path, to: str, **options: Any) -> ExportSummary:
    """Export with a part for each sequence: shards may hold several."""
    own = {"shard_mb": 1} if to == "clips" else {}
    return run_with(place, out, to, **own, **options)


def lines_of(place: Path) -> list[str]:
    return (place / "views.jsonl").read_text().splitlines(keepends=True)


def put_lines(place: Path, lines: list[str]) -> None:
    (place / "views.jsonl").write_text("".join(lines))


def test_the_help_knows_which_formats_are_of_sequences():
    for name, known in FORMATS.items():
        assert load_format(name).by_sequence == known.of_sequences


@pytest.mark.parametrize("to", [to for to in SEQUENCE_FORMATS if to not in SCENE_FORMATS])
def test_pictures_on_their_own_end_with_a_sentence_and_exit_code_2(tmp_path: Path, to):
    write_dataset(tmp_path / "d", views=1, passes=("rgb", "mask"))

    done = CliRunner().invoke(
        make_app(), ["dataset", "export", f"{tmp_path}/d", "--to", to, "--out", f"{tmp_path}/o"]
    )

    assert isinstance(done.exception, SpecError)  # which the command's `main` ends with 2 for
    assert str(done.exception) == (
        f"{farm.dataset.open(tmp_path / 'd')[0].name}: is a picture on its own, and {to} holds "
        "sequences: render with --recipe sequence, or export to coco, huggingface or webdataset"
    )
    assert not (tmp_path / "o").exists()


@every_format
def test_stopped_and_resumed_is_the_same_as_in_one_go(tmp_path: Path, to):
    place = tmp_path / "Straßen & Häfen"
    write_sequences(place, sequences=3)

    def stop(done: int, _views: int) -> None:
        if done == 6:
            raise KeyboardInterrupt

    run(place, tmp_path / "one/x", to)
    with pytest.raises(KeyboardInterrupt):
        run(place, tmp_path / "two/x", to, report=stop)
    summary = run(place, tmp_path / "two/x", to)

    assert summary.there == 4
    assert files_of(tmp_path / "two/x") == files_of(tmp_path / "one/x")
    assert not list((tmp_path / "two/x" / STATE_FOLDER / "partial").iterdir())


@every_format
def test_frames_are_in_time_whatever_the_order_of_the_records(tmp_path: Path, to):
    write_sequences(tmp_path / "d")
    run(tmp_path / "d", tmp_path / "one/x", to)
    lines = lines_of(tmp_path / "d")
    mixed = [lines[at] for at in np.random.default_rng(2).permutation(4)] + lines[4:]
    put_lines(tmp_path / "d", mixed)

    run(tmp_path / "d", tmp_path / "two/x", to)

    assert files_of(tmp_path / "two/x") == files_of(tmp_path / "one/x")


@every_format
def test_a_frame_that_comes_later_joins_its_sequence(tmp_path: Path, to):
    place = tmp_path / "d"
    write_sequences(place)
    lines = lines_of(place)
    run(place, tmp_path / "fresh/x", to)
    put_lines(place, lines[:6])

    run(place, tmp_path / "out/x", to)
    put_lines(place, lines)
    summary = run(place, tmp_path / "out/x", to)

    assert (summary.views, summary.there) == (8, 4)
    assert files_of(tmp_path / "out/x") == files_of(tmp_path / "fresh/x")


@every_format
@pytest.mark.parametrize("gone", [True, False])
def test_a_damaged_frame_is_told_and_joins_once_it_is_good(tmp_path: Path, to, gone):
    place, out = tmp_path / "d", tmp_path / "out/x"
    write_sequences(place)
    view = farm.dataset.open(place)[5]
    path = place / view.path("rgb")
    good = path.read_bytes()
    if gone:
        path.unlink()
    else:
        path.write_bytes(good[:-13] + bytes([good[-13] ^ 1]) + good[-12:])

    summary = run(place, out, to)

    assert [line.partition(": ")[0] for line in summary.damaged] == [view.path("rgb")]
    path.write_bytes(good)
    summary = run(place, out, to)
    assert (summary.views, summary.there, summary.damaged) == (8, 4, ())
    run(place, tmp_path / "fresh/x", to)
    assert files_of(out) == files_of(tmp_path / "fresh/x")


@every_format
def test_where_all_frames_are_damaged_the_command_says_so(tmp_path: Path, to):
    write_sequences(tmp_path / "d", sequences=1)
    for path in (tmp_path / "d").rglob("frame_*.png"):
        path.write_bytes(b"")

    assert len(run(tmp_path / "d", tmp_path / "out", to).damaged) == 4


@every_format
def test_what_a_person_changed_in_an_export_is_written_anew(tmp_path: Path, to):
    write_sequences(tmp_path / "d")
    run(tmp_path / "d", tmp_path / "out", to)
    before = files_of(tmp_path / "out")
    for file, data in before.items():
        (tmp_path / "out" / file).write_bytes(data[:-3])

    assert run(tmp_path / "d", tmp_path / "out", to).there == 0
    assert files_of(tmp_path / "out") == before


@every_format
def test_sequences_of_several_datasets_stay_apart(tmp_path: Path, to):
    """They have the same names, and other pixels."""
    for name, size in (("a", (64, 64)), ("b", (32, 48))):
        write_sequences(tmp_path / "d" / name, sequences=1, frames=2, size=size)

    summary = run(tmp_path / "d", tmp_path / "out", to)

    assert summary.views == 4
    names = " ".join(files_of(tmp_path / "out"))
    text = names + " ".join(data.decode("latin-1") for data in files_of(tmp_path / "out").values())
    for label in ("a", "b"):
        assert f"{label}__street-001-00001-00002" in text or f"/{label}/street/001" in names


@every_format
def test_a_name_of_a_sequence_never_leads_out_of_the_export(tmp_path: Path, to):
    write_sequences(tmp_path / "d", sequences=1)
    lines = []
    for line in lines_of(tmp_path / "d"):
        record = json.loads(line)
        record["view"]["moment"]["sequence"] = "../../x\\..\\y/.."
        lines.append(json.dumps(record) + "\n")
    put_lines(tmp_path / "d", lines)

    run(tmp_path / "d", tmp_path / "some/folder/out", to)

    assert not {path.name for path in tmp_path.iterdir()} - {"d", "some"}
    assert [path.name for path in (tmp_path / "some").iterdir()] == ["folder"]
    assert [path.name for path in (tmp_path / "some/folder").iterdir()] == ["out"]


@pytest.mark.parametrize("to", LINKING)
def test_links_hold_the_same_bytes_as_copies(tmp_path: Path, to):
    write_sequences(tmp_path / "d", sequences=1)
    run(tmp_path / "d", tmp_path / "copies/x", to)

    run(tmp_path / "d", tmp_path / "links/x", to, link=True)

    assert files_of(tmp_path / "links/x") == files_of(tmp_path / "copies/x")
