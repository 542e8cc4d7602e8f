"""Recipes of an installed package go through everything without a line changed elsewhere."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import numpy as np
import pytest

import farm.dataset
from farm.dataset.export.registry import PICTURE_FORMATS
from farm.local.up.farm_folder import FarmFolder
from tests.builders import an_asset
from tests.e2e.conftest import farm as run
from tests.e2e.conftest import farm_up
from tests.support.toy_scene import with_toy, write_scene


@pytest.fixture(scope="module", autouse=True)
def toy():
    """The package is installed for all that is started."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", with_toy())
        yield


@pytest.fixture(scope="module")
def scene(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("scenes") / "cubes.blend"
    write_scene(path)
    return path


@pytest.fixture(scope="module")
def rendered(scene, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("toy")
    done = run(
        "render", "--recipe", "toy", "--scenes", scene, "--frames", 3, "--output", folder,
        "--resolution", 64, "--samples", 2, "--passes", "rgb,mask,depth,index,flow_forward",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return folder


def test_its_frames_have_its_own_names_and_its_own_cameras(rendered):
    for camera in ("left", "right"):
        frames = rendered / "cubes" / camera / "images"
        assert sorted(path.name for path in frames.iterdir()) == [
            "frame_0001.png", "frame_0002.png", "frame_0003.png",
        ]  # fmt: skip


def test_its_labels_follow_what_moves(rendered):
    """Level at frame 1; at frame 3 the red cube is two units above the blue one."""
    views = {(view.record.view.camera.name, view.record.view.frame): view
             for view in farm.dataset.open(rendered)}  # fmt: skip
    first, last = views["left", 1.0], views["left", 3.0]

    assert heights(last) == pytest.approx({"blue cube": -1.0, "red cube": 1.0}, abs=1e-5)
    assert heights(first) == pytest.approx({"blue cube": 0.0, "red cube": 0.0}, abs=1e-5)
    red = next(label for label in last.record.objects if label.name == "red cube")
    assert np.median(last["depth"][last["index"] == red.indices[0]]) == pytest.approx(5.5, abs=1e-3)
    left, top, right, bottom = red.box_px
    rows, columns = np.nonzero(last["index"] == red.indices[0])
    assert (columns.min(), rows.min()) == (left, top)
    assert (columns.max() + 1, rows.max() + 1) == (right, bottom)
    # A cube at (-1, 0, 1) of side 1, 5.5 to 6.5 before a camera at (-1, -6, 0) of 50 mm on 36 mm.
    focal = 50 / 36 * 64
    assert (rows.min(), rows.max() + 1) == pytest.approx(
        (32 - 1.5 * focal / 5.5, 32 - 0.5 * focal / 6.5), abs=1
    )
    picture = last["rgb"][last["index"] == red.indices[0]].mean(axis=0)
    assert picture[0] > 2 * picture[2]


def test_its_frames_waited_for_what_was_baked(rendered):
    for view in farm.dataset.open(rendered):
        assert view.record.values["baked"] == pytest.approx(heights(view), abs=1e-5)
    assert not (rendered / "products").exists(), "all views are there"


def test_its_tasks_carry_the_key_of_their_scene(rendered):
    for view in farm.dataset.open(rendered):
        (scene,) = view.record.assets
        assert view.record.values["affinity"] == scene.content


def heights(view) -> dict[str, float]:
    camera = np.array(view.record.camera.world_from_camera)
    return {
        label.name: float((camera @ np.array(label.camera_from_object))[2, 3])
        for label in view.record.objects
    }


def test_a_run_again_renders_nothing(rendered, scene):
    done = run(
        "render", "--recipe", "toy", "--scenes", scene, "--frames", 3, "--output", rendered,
        "--resolution", 64, "--samples", 2, "--passes", "rgb,mask,depth,index,flow_forward",
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    assert "6 of 6 views complete: 0 rendered" in done.stderr


@pytest.mark.parametrize("format_", PICTURE_FORMATS)
def test_it_is_exported(rendered, tmp_path, format_):
    done = run("dataset", "export", rendered, "--to", format_, "--out", tmp_path / "out")

    assert done.returncode == 0, done.stderr
    assert "6 views as" in done.stderr


def test_it_is_checked_counted_shown_and_split(rendered):
    for command in ("verify", "stats", "split", "preview"):
        done = run("dataset", command, rendered)
        assert done.returncode == 0, done.stdout + done.stderr
    page = run("dataset", "preview", rendered, "--html", "--out", rendered / "page.html")

    stats = json.loads((rendered / "stats.json").read_bytes())
    assert stats["facets"] == {"camera": {"left": 3, "right": 3}}
    assert [asset["role"] for asset in stats["assets"]] == ["scenes"]
    assert page.returncode == 0, page.stderr
    assert "left, frame 2" in (rendered / "page.html").read_text()


@pytest.fixture(name="farm_up")
def a_farm(tmp_path, monkeypatch):
    """A farm of its own, on which the package is installed; it is down in the end."""
    with farm_up(tmp_path, monkeypatch, workers=1) as storage:
        yield storage


@pytest.mark.usefixtures("farm_up")
def test_it_goes_to_a_farm_and_comes_back(scene, rendered, tmp_path):
    sent = run(
        "submit", "--recipe", "toy", "--scenes", scene, "--frames", 2, "--yes", "--json",
        "--resolution", 64, "--samples", 2,
    )  # fmt: skip
    assert sent.returncode == 0, sent.stderr
    job = json.loads(sent.stdout)["job_id"]
    waited = run("watch", job)
    fetched = run("download", job, "--output", tmp_path / "here")

    assert waited.returncode == 0, waited.stderr
    assert fetched.returncode == 0, fetched.stderr
    there = {view.record.view.name: view.record for view in farm.dataset.open(rendered)}
    here = [view.record for view in farm.dataset.open(tmp_path / "here")]
    assert len(here) == 4
    for record in here:
        assert record.title in ("cubes · left", "cubes · right")
        assert record.files["rgb"].path == there[record.view.name].files["rgb"].path
        assert boxes_of(record) == boxes_of(there[record.view.name])


def boxes_of(record) -> dict[str, tuple[float, ...] | None]:
    return {label.name: label.box_px for label in record.objects}


def test_its_flags_are_in_the_help_and_what_it_lacks_is_said(scene, tmp_path):
    shown = run("render", "--recipe", "toy", "--help").stdout
    assert "--frames" in shown
    assert "Frames of each camera" in shown
    assert "--yaw" not in shown

    for arguments, sentence in {
        ("--models", "x.obj"): "No such option: --models",
        ("--frames", 2): "scenes: is needed",
        ("--scenes", scene, "--frames", "many"): "recipe.frames: 'many' is not a whole number",
        ("--scenes", tmp_path): "scenes: ",
    }.items():
        done = run("render", "--recipe", "toy", *arguments, "--output", tmp_path / "o")
        assert done.returncode == 2
        assert sentence in done.stderr


def test_a_camera_that_is_not_there_fails_by_name(scene, tmp_path):
    done = run(
        "render", "--recipe", "toy", "--scenes", scene, "--cameras", "left,top", "--frames", 1,
        "--output", tmp_path, "--resolution", 64, "--samples", 1,
    )  # fmt: skip

    assert done.returncode == 1
    said = " ".join(done.stderr.split())
    assert "cubes.blend: it has no camera 'top'; its cameras: 'left', 'right'" in said
    assert len(farm.dataset.open(tmp_path)) == 1


def test_several_things_have_boxes_though_nobody_asked_for_an_index(scene, rendered, tmp_path):
    done = run(
        "render", "--recipe", "toy", "--scenes", scene, "--cameras", "left", "--frames", 1,
        "--output", tmp_path, "--resolution", 64, "--samples", 2,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    (view,) = farm.dataset.open(tmp_path)
    assert set(view.passes) == {"rgb", "mask"}
    first = next(view for view in farm.dataset.open(rendered) if view.record.view.frame == 1)
    assert boxes_of(view.record) == boxes_of(first.record)
    assert None not in boxes_of(view.record).values()


SPEC = """\
scenes: [{scene}]
render: {{resolution: 64, samples: 2}}
passes: [rgb, mask, depth, index]
recipe:
  kind: posed
  poses: [{poses}]
"""
POSE = "{{world_from_camera: [[1, 0, 0, 0], [0, 0, -1, -6], [0, 1, 0, 0], [0, 0, 0, 1]], lens: {}}}"
PINHOLE = POSE.format("{kind: pinhole, fx_px: 60, fy_px: 80, cx_px: 30, cy_px: 33}")
PARALLEL = POSE.format("{kind: orthographic, width: 4}")


def spec_of(path: Path, scene: Path, *poses: str) -> Path:
    path.write_text(SPEC.format(scene=scene, poses=", ".join(poses)))
    return path


def test_any_camera_goes_all_the_way(scene, tmp_path):
    spec = spec_of(tmp_path / "spec.yaml", scene, PINHOLE, PARALLEL)
    done = run("render", spec, "--output", tmp_path / "o")
    assert done.returncode == 0, done.stderr
    views = {view.record.view.name: view for view in farm.dataset.open(tmp_path / "o")}

    camera = views["cubes_0"].record.camera
    assert (camera.fx_px, camera.fy_px, camera.cx_px, camera.cy_px) == (60, 80, 30, 33)
    parallel = views["cubes_1"]
    assert parallel.record.camera.lens.px_per_unit == 16
    red = next(label for label in parallel.record.objects if label.name == "red cube")
    rows, columns = np.nonzero(
        parallel["index"] == red.indices[0]
    )  # -1.5 to -0.5, 16 pixels a unit
    assert (columns.min(), columns.max(), rows.min(), rows.max()) == (8, 23, 24, 39)
    assert parallel["depth"][32, 16] == 5.5
    for command in ("verify", "stats", "preview"):
        told = run("dataset", command, tmp_path / "o")
        assert told.returncode == 0, told.stdout + told.stderr
    refused = run("dataset", "export", tmp_path / "o", "--to", "bop", "--out", tmp_path / "bop")
    assert refused.returncode == 2
    assert "its camera is orthographic, but BOP supports only pinholes" in " ".join(
        refused.stderr.split()
    )


@pytest.mark.usefixtures("farm_up")
def test_a_farm_refuses_a_camera_that_cannot_be(tmp_path):
    """What the command would refuse is sent by hand: the farm looks itself."""
    site = FarmFolder(tmp_path / "farm")
    headers = {"Authorization": f"Bearer {site.secrets().admin_token}"}
    scene = an_asset("cubes.blend", kind="scene").model_dump(mode="json")
    scene |= {"path": "cubes.blend", "in_library": True}
    stretched = [[3, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]
    plain = [[1, 0, 0, 0], *stretched[1:]]
    blind = {"kind": "fisheye_polynomial", "k1": 1, "fov_deg": 0}
    for pose, sentence in (
        ({"world_from_camera": stretched}, "it scales by 3, 1, 1 along its axes: give a rotation"),
        ({"world_from_camera": plain, "lens": blind}, "fov_deg: 0 is not more than 0"),
    ):
        spec = {"recipe": {"kind": "posed", "poses": [pose]}}
        sent = httpx.post(
            f"{site.state().url}/v1/jobs", headers=headers, json={"spec": spec, "assets": [scene]}
        )
        assert sent.status_code == 422
        assert sentence in sent.json()["detail"]
        assert "poses.0" in sent.json()["detail"]


def test_a_camera_that_cannot_be_is_told_before_anything_is_rendered(scene, tmp_path):
    spec = spec_of(tmp_path / "spec.yaml", scene, PINHOLE.replace("[1, 0, 0, 0]", "[3, 0, 0, 0]"))

    done = run("render", spec, "--output", tmp_path / "o")

    assert done.returncode == 2
    assert "it scales by 3, 1, 1 along its axes: give a rotation" in " ".join(done.stderr.split())
    assert not (tmp_path / "o").exists()
