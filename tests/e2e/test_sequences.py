"""Animated scenes become video datasets, on one machine and on a farm that loses a worker."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import numpy as np
import pytest

import farm.dataset
from farm.local.up.farm_folder import FarmFolder
from tests.e2e.conftest import farm as run
from tests.e2e.conftest import farm_up, here
from tests.support.blender.street_scene import write_street
from tests.support.changed_datasets import ChangedDataset
from tests.support.waiting import wait_for

SMALL = ("--resolution", 64, "--samples", 4)
PASSES = ("--passes", "rgb,depth,normal,index,flow")
MOVES = {
    "street": "",
    "shapes": "k = ball.shape_key_add(); k = ball.shape_key_add(name='k'); "
    "[setattr(v, 'co', v.co * 1.5) for v in k.data]; key(k, 'value', (1, 0.0), (40, 1.0))",
    "zoom": "key(camera.data, 'lens', (1, 25.0), (40, 60.0))",
}


@pytest.fixture(scope="module")
def scenes(tmp_path_factory):
    folder = tmp_path_factory.mktemp("scenes")
    for name, change in MOVES.items():
        write_street(folder / f"{name}.blend", change)
    return folder


def sequences_of(folder):
    """Frames in the order of each sequence."""
    found = {}
    for view in farm.dataset.open(folder):
        found.setdefault(view.record.view.moment.sequence, []).append(view)
    for frames in found.values():
        frames.sort(key=lambda view: view.record.view.moment.place)
    return found


def test_frames_poses_and_ids_lie_where_trainers_look(scenes, tmp_path):
    done = run(
        "render", "--recipe", "sequence", "--scenes", scenes / "zoom.blend", "--frames", 3,
        "--sequences-per-scene", 2, *PASSES, *SMALL, "--output", tmp_path / "renders",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    folder = tmp_path / "renders" / "zoom" / "001-00001-00003"
    made = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    for number in (1, 2, 3):
        for file in (
            "frames/frame_{}.png", "depths/depth_{}.exr", "normals/normal_{}.exr",
            "segmentations/segmentation_{}.png", "flows/forward_{}.exr", "flows/backward_{}.exr",
            "flows/forward_valid_{}.png", "flows/backward_valid_{}.png",
        ):  # fmt: skip
            assert file.format(f"{number:06d}") in made
    told = json.loads((folder / "transforms.json").read_text())
    assert (told["w"], told["h"], told["fps"]) == (64, 64, 30)
    assert "fl_x" not in told, "it zooms"
    assert told["frames"][0]["fl_x"] < told["frames"][2]["fl_x"]
    assert [frame["time_s"] for frame in told["frames"]] == pytest.approx([0, 1 / 30, 2 / 30])
    frames = sequences_of(tmp_path / "renders")["zoom/001-00001-00003"]
    for frame, view in zip(told["frames"], frames, strict=True):
        assert np.allclose(frame["transform_matrix"], view.record.camera.world_from_camera)
        assert (folder / frame["file_path"]).is_file()
    ids = json.loads((folder / "segmentations.json").read_text())["index"]
    classes = {each["name"]: each["category"] for each in ids}
    assert classes == {"Ball": "toy", "Cube": "object", "Floor": "object", "Wall": "object"}

    again = run(
        "render", "--recipe", "sequence", "--scenes", scenes / "zoom.blend", "--frames", 3,
        "--sequences-per-scene", 2, *PASSES, *SMALL, "--output", tmp_path / "renders",
    )  # fmt: skip
    assert "6 of 6 views complete" in again.stdout + again.stderr


@pytest.fixture(name="farm_up")
def a_farm(tmp_path, monkeypatch):
    """A farm of its own with two workers; it is down in the end."""
    with farm_up(tmp_path, monkeypatch, workers=2) as storage:
        yield storage


def test_rendered_sequences_are_sound_are_films_and_flow_that_is_changed_is_found(scenes, tmp_path):
    """Four samples: noise in pictures, none in labels."""
    output = tmp_path / "renders"
    done = run(
        "render", "--recipe", "sequence", "--scenes", scenes / "street.blend", "--frames", 3,
        "--frame-start", 20, "--frame-step", 2, "--keyframe-multiplier", 2, *PASSES, *SMALL,
        "--output", output,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr

    verified = run("dataset", "verify", output, "--strict")
    assert verified.returncode == 0, verified.stdout
    looked = here("dataset", "preview", output, "--html")
    assert looked.returncode == 0, looked.stderr
    (written,) = output.glob("street/*/preview.*")
    assert written.relative_to(output).as_posix() in (output / "preview.html").read_text()
    assert written.suffix in (".mp4", ".webp")
    assert written.stat().st_size > 5_000

    data = ChangedDataset(output)
    data.change_all(("flow_forward", "flow_backward"), lambda flow: -2 * flow)
    data.save()
    verified = here("dataset", "verify", output)
    assert verified.returncode == 1
    assert "flow_forward leads" in verified.stdout


def test_a_farm_that_loses_a_worker_renders_each_frame_once(scenes, farm_up, tmp_path):
    sent = run(
        "submit", "--recipe", "sequence", "--scenes", scenes, "--frames", 6,
        "--keyframe-multiplier", "1,2.5", "--set", "views_per_task=3", "--yes", "--json",
        "--passes", "rgb,index,flow", *SMALL,
    )  # fmt: skip
    assert sent.returncode == 0, sent.stderr
    job = json.loads(sent.stdout)["job_id"]
    wait_for(lambda: list(farm_up.rglob("frame_*.png")), "the first frame")
    victim = next(part for part in FarmFolder(farm_up).state().parts if "worker" in part.name)
    os.kill(victim.pid, signal.SIGKILL)
    waited = run("watch", job)
    assert waited.returncode == 0, waited.stderr
    fetched = run("download", job, "--output", tmp_path / "here")
    assert fetched.returncode == 0, fetched.stderr

    found = sequences_of(tmp_path / "here")
    assert sorted(found) == sorted(
        f"{name}/{run}" for name in MOVES for run in ("001-00001-00006", "2.5-00002-00007")
    )
    for name, frames in found.items():
        assert [view.record.view.moment.place for view in frames] == list(range(6))
        assert (tmp_path / "here" / name / "transforms.json").is_file()
    verified = here("dataset", "verify", tmp_path / "here")
    assert verified.returncode == 0, verified.stdout + verified.stderr


def test_blur_rolling_shutter_and_events_of_the_time_a_shutter_is_open(scenes, tmp_path):
    asked = (
        "render", "--recipe", "sequence", "--scenes", scenes / "street.blend", "--frames", 2,
        "--frame-start", 18, *SMALL, "--output", tmp_path / "renders",
    )  # fmt: skip
    for wrong, told in (
        (("--passes", "rgb,blur"), "blur: is made while a shutter is open: say how long"),
        (("--shutter", 0.5, "--passes", "rgb"), "shutter: none of the passes shows it"),
        (("--shutter", 2, "--passes", "blur"), "recipe.shutter: '2' is more than 1"),
    ):
        done = here(*asked, *wrong)
        assert (done.returncode, told in done.stderr) == (2, True), done.stderr

    passes = ("rgb", "blur", "rolling_shutter", "events", "depth", "flow")
    shutter = ("--shutter", 0.5, "--subframes", 4, "--passes", ",".join(passes))
    done = run(*asked, *shutter)
    assert done.returncode == 0, done.stderr
    [frames] = sequences_of(tmp_path / "renders").values()
    for view in frames:
        assert (view["blur"] != view["rgb"]).any()
        assert (view["rolling_shutter"] != view["rgb"]).any()
        events, moment = view["events"], view.record.view.moment
        assert len(events)
        assert np.abs(events["t"] - moment.time_s).max() <= 0.25 / moment.fps
        assert set(events["p"].tolist()) == {-1, 1}
        assert view.record.values["shutter"]["open"] == 0.5
    folder = tmp_path / "renders" / "street" / "001-00018-00019"
    told = json.loads((folder / "transforms.json").read_text())["frames"][1]
    assert told["blur_file_path"] == "blurred/blurred_000019.png"
    assert np.load(folder / told["events_file_path"])["t"].dtype == np.float64
    assert here("dataset", "verify", tmp_path / "renders").returncode == 0
    assert "2 of 2 views complete" in run(*asked, *shutter).stderr


STATUE = """\
import bpy, sys
bpy.ops.wm.read_factory_settings(use_empty=True)
bpy.ops.mesh.primitive_monkey_add()
bpy.context.object.name = "Statue"
bpy.ops.export_scene.gltf(filepath=sys.argv[1])
"""


def test_a_model_that_stands_still_is_filmed_along_paths_of_our_own(tmp_path):
    """A .glb without camera, light and animation, by an orbit and by a file of poses."""
    model = tmp_path / "statue.glb"
    subprocess.run([sys.executable, "-c", STATUE, str(model)], check=True, capture_output=True)
    (tmp_path / "walk.csv").write_text(
        "time_s,x,y,z,qx,qy,qz,qw\n0,0,-5,0,0.7071068,0,0,0.7071068\n"
        "0.1,0.5,-5,0,0.7071068,0,0,0.7071068\n"
    )
    for camera, frames in (("orbit", 3), (str(tmp_path / "walk.csv"), 3)):
        folder = tmp_path / f"by-{frames}-{camera.rpartition('.')[2]}"
        done = run(
            "render", "--recipe", "sequence", "--scenes", model, "--camera", camera,
            *(("--frames", frames) if camera == "orbit" else ()), *PASSES, *SMALL,
            "--output", folder,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert "statue.glb: nothing in it gives light" in " ".join(done.stderr.split())
        [views] = sequences_of(folder).values()
        assert len(views) == frames
        for view in views:
            assert view.record.coverage > 0.02
            assert view["rgb"].max() > 100, "it is lit"
        places = np.array([view.record.camera.world_from_camera for view in views])[:, :3, 3]
        assert (np.linalg.norm(np.diff(places, axis=0), axis=-1) > 0.01).all()
        assert here("dataset", "verify", folder).returncode == 0
