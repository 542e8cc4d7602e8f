"""One run at a time in a folder."""

import contextlib
import os
import signal
import subprocess
import sys

import pytest

from farm.errors import SetupError
from farm.local.folder_lock import LOCK_FILE, hold_folder

HOLD = """
import sys, time
from pathlib import Path
from farm.local.folder_lock import hold_folder
with hold_folder(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(600)
"""


@contextlib.contextmanager
def another_run(folder):
    """Another process that holds the folder."""
    command = [sys.executable, "-c", HOLD, str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_a_second_run_is_told_who_is_there(tmp_path):
    with (
        another_run(tmp_path / "out") as other,
        pytest.raises(SetupError, match=rf"another run writes into .*process {other.pid} on .*"),
        hold_folder(tmp_path / "out"),
    ):
        pass


def test_a_run_that_was_killed_holds_nothing(tmp_path):
    with another_run(tmp_path) as other:
        os.kill(other.pid, signal.SIGKILL)
        other.wait()

    with hold_folder(tmp_path):
        assert f"process {os.getpid()} " in (tmp_path / LOCK_FILE).read_text()


def test_nothing_is_left_in_the_folder(tmp_path):
    with hold_folder(tmp_path / "new" / "folder"):
        pass

    assert list((tmp_path / "new" / "folder").iterdir()) == []


@pytest.mark.parametrize("name", ["file", "file/inside"])
def test_a_file_is_no_folder(tmp_path, name):
    (tmp_path / "file").touch()

    with pytest.raises(SetupError, match=r"cannot be written .*take another --output"):
        hold_folder(tmp_path / name).__enter__()
