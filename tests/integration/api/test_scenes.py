"""Scenes of which nothing is known when they are submitted: the server looks, or says why not."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("bpy", reason="needs the worker's install (bpy)")

import redis

from farm.api.submission import scenes
from farm.spec.asset import AssetFile
from farm.spec.job import JobSpec
from farm.spec.scene_facts import Clip, SceneFacts
from farm.spec.wire import Submission
from tests.support.farms.api_server import ApiServer, asset, body

WRITE = """\
import sys, bpy
folder = sys.argv[-1]
bpy.ops.wm.read_factory_settings(use_empty=True)
bpy.ops.mesh.primitive_cube_add()
bpy.context.object.name = "part"
bpy.ops.wm.save_as_mainfile(filepath=folder + "/parts.blend")
bpy.ops.wm.read_factory_settings(use_empty=True)
with bpy.data.libraries.load(folder + "/parts.blend", link=True, relative=False) as (_, target):
    target.objects = ["part"]
scene = bpy.context.scene
scene.collection.objects.link(target.objects[0])
camera = bpy.data.objects.new("eye", bpy.data.cameras.new("eye"))
scene.collection.objects.link(camera)
scene.camera = camera
scene.render.fps, scene.frame_end = 30, 12
bpy.ops.wm.save_as_mainfile(filepath=folder + "/scenes/room.blend", relative_remap=True)
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A scene that shows a part of a file in the folder above."""
    made = tmp_path_factory.mktemp("made")
    (made / "scenes").mkdir()
    subprocess.run([sys.executable, "-c", WRITE, str(made)], check=True, capture_output=True)
    return made


@pytest.fixture(scope="module")
def api(redis_server, tmp_path_factory):
    with redis.Redis.from_url(redis_server.url) as client:
        client.flushall()
    with ApiServer(redis_server.url, tmp_path_factory.mktemp("api")) as server:
        yield server


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def room(folder: Path, facts: SceneFacts | None = None, **recipe) -> Submission:
    parts = (folder / "parts.blend").read_bytes()
    file = AssetFile(
        path="../parts.blend", sha256=hashlib.sha256(parts).hexdigest(), size_bytes=len(parts)
    )
    scene = asset("scene", "room.blend", (folder / "scenes/room.blend").read_bytes())
    spec = JobSpec.model_validate(
        {"recipe": {"kind": "sequence", **recipe}, "scenes": ("room.blend",)}
    )
    known = scene.model_copy(update={"dependencies": (file,), "scene": facts})
    return Submission(spec=spec, assets=(known,))


def submit(api, submission, **params):
    return api.client("submit").post("/v1/jobs", json=body(submission), params=params)


def test_files_must_be_there_before_the_server_can_look(api, folder):
    answer = submit(api, room(folder), validate_only="true")

    assert answer.status_code == 422
    assert "does not have all files yet" in answer.json()["detail"]
    assert answer.json()["remedy"].startswith("upload the files first")


def test_the_server_looks_into_scenes_with_all_their_files(api, folder):
    api.upload((folder / "scenes/room.blend").read_bytes())
    api.upload((folder / "parts.blend").read_bytes())

    answer = submit(api, room(folder, frames=5, sequences_per_scene=2))

    assert answer.status_code == 201, answer.text
    assert answer.json()["views"] == 10
    job = api.services.book.load(answer.json()["job_id"])
    assert job.assets[0].scene == SceneFacts(
        fps=30.0, frame_start=1, frame_end=12, cameras=("eye",), camera="eye", is_dark=True
    )


def test_what_is_wrong_with_a_scene_is_a_sentence(api, folder):
    api.upload((folder / "scenes/room.blend").read_bytes())
    lonely = room(folder)
    alone = lonely.assets[0].model_copy(update={"dependencies": ()})

    answer = submit(api, lonely.model_copy(update={"assets": (alone,)}))

    assert answer.status_code == 422
    assert "room.blend: the linked file parts.blend is missing" in answer.json()["detail"]


def test_a_server_without_the_worker_says_who_can_look(api, folder, monkeypatch):
    monkeypatch.setattr(scenes, "is_installed", lambda: False)

    answer = submit(api, room(folder))

    assert answer.status_code == 422
    assert answer.json()["detail"].startswith("scenes: room.blend: its frames and cameras are not")
    assert "pip install 'viewfarm[worker]'" in answer.json()["remedy"]


FACTS = SceneFacts(fps=24.0, frame_start=1, frame_end=10, cameras=("eye",), camera="eye")


def test_what_a_client_says_of_scenes_is_taken(api, folder, monkeypatch):
    monkeypatch.setattr(scenes, "is_installed", lambda: False)

    answer = submit(api, room(folder, FACTS), validate_only="true")

    assert answer.status_code == 200, answer.text
    assert answer.json()["views"] == 10


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        pytest.param({"frame_end": 0}, "frames 1 to 0 are not a range", id="reversed"),
        pytest.param({"frame_end": 10**9}, "frames 1 to 1000000000 are not", id="endless"),
        pytest.param({"fps": 1e9}, "fps: 1000000000.0 is not between", id="fast"),
        pytest.param({"camera": "ear"}, "camera: 'ear' is not one of its cameras", id="camera"),
        pytest.param({"cameras": ("eye", "x" * 2_000_000)}, "has more than", id="large"),
        pytest.param(
            {"clips": (Clip(name="a", frame_start=9, frame_end=3),)},
            "scene.clips.0: frames 9 to 3 are not a range",
            id="clip",
        ),
        pytest.param(
            {"clips": (Clip(name="a", frame_start=1, frame_end=3),) * 2},
            "clips: two have the same name",
            id="twice",
        ),
    ],
)
def test_what_cannot_be_true_of_a_scene_is_refused(api, folder, changes, sentence):
    answer = submit(api, room(folder, FACTS.model_copy(update=changes)))

    assert answer.status_code == 422
    assert sentence in answer.json()["detail"]


LAPTOP = """\
import sys
sys.modules["bpy"] = None
sys.argv[0] = "farm"
from farm.cli.main import main
main()
"""


def test_a_laptop_without_blender_lets_the_farm_look(api, folder, tmp_path):
    def farm(*args):
        environment = {
            "XDG_CONFIG_HOME": str(tmp_path / "config"), "HOME": str(tmp_path),
            "FARM_URL": api.url, "FARM_TOKEN": api.tokens["submit"],
        }  # fmt: skip
        return subprocess.run(
            [sys.executable, "-c", LAPTOP, *args],
            env=os.environ | environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    (folder / "scenes/parts.blend").unlink(missing_ok=True)
    flags = ("--recipe", "sequence", "--scenes", str(folder / "scenes/room.blend"), "--frames", "7")
    plan = farm("submit", *flags, "--dry-run")
    assert plan.returncode == 2
    assert "a plan needs a look into the scenes" in plan.stderr

    done = farm("submit", *flags, "--yes", "--json")

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["views"] == 7
    assert "the farm looks into the scenes" in done.stderr


def test_a_shutter_and_its_passes_need_each_other(api, folder, monkeypatch):
    monkeypatch.setattr(scenes, "is_installed", lambda: False)
    wrong = body(room(folder, FACTS))
    wrong["spec"]["passes"] = ["rgb", "blur"]

    answer = api.client("submit").post("/v1/jobs", json=wrong)
    assert answer.status_code == 422
    assert "blur: is made while a shutter is open: say how long" in answer.json()["detail"]

    answer = submit(api, room(folder, FACTS, shutter=0.5), validate_only="true")
    assert answer.status_code == 422
    assert "shutter: none of the passes shows it" in answer.json()["detail"]
