from __future__ import annotations

import errno
import os
import subprocess
import sys
from types import SimpleNamespace

import pytest

from farm.errors import SetupError
from farm.local.up import farm_folder
from farm.local.up.farm_folder import FarmFolder, UpState
from farm.storage import FolderStorage, file_lock
from farm.tokens import TokenBook

A_STATE = UpState(
    phase="ready",
    pid=1,
    url="http://127.0.0.1:8000",
    flower_url="http://127.0.0.1:5555",
    redis_port=1,
    devices=("cpu",),
)


@pytest.fixture
def site(tmp_path):
    site = FarmFolder(tmp_path)
    site.make()
    return site


def test_one_farm_runs_in_a_folder(site):
    with site.hold(), pytest.raises(SetupError, match="already"), site.hold():
        pass


def test_who_only_looks_whether_a_farm_runs_keeps_none_out(site, monkeypatch):
    """However slow it is: a busy machine may stop it in the midst."""
    (site.folder / "lock").touch()
    looking = file_lock.lock_file(site.folder / "lock", shared=True)
    pauses = iter(range(10, -1, -1))
    pause = SimpleNamespace(sleep=lambda _seconds: next(pauses) or os.close(looking))
    monkeypatch.setattr(farm_folder, "time", pause)

    with site.hold():
        assert site.is_held()


def test_a_farm_whose_supervisor_is_gone_does_not_run(site):
    """The lock ends with its process, whatever ended that: no stale file keeps a farm out."""
    holder = (
        "import os, sys; from pathlib import Path\n"
        "from farm.local.up.farm_folder import FarmFolder\n"
        "with FarmFolder(Path(sys.argv[1])).hold(): print('held', flush=True); sys.stdin.read()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", holder, str(site.storage)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with process:
        process.stdout.readline()
        site.write_state(A_STATE)
        seen = site.state()
        process.kill()

    assert seen == A_STATE
    assert site.state() is None


def test_secrets_are_made_once_and_for_the_owner_alone(site):
    first = site.secrets()

    assert site.secrets() == first
    assert first.redis_password not in repr(first)
    assert [file.name for file in site.folder.iterdir() if file.stat().st_mode & 0o077] == ["log"]
    assert site.folder.stat().st_mode & 0o077 == 0


def test_the_first_token_is_an_admins(site):
    token = site.secrets().admin_token

    known = TokenBook(FolderStorage(site.storage)).check(token)

    assert known is not None
    assert known.role == "admin"


def test_a_folder_that_cannot_be_locked_is_not_said_to_have_a_farm(site, monkeypatch):
    def refuse(_file, **_how):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(file_lock, "ask_system", refuse)

    with (
        pytest.raises(SetupError, match=r"cannot be locked \(No locks available\): choose another"),
        site.hold(),
    ):
        pass
    assert not site.is_held()
