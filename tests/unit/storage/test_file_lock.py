"""A file that one process holds locked, as another one sees it."""

from __future__ import annotations

import contextlib
import errno
import os
import subprocess
import sys

import pytest

from farm.storage import file_lock
from farm.storage.file_lock import lock_file, lock_new_file

HOLDER = """
import os, sys
from pathlib import Path
from farm.storage.file_lock import lock_file
lock = lock_file(Path(sys.argv[1]), shared=sys.argv[2] == "shared")
print("held", flush=True)
if sys.stdin.readline():
    Path(sys.argv[1]).unlink()
    os.close(lock)
"""


@contextlib.contextmanager
def holder(path, how="alone"):
    """Another process; `held` is its first line, and it removes the file when it is told to."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path), how],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        try:
            yield process
        finally:
            process.kill()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "lock"


def test_one_process_holds_it(path):
    with holder(path) as other:
        assert other.stdout.readline() == "held\n"
        for shared in (False, True):
            with pytest.raises(BlockingIOError):
                lock_file(path, wait=False, shared=shared)


def test_those_who_share_it_hold_it_together(path):
    with holder(path, "shared") as other:
        assert other.stdout.readline() == "held\n"
        os.close(lock_file(path, wait=False, shared=True))
        with pytest.raises(BlockingIOError):
            lock_file(path, wait=False)


def test_it_is_free_when_its_process_is_killed(path):
    with holder(path) as other:
        assert other.stdout.readline() == "held\n"
        other.kill()
        other.wait()

        os.close(lock_file(path, wait=False))


def test_who_waits_gets_it_next(path):
    mine = lock_file(path)
    with holder(path) as other:
        os.close(mine)

        assert other.stdout.readline() == "held\n"


def test_a_file_that_its_holder_removed_is_locked_anew(path, monkeypatch):
    """Who waited has a file that nobody sees: somebody else might hold the one that is seen."""
    asked = file_lock.ask_system
    with holder(path) as other:
        assert other.stdout.readline() == "held\n"

        def ask(file, **how):  # we have opened it; only then it is removed
            if not other.stdin.closed:
                other.stdin.write("remove it\n")
                other.stdin.close()
            asked(file, **how)

        monkeypatch.setattr(file_lock, "ask_system", ask)
        lock = lock_file(path)

        assert os.path.samestat(os.fstat(lock), path.stat())
        os.close(lock)


def test_one_that_is_not_there_is_not_made(path):
    with pytest.raises(FileNotFoundError):
        lock_file(path, make=False)

    assert not path.exists()


def test_a_link_is_not_followed(path, tmp_path):
    path.symlink_to(tmp_path / "elsewhere")

    with pytest.raises(OSError, match="symbolic links"):
        lock_file(path)

    assert not (tmp_path / "elsewhere").exists()


def test_a_new_one_is_held_and_alone(path):
    lock = lock_new_file(path)

    with pytest.raises(BlockingIOError):
        lock_file(path, wait=False)
    assert list(path.parent.iterdir()) == [path]
    os.close(lock)


@pytest.fixture
def no_locks(monkeypatch):
    """A file system that knows no locks, such as some network ones."""

    def refuse(_file, **_how):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(file_lock, "ask_system", refuse)


@pytest.mark.usefixtures("no_locks")
def test_without_locks_it_is_refused_or_left_out(path):
    with pytest.raises(OSError, match="No locks available"):
        lock_file(path)
    with pytest.raises(OSError, match="No locks available"):
        lock_new_file(path)

    os.close(lock_file(path, if_possible=True))
    path.unlink()
    os.close(lock_new_file(path, if_possible=True))
    assert list(path.parent.iterdir()) == [], "or it would be taken for one that was left"
