"""Temporary folders that go with their owner."""

import subprocess
import sys

import pytest

from farm.errors import SetupError
from farm.local.processes.temp_folders import PREFIX, memory_folder, temp_folder
from farm.owned_folders import LOCK_FILE

HOLD = """
import sys, time
from pathlib import Path
from farm.local.processes.temp_folders import temp_folder
with temp_folder(Path(sys.argv[1])) as folder:
    (folder / "view.exr").write_bytes(b"x")
    print(folder, flush=True)
    time.sleep(600)
"""


def test_a_folder_goes_with_its_owner(tmp_path):
    with temp_folder(tmp_path) as folder:
        (folder / "view.exr").write_bytes(b"x")
        assert list(tmp_path.iterdir()) == [folder]

    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_owner_left_is_removed_by_the_next_and_not_before(tmp_path):
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as owner:
        left = tmp_path / owner.stdout.readline().strip()
        with temp_folder(tmp_path) as mine:
            assert set(tmp_path.iterdir()) == {mine, left}
        owner.kill()
        owner.wait()
        assert list(tmp_path.iterdir()) == [left]

    with temp_folder(tmp_path) as mine:
        assert list(tmp_path.iterdir()) == [mine]


def test_what_nobody_says_to_own_is_left_alone(tmp_path):
    (tmp_path / f"{PREFIX}fresh").mkdir()  # its owner has not locked it yet
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / LOCK_FILE).touch()
    (tmp_path / f"{PREFIX}link").symlink_to(tmp_path / "elsewhere")

    with temp_folder(tmp_path):
        pass

    assert {path.name for path in tmp_path.iterdir()} == {
        f"{PREFIX}fresh",
        f"{PREFIX}link",
        "elsewhere",
    }
    assert (tmp_path / "elsewhere" / LOCK_FILE).exists()


def test_a_place_that_takes_no_folder_is_named(tmp_path):
    with pytest.raises(SetupError, match=r"gone: no temporary folder can be made in it"):
        temp_folder(tmp_path / "gone").__enter__()


def test_memory_that_cannot_be_written_is_not_taken(tmp_path):
    assert memory_folder(tmp_path) == tmp_path
    assert memory_folder(tmp_path / "gone") is None
    assert list(tmp_path.iterdir()) == []
