"""The Slurm batch file, run by bash with a stand-in for `farm`."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest

from tests.support.waiting import wait_for

SCRIPT = Path(__file__).parents[3] / "deploy" / "slurm" / "worker.sbatch"
STAND_IN = """\
#!/bin/bash
echo "$@" >> "$TOLD/arguments"
[[ $* == *--warm-kernels ]] && exit 0
echo "$FARM_REDIS_URL" > "$TOLD/redis"
trap 'echo farewell > "$TOLD/end"; exit 0' TERM
touch "$TOLD/started"
while :; do sleep 0.05; done
"""


@pytest.fixture
def setting(tmp_path):
    """The environment of a batch job whose `farm` is a stand-in."""
    if not Path("/dev/shm").is_dir():
        pytest.skip("Slurm runs on Linux")
    farm = tmp_path / "bin" / "farm"
    farm.parent.mkdir()
    farm.write_text(STAND_IN)
    farm.chmod(0o755)
    settings = tmp_path / "worker.env"
    settings.write_text("FARM_REDIS_URL=redis://:hush@farm:6379/0\nFARM_STORAGE=/shared\n")
    settings.chmod(0o600)
    return {
        "PATH": f"{farm.parent}:{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "TOLD": str(tmp_path),
        "FARM_WORKER_ENV": str(settings),
    }


def test_a_worker_that_slurm_ends_says_farewell(setting, tmp_path):
    process = subprocess.Popen(["bash", str(SCRIPT)], env=setting)
    wait_for((tmp_path / "started").exists, "the worker starts")
    process.send_signal(signal.SIGTERM)

    assert process.wait(120) == 0
    assert (tmp_path / "end").read_text() == "farewell\n"
    assert (tmp_path / "arguments").read_text().splitlines() == [
        "worker --device auto --require-gpu --warm-kernels",
        "worker --device auto --require-gpu",
    ]
    assert (tmp_path / "redis").read_text() == "redis://:hush@farm:6379/0\n"


def test_a_password_that_others_can_read_is_refused(setting):
    Path(setting["FARM_WORKER_ENV"]).chmod(0o644)

    result = subprocess.run(
        ["bash", str(SCRIPT)], env=setting, capture_output=True, text=True, check=False
    )

    assert result.returncode == 2
    assert "chmod 600" in result.stderr
