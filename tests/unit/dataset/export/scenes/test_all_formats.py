"""What all exports for 3D learning hold to: they resume, follow their dataset, and undo nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import farm.dataset
from farm.dataset.export.output_folder import STATE_FOLDER
from farm.dataset.export.registry import FORMATS, SCENE_FORMATS, load_format
from farm.dataset.splits.split import split_dataset
from tests.unit.dataset.export.pictures import files_of
from tests.unit.dataset.export.pictures import run as run_with
from tests.unit.dataset.export.scenes.shared import write_whole

every_format = pytest.mark.parametrize("to", SCENE_FORMATS)


def run(place: Path, out: Path, to: str, **options: Any) -> Any:
    return run_with(place, out, to, shard_views=2, **options)


@every_format
def test_stopped_and_resumed_is_the_same_as_in_one_go(tmp_path: Path, to):
    place = tmp_path / "Töpfe & Vasen"
    write_whole(place, models=2)

    def stop(done: int, _views: int) -> None:
        if done == 5:
            raise KeyboardInterrupt

    run(place, tmp_path / "one/x", to)
    with pytest.raises(KeyboardInterrupt):
        run(place, tmp_path / "two/x", to, report=stop)
    summary = run(place, tmp_path / "two/x", to)

    assert summary.there == 4
    assert files_of(tmp_path / "two/x") == files_of(tmp_path / "one/x")
    assert not list((tmp_path / "two/x" / STATE_FOLDER / "partial").iterdir())


@every_format
def test_nothing_is_written_again_where_nothing_has_changed(tmp_path: Path, to):
    write_whole(tmp_path / "d")
    first = run(tmp_path / "d", tmp_path / "o/x", to)
    before = files_of(tmp_path / "o/x")

    again = run(tmp_path / "d", tmp_path / "o/x", to)

    assert (first.there, again.there, again.notes) == (0, 12, first.notes)
    assert files_of(tmp_path / "o/x") == before


@every_format
def test_views_that_come_later_and_leave_are_followed(tmp_path: Path, to):
    """Other views may be held out then, or have other numbers: it is as if exported anew."""
    place = tmp_path / "d"
    write_whole(place, models=2)
    lines = (place / "views.jsonl").read_text().splitlines(keepends=True)
    for count in (7, 12, 9):
        (place / "views.jsonl").write_text("".join(lines[:count]))

        run(place, tmp_path / "o/x", to)

        run(place, tmp_path / f"{count}/x", to)
        assert files_of(tmp_path / "o/x") == files_of(tmp_path / f"{count}/x")


@every_format
def test_splits_that_are_made_later_are_followed(tmp_path: Path, to):
    place = tmp_path / "d"
    write_whole(place, models=2)
    run(place, tmp_path / "o/x", to)
    split_dataset(farm.dataset.open(place), {"train": 0.5, "test": 0.5}, by="view", seed=2)

    run(place, tmp_path / "o/x", to)

    run(place, tmp_path / "fresh/x", to)
    assert files_of(tmp_path / "o/x") == files_of(tmp_path / "fresh/x")


@every_format
def test_a_damaged_view_is_told_and_joins_once_it_is_good(tmp_path: Path, to):
    place, out = tmp_path / "d", tmp_path / "o/x"
    write_whole(place)
    view = farm.dataset.open(place)[5]
    paths = [place / view.path(name) for name in ("rgb", "foreground")]
    good = [path.read_bytes() for path in paths]
    for path, data in zip(paths, good, strict=True):
        path.write_bytes(data[:-1])

    summary = run(place, out, to)

    [sentence] = summary.damaged
    assert sentence.partition(": ")[0] in (view.path("rgb"), view.path("foreground"))
    for path, data in zip(paths, good, strict=True):
        path.write_bytes(data)
    assert run(place, out, to).damaged == ()
    run(place, tmp_path / "fresh/x", to)
    assert files_of(out) == files_of(tmp_path / "fresh/x")


@every_format
def test_links_hold_the_same_bytes_as_copies(tmp_path: Path, to):
    write_whole(tmp_path / "d")
    run(tmp_path / "d", tmp_path / "copies/x", to)

    run(tmp_path / "d", tmp_path / "links/x", to, link=True)

    assert files_of(tmp_path / "links/x") == files_of(tmp_path / "copies/x")


@every_format
def test_a_title_never_leads_out_of_the_export(tmp_path: Path, to):
    from tests.unit.dataset.export.scenes.shared import change_records

    write_whole(tmp_path / "d")
    change_records(tmp_path / "d", lambda _at, line: line.update(title="../../x\\..\\y/.. · 雪"))

    run(tmp_path / "d", tmp_path / "some/folder/out", to)

    assert not {path.name for path in tmp_path.iterdir()} - {"d", "some"}
    assert [path.name for path in (tmp_path / "some").iterdir()] == ["folder"]
    assert [path.name for path in (tmp_path / "some/folder").iterdir()] == ["out"]


def test_the_help_knows_which_formats_are_of_scenes():
    for name, known in FORMATS.items():
        assert ("scenes" in known.module or name == "nerfstudio") == known.of_scenes
        load_format(name)
