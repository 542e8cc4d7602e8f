"""Datasets of many views are looked at by processes, and what comes of it is the same."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import psutil
import pytest

from farm.dataset import parallel
from farm.dataset.parallel import mapped_in_processes
from farm.dataset.preview.preview import chosen_of
from farm.dataset.reader import open_dataset
from farm.dataset.split_lists import NAME
from farm.dataset.splits.split import split_dataset
from farm.dataset.stats.gather import gather_stats
from farm.dataset.verify.verify import verify
from farm.errors import SetupError
from farm.spec.recipes import RECIPES
from farm.spec.record import read_record
from tests.support.datasets import write_dataset
from tests.support.waiting import wait_for

pytest.importorskip("imagecodecs")
VIEWS = 70


@pytest.fixture
def many(monkeypatch):
    """Whatever a test opens counts as many views."""
    monkeypatch.setattr(parallel, "MANY", 1)


@pytest.fixture
def folder(tmp_path):
    """Two datasets; one has a view without a file, one with another's picture, and a torn line."""
    write_dataset(tmp_path / "a", views=VIEWS, models=3, hdrs=2, passes=("rgb", "mask"))
    records = write_dataset(tmp_path / "b", views=5, first=VIEWS, passes=("rgb", "mask"))
    first, second, third = (tmp_path / "b" / each.files["rgb"].path for each in records[:3])
    first.unlink()
    second.write_bytes(third.read_bytes())
    with (tmp_path / "b" / "views.jsonl").open("a") as lines:
        lines.write('{"view_id": "torn\n')
    return tmp_path


@pytest.mark.usefixtures("many")
def test_processes_find_what_threads_find(folder):
    def report(*, processes):
        broken = []
        data = open_dataset(folder, broken=lambda _: None)
        found = verify(data, workers=2, processes=processes, broken=broken.append)
        return found.model_copy(update={"seconds": 0.0}), broken

    expected = report(processes=False)
    assert expected[0].wrong >= 3
    assert report(processes=True) == expected


@pytest.mark.usefixtures("many")
def test_processes_count_what_threads_count(folder):
    data = open_dataset(folder / "a")

    by_threads = gather_stats(data, workers=2, pixel_views=20)

    assert by_threads.pixel_views == 18
    assert gather_stats(data, workers=2, pixel_views=20, processes=True) == by_threads


@pytest.mark.usefixtures("many")
@pytest.mark.parametrize("by", ["group", "view", "hdrs"])
def test_processes_split_as_one_does(folder, by):
    def lists(workers):
        data = open_dataset(folder / "a")
        shares = {"train": 0.5, "test": 0.5}
        summary = split_dataset(data, shares, by=by, seed=1, fresh=True, workers=workers)
        return summary, (folder / "a" / "splits" / "train.txt").read_text()

    assert lists(workers=2) == lists(workers=1)


@pytest.mark.usefixtures("many")
def test_processes_choose_what_one_chooses(folder):
    data = open_dataset(folder / "a")

    assert chosen_of(data, limit=9, workers=2) == chosen_of(data, limit=9, workers=1)


def test_pieces_have_all_views_once_and_in_order(folder):
    data = open_dataset(folder, broken=lambda _: None)

    pieces = list(data.pieces(16))

    lines = [line for piece in pieces for line in data.reader.lines(piece)]
    assert [piece.number for piece in pieces] == [0, 16, 32, 48, 64, 70]
    assert lines == list(data.lines())


def test_a_dataset_is_opened_without_reading_its_records(folder):
    lines = (folder / "a" / "views.jsonl").read_bytes().splitlines()

    assert [NAME.search(line)[1].decode() for line in lines] == [
        read_record(line).view.name for line in lines
    ]


def test_names_are_found_in_the_records_of_every_recipe():
    for kind in RECIPES:
        line = b'{"view_id":"0","view":{"kind":"%s","index":7,"name":"cup_7",' % kind.encode()
        assert NAME.search(line)[1] == b"cup_7"
    assert NAME.search(b'{"view_id":"0","view":{"index":7,"name":"cup_7",')[1] == b"cup_7"


def end_at_three(number: int) -> int:
    if number == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def test_a_process_that_is_ended_is_told_with_a_remedy():
    with pytest.raises(SetupError, match="--workers 1"):
        list(mapped_in_processes(end_at_three, range(9), workers=2))


def tell_and_wait(place: str) -> None:
    Path(place, str(os.getpid())).touch()
    threading.Event().wait(600)


PARENT = """
import sys
from farm.dataset.parallel import mapped_in_processes
from tests.unit.dataset.test_at_size import tell_and_wait
if __name__ == "__main__":
    list(mapped_in_processes(tell_and_wait, [sys.argv[1]], workers=1))
"""


def test_processes_end_with_the_one_that_began_them(tmp_path):
    script, told = tmp_path / "parent.py", tmp_path / "told"
    script.write_text(PARENT)
    told.mkdir()
    parent = subprocess.Popen(
        [sys.executable, str(script), str(told)], env=os.environ | {"PYTHONPATH": str(Path.cwd())}
    )
    wait_for(lambda: parent.poll() is not None or any(told.iterdir()), "a process at work")
    child = psutil.Process(int(next(told.iterdir()).name))
    parent.kill()
    parent.wait()

    assert psutil.wait_procs([child], timeout=60)[1] == []
