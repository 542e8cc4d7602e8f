"""`farm dataset ...`: exit codes, what is printed, what is written, and a clean stop."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from farm.cli.main import make_app
from farm.dataset.reader import open_dataset
from farm.errors import FarmError
from tests.support.datasets import write_dataset
from tests.support.full_disks import fill, small_disk

pytest.importorskip("imagecodecs")
pytest.importorskip("PIL")


def run(*args: object) -> Result:
    return CliRunner().invoke(make_app(), ["dataset", *map(str, args)])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_dataset(tmp_path / "balls", views=4, models=2, passes=("rgb", "mask"))
    return tmp_path / "balls"


def test_verify_says_that_all_is_well_or_what_to_delete(folder):
    assert run("verify", folder).exit_code == 0
    path = folder / open_dataset(folder)[1].path("rgb")
    path.write_bytes(b"x")

    done = run("verify", folder)

    assert done.exit_code == 1
    assert "1 wrong" in done.stdout
    assert f"{path.relative_to(folder)}: has 1 bytes, not " in done.stdout
    assert f"rm -f -- {path}" in done.stderr
    assert "the same farm render" in done.stderr


def test_verify_lists_what_to_delete_and_prints_json_alone(folder):
    for at in range(4):
        (folder / open_dataset(folder)[at].path("mask")).write_bytes(b"x")
    listing = folder.parent / "broken.txt"

    done = run("verify", folder, "--broken", listing, "--json", "--workers", 1)

    assert done.exit_code == 1
    found = json.loads(done.stdout)
    assert found["wrong"] == 4
    assert [check["found"] for check in found["places"][str(folder)]["checks"]][4] == 4
    paths = listing.read_text().splitlines()
    assert {Path(path).parent for path in paths} == {folder / "masks"}
    assert str(listing) in done.stderr


def test_a_disk_that_is_full_of_other_things_is_named(folder, tmp_path):
    (folder / open_dataset(folder)[0].path("mask")).write_bytes(b"x")
    with small_disk(tmp_path / "disk", 1 << 16) as disk:
        fill(disk)

        done = run("verify", folder, "--broken", disk / "broken.txt")

    assert isinstance(done.exception, FarmError)
    assert str(disk / "broken.txt") in str(done.exception)
    assert "No space left on device" in str(done.exception)


@pytest.mark.parametrize(
    "words", [["split"], ["stats"], ["preview"], ["preview", "--html"], ["merge"]], ids=" ".join
)
def test_of_no_views_nothing_is_made(folder, words):
    (folder / "views.jsonl").write_text("")
    before = {path.name for path in folder.iterdir()}
    out = ["--out", folder.parent / "all"] if words == ["merge"] else []

    done = run(*words, folder, *out)

    assert isinstance(done.exception, FarmError)
    assert "no views yet: there is nothing to " in str(done.exception)
    assert {path.name for path in folder.iterdir()} == before
    assert not (folder.parent / "all/views.jsonl").exists()


def test_notes_count_when_asked(folder):
    summary = json.loads((folder / "dataset.json").read_text()) | {"failures": ["one"]}
    (folder / "dataset.json").write_text(json.dumps(summary))

    assert run("verify", folder).exit_code == 0
    assert run("verify", folder, "--strict").exit_code == 1


def test_each_preview_goes_where_it_is_wanted(folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    name = open_dataset(folder)[0].name

    for args in ((), ("--html",), ("--view", name), ("--html", "--out", "page.html")):
        done = run("preview", folder, *args)
        assert done.exit_code == 0, done.output

    assert (folder / "preview.jpg").read_bytes().startswith(b"\xff\xd8")
    assert (folder / "preview.html").read_text().startswith("<!doctype html>")
    assert (tmp_path / f"{name}.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "page.html").exists()
    assert "with 4 of 4 views" in done.stdout
    assert run("verify", folder).exit_code == 0  # they are no strays


def test_stats_write_a_picture_and_numbers(folder, tmp_path):
    assert run("stats", folder).exit_code == 0
    assert json.loads((folder / "stats.json").read_text())["views"] == 4

    done = run("stats", folder, "--json", "--pixels", 0, "--out", tmp_path / "cover.png")

    found = json.loads(done.stdout)
    assert (found["views"], found["pixel_views"]) == (4, 0)
    assert (tmp_path / "cover.png").read_bytes().startswith(b"\x89PNG")
    assert json.loads((tmp_path / "cover.json").read_text()) == found
    assert run("verify", folder).exit_code == 0


def test_split_tells_of_each_part_and_of_empty_ones(folder):
    done = run("split", folder)

    assert done.exit_code == 0
    assert "2 views of 1 group" in done.stdout
    assert "note: test is empty" in done.stdout
    assert run("verify", folder).exit_code == 0
    kinds = "group, view, model, hdr, models, hdrs"
    with pytest.raises(FarmError, match=f"--by: 'colour' is not one of {kinds}"):
        raise run("split", folder, "--by", "colour").exception


def test_merge_says_how_files_came(folder, tmp_path):
    write_dataset(tmp_path / "more", views=2, first=4, passes=("rgb", "mask"))

    done = run("merge", folder, tmp_path / "more", "--out", tmp_path / "all")

    assert done.exit_code == 0
    assert "6 views; files: 12 linked" in done.stdout
    assert run("verify", tmp_path / "all").exit_code == 0
    again = json.loads(run("merge", folder, "--out", tmp_path / "all", "--json").stdout)
    assert (again["views"], again["repeated"]) == (6, 4)


@pytest.mark.parametrize("command", ["verify", "preview", "stats", "split"])
def test_a_place_without_a_dataset_is_named(command, tmp_path):
    with pytest.raises(FarmError, match="is not a dataset"):
        raise run(command, tmp_path / "nowhere").exception


def test_ctrl_c_ends_verify_with_one_sentence(folder):
    """The signal comes while a view is being looked at."""
    code = (
        "import os, signal, sys\n"
        "import farm.dataset.verify.lines as verify\n"
        "asked = []\n"
        "def stop(*args, **options):\n"
        "    if not asked:\n"
        "        asked.append(os.kill(os.getpid(), signal.SIGINT))\n"
        "    return real(*args, **options)\n"
        "real, verify.examine_view = verify.examine_view, stop\n"
        "sys.argv = ['farm', 'dataset', 'verify', sys.argv[1], '--workers', '1']\n"
        "from farm.cli.main import main\n"
        "main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(folder)], capture_output=True, text=True, check=False
    )

    assert done.returncode == 130
    assert done.stderr.strip() == "stopped: not everything was checked"
    assert done.stdout == ""


def test_trace_shows_where_the_time_went(folder):
    sample = {"name": "sample", "ph": "X", "pid": 7, "tid": 0, "ts": 250_000, "dur": 750_000}
    events = [
        {"name": "process_name", "ph": "M", "pid": 7, "tid": 0, "args": {"name": "cpu-0@host"}},
        {"name": "thread_name", "ph": "M", "pid": 7, "tid": 0, "args": {"name": "renderer"}},
        {"name": "task", "ph": "X", "pid": 7, "tid": 0, "ts": 0, "dur": 1_000_000},
        sample,
    ]
    (folder / "traces").mkdir()
    told = {"traceEvents": events, "otherData": {}}
    (folder / "traces/ball-0000.1.json").write_text(json.dumps(told))

    done = run("trace", folder)

    assert done.exit_code == 0, done.output
    assert "0 views of 1 task in 1.0 s  ·  sampling 75%" in done.stdout
    assert re.search(r"renderer +sample +0\.75 .* 75\.0% +Cycles traces paths", done.stdout)
    assert (folder / "trace.png").read_bytes().startswith(b"\x89PNG")
    merged = json.loads((folder / "trace.json").read_text())["traceEvents"]
    assert [event["name"] for event in merged] == [event["name"] for event in events]
    assert run("verify", folder).exit_code == 0

    assert json.loads(run("trace", folder, "--json").stdout)["sampling_share"] == 0.75


def test_trace_says_how_traces_come_about(folder):
    with pytest.raises(FarmError, match=r"has no traces; render views with --trace"):
        make_app()(["dataset", "trace", str(folder)], standalone_mode=False)
    with pytest.raises(FarmError, match=r"--out x\.svg: the picture is a PNG"):
        make_app()(["dataset", "trace", str(folder), "--out", "x.svg"], standalone_mode=False)
