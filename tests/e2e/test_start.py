"""What `farm render` starts before it knows what to render: of use, and gone when it is not."""

import json
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import psutil
import pytest

from tests.e2e.conftest import family, farm
from tests.support.waiting import wait_for


def worker_of(process: subprocess.Popen[str]) -> psutil.Process | None:
    """The worker of a run, if there is one."""
    started = psutil.Process(process.pid).children()
    return next((each for each in started if "worker.supervisor.waiting" in words_of(each)), None)


def words_of(process: psutil.Process) -> list[str]:
    """The command of a process; of one that has just ended, none."""
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def renderer_of(process: subprocess.Popen[str]) -> psutil.Process | None:
    """The process of a run's worker that is to render, if it is there."""
    worker = worker_of(process)
    return next(iter(worker.children()), None) if worker else None


@pytest.fixture
def planning(start_farm, tmp_path):
    """A run that has started its processes, and waits for its spec, which comes through a pipe."""
    pipe = tmp_path / "spec.yaml"
    os.mkfifo(pipe)
    process = start_farm("render", pipe)
    wait_for(lambda: renderer_of(process), "the renderer waits")
    wait_for(lambda: len(family(process.pid)) >= 3, "there is a Redis, too")
    return process, pipe


def whatever_it_has(process: subprocess.Popen[str]) -> tuple[list[psutil.Process], set[Path]]:
    """The processes that a run has started, and the folders that they were given."""
    started = family(process.pid)
    worker = worker_of(process)
    assert worker is not None
    told = worker.environ()
    folders = {Path(told["TMPDIR"]), Path(told["FARM_SCRATCH"])}
    assert all(folder.is_dir() for folder in folders)
    return started, folders


def spec_of(assets, output: Path, **more: object) -> str:
    render = {"resolution": 64, "samples": 4}
    recipe = {"kind": "sod", "yaw": 1, "pitch": 1}
    return json.dumps(
        {"models": [str(assets.models / "cube0001-aaaa.obj")],
         "hdrs": [str(assets.hdrs / "skyblue1-cccc.hdr")],
         "output": str(output), "recipe": recipe, "render": render, **more}
    )  # fmt: skip


def test_a_spec_that_is_refused_leaves_nothing_of_it(planning, assets, tmp_path):
    process, pipe = planning
    started, folders = whatever_it_has(process)

    pipe.write_text(spec_of(assets, tmp_path / "out", seed="none"))
    _, said = process.communicate(timeout=120)

    assert process.returncode == 2
    assert "error: seed: 'none' is not a whole number" in said
    assert psutil.wait_procs(started, timeout=120)[1] == []
    assert not any(folder.exists() for folder in folders)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_who_stops_a_run_while_it_plans_stops_all_of_it(planning, sent):
    process, _ = planning
    started, folders = whatever_it_has(process)

    process.send_signal(sent)
    process.communicate(timeout=120)

    assert process.returncode in (128 + sent, 1)
    assert psutil.wait_procs(started, timeout=120)[1] == []
    assert not any(folder.exists() for folder in folders)


def test_a_run_that_is_killed_while_it_plans_takes_its_processes_along(planning):
    process, _ = planning
    started, _ = whatever_it_has(process)

    process.kill()
    process.communicate()

    assert psutil.wait_procs(started, timeout=120)[1] == []


@pytest.mark.parametrize("lost", [None, worker_of, renderer_of])
def test_what_was_started_renders_and_what_is_lost_is_started_again(
    planning, assets, tmp_path, lost
):
    process, pipe = planning
    if lost is not None:
        lost(process).kill()

    pipe.write_text(spec_of(assets, tmp_path / "out"))
    _, said = process.communicate(timeout=250)

    assert process.returncode == 0, said
    assert "1 of 1 view complete: 1 rendered" in said


def test_a_renderer_that_cannot_be_opened_says_why_once(assets, tmp_path, monkeypatch):
    monkeypatch.setenv("FARM_RENDERER", "worker.nothing:open")

    said = farm("render", "--models", assets.models, "--hdrs", assets.hdrs, "--output", tmp_path,
                "--device", "cpu")  # fmt: skip

    assert said.returncode == 2
    told = [line for line in said.stderr.splitlines() if line.startswith("error: ")]
    assert len(told) == 1
    assert "the renderer worker.nothing:open cannot be opened: ModuleNotFoundError" in told[0]


def test_a_renderer_that_dies_while_it_opens_ends_the_run(assets, tmp_path, monkeypatch):
    """Ahead of any task nobody would count its deaths: only the first process opens it so."""
    (tmp_path / "dying.py").write_text("import os\ndef renderer(settings):\n    os._exit(9)\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("FARM_RENDERER", "dying:renderer")

    said = farm("render", "--models", assets.models, "--hdrs", assets.hdrs,
                "--output", tmp_path / "out", "--device", "cpu", "--workers", 1)  # fmt: skip

    assert said.returncode == 2
    assert "the renderer dies while it starts" in said.stderr


def test_nothing_is_loaded_ahead_that_would_stay_outside_of_the_walls():
    """NumPy starts threads, and threads stay outside of walls that go up later."""
    code = """
        import sys, threading
        from worker.supervisor.waiting import load
        load()
        outside = {"numpy", "bpy", "PyOpenColorIO", "OpenEXR"} & sys.modules.keys()
        print(outside or threading.active_count())
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=True
    )

    assert done.stdout.split() == ["1"]
