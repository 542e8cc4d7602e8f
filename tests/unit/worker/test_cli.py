from __future__ import annotations

import subprocess
import sys

import pytest

from farm.errors import SetupError
from worker.cli import worker


def test_the_commands_are_read_without_loading_what_they_need():
    """`farm --help` answers at once, also on a laptop that has no Celery and no Blender."""
    code = "import sys, worker.cli; print({'celery', 'redis', 'bpy', 'numpy'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_a_machine_without_celery_is_told_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "worker.supervisor.service", None)

    with pytest.raises(SetupError, match=r"pip install 'viewfarm\[worker\]'"):
        worker()
