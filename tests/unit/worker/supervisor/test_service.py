"""The folders of a worker's process go with it, also where it was killed."""

import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

pytest.importorskip("celery")

from worker.supervisor.service import make_scratch

HOLD = """
import sys, time
from pathlib import Path
from worker.supervisor.service import make_scratch
owned = make_scratch(Path(sys.argv[1]))
(owned.folder / "view.exr").write_bytes(b"x")
print(owned.folder, flush=True)
time.sleep(600)
"""


@pytest.mark.parametrize("is_chosen", [True, False])
def test_a_worker_clears_what_a_killed_one_left_and_nothing_else(tmp_path, monkeypatch, is_chosen):
    """In the scratch that was chosen as in the system's, and not while the other is alive."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    (tmp_path / "farm-worker-of-an-older-version").mkdir()
    parent = tmp_path if is_chosen else None
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as other:
        left = Path(other.stdout.readline().strip())
        mine = make_scratch(parent)
        assert (left / "view.exr").exists()
        other.kill()
        other.wait()

    again = make_scratch(parent)

    assert not left.exists()
    assert mine.folder.is_dir()
    assert (tmp_path / "farm-worker-of-an-older-version").is_dir()
    for owned in (mine, again):
        owned.remove()
        assert not owned.folder.exists()
