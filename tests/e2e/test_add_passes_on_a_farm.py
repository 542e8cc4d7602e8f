"""`farm add-passes farm:JOB`: a farm of real processes, with renderers behind their walls."""

from __future__ import annotations

import json
import shutil
import signal

import psutil
import pytest

import farm.dataset
from farm.client import Client
from farm.local.up.farm_folder import FarmFolder
from tests.e2e.conftest import farm as run_farm
from tests.e2e.conftest import farm_up
from tests.support.blender.street_scene import write_street
from tests.support.tabletop import write_things
from tests.support.waiting import wait_for


@pytest.fixture(scope="module")
def storage(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("farm")
        begun = farm_up(folder, patch, workers=1, FARM_READ_WALL="auto")
        with begun as storage:
            yield storage


@pytest.fixture
def chairs(storage, assets, request):
    """A job whose views are rendered, called as its test."""
    name = request.node.name[:40]
    asked = ("--models", assets.models, "--hdrs", assets.hdrs / "skyblue1-cccc.hdr")
    size = ("--resolution", 64, "--samples", 4, "--yaw", 4, "--pitch", 1)
    seed = ("--seed", abs(hash(name)) % 1000)
    done = run_farm("submit", *asked, *size, *seed, "--yes", "--name", name, "--wait")
    assert done.returncode == 0, done.stderr
    return name


def info(job):
    return json.loads(run_farm("status", job, "--json").stdout)


def test_the_workers_of_a_farm_add_passes_once_and_the_dataset_is_whole(chairs, tmp_path):
    planned = run_farm("add-passes", f"farm:{chairs}", "depth,base_color", "--dry-run")
    added = run_farm("add-passes", f"farm:{chairs}", "depth,base_color")
    again = run_farm("add-passes", f"farm:{chairs}", "base_color,depth")

    assert "8 of 8 views" in planned.stdout
    assert "proven by mask" in planned.stdout
    assert added.returncode == 0, added.stderr
    assert "complete: 8 of 8 views" in added.stderr
    assert "nothing to do: all 8 views have base_color, depth" in again.stdout
    fetched = run_farm("download", chairs, "--output", tmp_path / "here")
    assert fetched.returncode == 0, fetched.stderr
    verified = run_farm("dataset", "verify", tmp_path / "here")
    assert verified.returncode == 0, verified.stdout
    views = farm.dataset.open(tmp_path / "here")
    assert {view.passes for view in views} == {("rgb", "mask", "depth", "base_color")}
    assert all(view["depth"].shape == (64, 64) for view in views)
    assert info(chairs)["state"] == "completed"


def test_a_killed_worker_and_a_stopped_command_lose_nothing(chairs, storage, start_farm, tmp_path):
    """Ctrl-C ends the command alone; the farm's new worker goes on where the killed one was."""
    parts = FarmFolder(storage).state().parts
    [worker] = [part.pid for part in parts if part.name.startswith("worker")]
    run_farm("workers", "drain", "cpu-0")
    command = start_farm("add-passes", f"farm:{chairs}", "normal,foreground")
    assert any(" by job " in line for line in command.stderr), "it says that the job is there"
    [job] = info(chairs)["added_by"]
    command.send_signal(signal.SIGINT)
    told = command.communicate(timeout=120)[1]
    undrain = start_farm("workers", "undrain", "cpu-0")
    with Client() as api:
        wait_for(
            lambda: any(map(api.job(job).counts.get, ("running", "done"))),
            "the first task is begun",
        )
    psutil.Process(worker).kill()
    assert undrain.wait(120) == 0

    resumed = run_farm("add-passes", f"farm:{chairs}", "normal,foreground")

    assert command.returncode == 130
    assert "the job goes on" in told
    assert resumed.returncode == 0, resumed.stderr
    assert job[:6] in resumed.stderr or "nothing to do" in resumed.stdout
    wait_for(lambda: info(job)["state"] == "completed" and not info(job)["finishing"], "its end")
    run_farm("download", chairs, "--output", tmp_path / "here")
    views = farm.dataset.open(tmp_path / "here")
    assert {view.passes for view in views} == {("rgb", "mask", "normal", "foreground")}
    assert run_farm("dataset", "verify", tmp_path / "here").returncode == 0


def test_views_that_come_out_differently_are_refused_by_the_farm_too(chairs, storage, tmp_path):
    job_id = info(chairs)["job_id"]
    lists = list((storage / "datasets" / job_id).rglob("views.jsonl"))
    [other] = [each for each in lists if "cube" in str(each)]
    other.write_text(other.read_text().replace('"blender":"5.', '"blender":"4.'))

    refused = run_farm("add-passes", f"farm:{chairs}", "depth")
    by_pixels = run_farm("add-passes", f"farm:{chairs}", "depth", "--any-blender")

    assert refused.returncode == 1, refused.stderr
    assert "was rendered by Blender 4." in refused.stderr
    assert "4 of 8 views" in refused.stderr
    assert by_pixels.returncode == 0, by_pixels.stderr
    assert "depth for 4 of 8 views" in by_pixels.stderr
    run_farm("download", chairs, "--output", tmp_path / "here")
    assert all("depth" in view.passes for view in farm.dataset.open(tmp_path / "here"))


def test_a_farm_lays_paths_anew_and_lets_things_stand_where_they_had_settled(storage, tmp_path):
    """What makers of the first job have made is gone; the renderers are behind their walls."""
    write_street(tmp_path / "street.blend")
    write_things(tmp_path / "things", colours=("red",))
    asked = {
        "film": ("--recipe", "sequence", "--scenes", tmp_path / "street.blend", "--frames", 3,
                 "--camera", "orbit"),
        "table": ("--recipe", "tabletop", "--objects", tmp_path / "things", "--scenes", 1,
                  "--views", 2, "--set", "recipe.per_scene=2..2", "--min-visible", 0,
                  "--set", "recipe.expressions.per_view=0"),
    }  # fmt: skip
    small = ("--passes", "rgb,mask", "--resolution", 64, "--samples", 4, "--yes", "--wait")
    for name, words in asked.items():
        done = run_farm("submit", *words, *small, "--name", name)
        assert done.returncode == 0, done.stderr
    shutil.rmtree(storage / "products")

    film = run_farm("add-passes", "farm:film", "depth,flow_forward")
    table = run_farm("add-passes", "farm:table", "depth,normal")

    assert film.returncode == 0, film.stderr
    assert "proven by rgb and mask" in film.stderr
    assert table.returncode == 0, table.stderr
    for name, added in (("film", ("depth", "flow_forward")), ("table", ("depth", "normal"))):
        run_farm("download", name, "--output", tmp_path / name)
        assert run_farm("dataset", "verify", tmp_path / name).returncode == 0
        views = list(farm.dataset.open(tmp_path / name))
        assert views
        assert all(set(view.passes) == {"rgb", "mask", *added} for view in views)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("farm:nothing-like-that", "depth"), "there is no job"),
        (("farm:last", "depht"), "'depht' is not one of"),
        (("farm:last", "depth", "--assets", "."), "--assets: is for a dataset on this machine"),
        ((".", "depth", "--priority", "3"), "--priority: is for a job of a farm"),
    ],
)
def test_what_cannot_be_asked_of_a_farm_is_refused_in_a_sentence(storage, arguments, told):
    done = run_farm("add-passes", *arguments)

    assert done.returncode == 2
    assert told in done.stderr
    assert "Traceback" not in done.stderr
