"""`farm add-passes` as a user runs it: interrupted, run again, after files were moved."""

from __future__ import annotations

import shutil
import signal

import pytest

import farm.dataset
from farm.storage import open_storage
from tests.e2e.conftest import farm as run_farm
from tests.e2e.conftest import held_renders, here
from tests.support.blender.street_scene import write_street
from tests.support.tabletop import write_things
from tests.support.waiting import wait_for

QUICK = ("--workers", 1, "--device", "cpu")
WALK = """\
time_s,x,y,z,qx,qy,qz,qw
0,-0.5,-16,3,0.7071068,0,0,0.7071068
1,0.5,-16,3,0.7071068,0,0,0.7071068
"""
"""A path that no chance has drawn: the bytes of a scene are others each time it is written."""


@pytest.fixture(scope="module")
def rendered(assets, tmp_path_factory):
    """Two grids without labels, and the command that rendered them; their model has moved since."""
    folder = tmp_path_factory.mktemp("later")
    models = folder / "models"
    shutil.copytree(assets.models, models)
    request = ("render", "--models", models / "cube0001-aaaa.obj", "--hdrs", assets.hdrs,
               "--output", folder / "ds", "--yaw", 2, "--pitch", 1, "--resolution", 64,
               "--samples", 4, *QUICK)  # fmt: skip
    done = run_farm(*request)
    assert done.returncode == 0, done.stderr
    return folder, request


def test_labels_come_later_for_a_model_that_has_moved(rendered, tmp_path):
    folder, request = rendered
    moved = folder / "elsewhere"
    (folder / "models").rename(moved)

    lost = here("add-passes", folder / "ds", "depth", *QUICK)
    done = run_farm("add-passes", folder / "ds", "depth,index", "--assets", moved, *QUICK)
    again = here("add-passes", folder / "ds", "index,depth", *QUICK)

    assert lost.returncode == 2
    assert "--assets" in lost.stderr
    assert "Traceback" not in lost.stderr
    assert done.returncode == 0, done.stderr
    assert "depth, index added to 4 of 4 views" in done.stderr
    assert again.returncode == 0
    assert "nothing to do: all 4 views have index, depth" in again.stderr
    assert {view.passes for view in farm.dataset.open(folder / "ds")} == {
        ("rgb", "mask", "depth", "index")
    }
    verified = here("dataset", "verify", folder / "ds")
    assert verified.returncode == 0, verified.stdout + verified.stderr
    moved.rename(folder / "models")
    rendered_again = run_farm(*request)
    assert "4 of 4 views complete: 0 rendered" in rendered_again.stderr

    dropped = here("dataset", "drop-passes", folder / "ds", "depth", "--yes")

    assert dropped.returncode == 0, dropped.stderr
    assert "4 views changed, 8 files removed" in dropped.stdout
    assert not list((folder / "ds").rglob("depth"))


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("depht",), "'depht' is not one of"),
        (("flow",), "no neighbouring frames"),
        (("blur",), "no neighbouring frames"),
        (("depth", "--assets", "nowhere"), "is not a folder"),
    ],
)
def test_what_cannot_be_added_is_refused_in_a_sentence(rendered, arguments, told):
    folder, _ = rendered

    done = here("add-passes", folder / "ds", *arguments, *QUICK)

    assert done.returncode == 2
    assert told in done.stderr
    assert "Traceback" not in done.stderr


def test_a_film_gets_passes_in_two_goes_and_loses_nothing(start_farm, tmp_path):
    """Ctrl-C keeps the frames that have theirs; the same command adds the others."""
    street = write_street(tmp_path / "street.blend")
    (tmp_path / "walk.csv").write_text(WALK)
    films = ("--recipe", "sequence", "--scenes", street, "--camera", tmp_path / "walk.csv",
             "--frames", 24)  # fmt: skip
    small = ("--resolution", 64, "--samples", 4, *QUICK)
    done = run_farm("render", *films, *small, "--passes", "rgb,mask", "--output", tmp_path / "ds")
    assert done.returncode == 0, done.stderr
    wanted = ("add-passes", tmp_path / "ds", "depth,flow", *QUICK)

    with held_renders(tmp_path):
        first = start_farm(*wanted)
        wait_for(lambda: list(tmp_path.rglob("depth_*.exr")), "the first depth")
        first.send_signal(signal.SIGINT)
        told = first.communicate(timeout=120)[1]
    some = sum("depth" in view.passes for view in farm.dataset.open(tmp_path / "ds"))
    again = run_farm(*wanted)
    nothing = here(*wanted)

    assert first.returncode == 130, told
    assert "run the same command again to resume" in told
    assert 0 < some < 24
    assert again.returncode == 0, again.stderr
    assert f"for {24 - some} of 24 views" in again.stderr
    assert "nothing to do: all 24 views have depth, flow_forward" in nothing.stderr
    verified = here("dataset", "verify", tmp_path / "ds", "--strict")
    assert verified.returncode == 0, verified.stdout
    assert not (tmp_path / "ds" / "products").exists()
    street.write_bytes(street.read_bytes() + b"x")
    changed = here("add-passes", tmp_path / "ds", "normal", *QUICK)
    assert changed.returncode == 2
    assert "street.blend has other bytes than when its views were rendered" in changed.stderr
    assert "Traceback" not in changed.stderr


def test_a_dataset_in_a_bucket_gets_passes_and_loses_them_where_it_lies(s3_place, tmp_path):
    write_things(tmp_path / "things", colours=("red",))
    table = ("--recipe", "tabletop", "--objects", tmp_path / "things", "--scenes", 1, "--views", 2,
             "--set", "recipe.per_scene=2..2", "--min-visible", 0)  # fmt: skip
    small = ("--resolution", 64, "--samples", 4, *QUICK)
    done = run_farm("render", *table, *small, "--passes", "rgb,mask", "--output", tmp_path / "ds")
    assert done.returncode == 0, done.stderr
    bucket = open_storage(s3_place)
    for path in (tmp_path / "ds").rglob("*"):
        if path.is_file():
            bucket.put_file(path.relative_to(tmp_path / "ds").as_posix(), path)

    here_added = run_farm("add-passes", tmp_path / "ds", "normal", *QUICK)
    there_added = run_farm("add-passes", s3_place, "normal", *QUICK)

    assert here_added.returncode == 0, here_added.stderr
    assert there_added.returncode == 0, there_added.stderr
    there = {view.name: view.data("normal") for view in farm.dataset.open(s3_place)}
    assert there == {view.name: view.data("normal") for view in farm.dataset.open(tmp_path / "ds")}
    assert here("dataset", "verify", s3_place).returncode == 0
    dropped = here("dataset", "drop-passes", s3_place, "normal", "--yes")
    assert "2 views changed, 4 files removed" in dropped.stdout
    keys = list(bucket.keys(""))
    assert not [key for key in keys if key.startswith((".", "normal", "products"))]
