"""What a form asks: which files belong together, what fields mean, how large a job would be."""

from __future__ import annotations

import hashlib
import json
import shlex
import struct
import subprocess
import sys
from importlib.util import find_spec

import pytest
import yaml

from farm.api.asking.picked import ELSEWHERE
from farm.cli.request.request import read_request
from farm.client import Client
from farm.client.home import Home
from farm.job_store import prefix_of
from farm.ledger.model import Work
from farm.spec.job import make_job
from farm.spec.recipes.sod import SodRig
from farm.spec.scene_facts import SceneFacts
from farm.spec.wire import Submission
from tests.integration.api.test_requests import problem
from tests.support.farms.api_server import HDR, MODEL, ApiServer, a_submission, asset, body
from tests.support.farms.galleries import emptied

GLTF = {
    "asset": {"version": "2.0"},
    "buffers": [{"uri": "chair.bin", "byteLength": 3}],
    "images": [{"uri": "tex/wood%20a.png"}, {"uri": "data:image/png;base64,AA"}],
}


@pytest.fixture(scope="module")
def api(redis_server, tmp_path_factory):
    emptied(redis_server.url)
    with ApiServer(redis_server.url, tmp_path_factory.mktemp("api")) as server:
        for data in (MODEL, HDR):
            server.upload(data)
        yield server


def needs(api, files, *, role="models", of="submit"):
    """Ask what files need: path -> contents of those that are read, None of all others."""
    for data in files.values():
        if data is not None:
            api.upload(data)
    sent = [
        {"path": path, "sha256": None if data is None else hashlib.sha256(data).hexdigest()}
        for path, data in files.items()
    ]
    return api.client(of).post("/v1/assets/needs", json={"role": role, "files": sent})


def told(answer):
    """Return path -> what each asset needs, and the remarks."""
    assert answer.status_code == 200, answer.text
    found = answer.json()
    return {
        asset["path"]: {each["path"]: each["of"] for each in asset["needs"]}
        for asset in found["assets"]
    }, found["remarks"]


FORMATS = {
    "gltf": (
        {"set/chair.gltf": json.dumps(GLTF).encode(), "set/chair.bin": None,
         "set/tex/wood a.png": None, "set/notes.txt": None},
        "set/chair.gltf",
        {"chair.bin": "set/chair.bin", "tex/wood a.png": "set/tex/wood a.png"},
    ),
    "obj": (
        {"set/a/chair.obj": b"mtllib ../mats/chair.mtl\nusemtl wood\nf 1 2 3\n",
         "set/mats/chair.mtl": b"newmtl wood\nmap_Kd -s 1 1 1 wood.png\n",
         "set/mats/wood.png": None},
        "set/a/chair.obj",
        {"../mats/chair.mtl": "set/mats/chair.mtl", "../mats/wood.png": "set/mats/wood.png"},
    ),
    "usda": (
        {"set/room.usda": b"#usda 1.0\n( subLayers = [@./parts/lamp.usda@] )\n",
         "set/parts/lamp.usda": b'#usda 1.0\ndef "a" { asset f = @../tex/red.png@ }\n',
         "set/tex/red.png": None},
        "set/room.usda",
        {"parts/lamp.usda": "set/parts/lamp.usda", "tex/red.png": "set/tex/red.png"},
    ),
    "fbx": (
        {"set/chair.fbx": b'; FBX 7\nRelativeFilename: "tex\\wood.png"\n',
         "set/tex/wood.png": None},
        "set/chair.fbx",
        {"tex/wood.png": "set/tex/wood.png"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("format_", FORMATS)
def test_what_a_model_needs_is_found_among_what_was_picked(api, format_):
    files, model, wanted = FORMATS[format_]

    found, remarks = told(needs(api, files))
    assert found[model] == wanted
    assert remarks == []


@pytest.mark.parametrize("format_", FORMATS)
def test_what_is_missing_is_told_before_it_is_uploaded(api, format_):
    files, model, wanted = FORMATS[format_]
    gone = next(path for path in files if path.endswith(".png"))

    found, remarks = told(needs(api, {path: files[path] for path in files if path != gone}))
    assert gone not in found[model].values()
    lost = next(path for path, of in wanted.items() if of == gone)
    assert f"{model} needs {lost}, which was not picked" in remarks


@pytest.mark.parametrize("format_", FORMATS)
def test_files_that_were_picked_without_their_folders_are_found_by_name(api, format_):
    files, model, wanted = FORMATS[format_]
    flat = {path.rpartition("/")[2]: data for path, data in files.items()}

    found, remarks = told(needs(api, flat))
    # a `..` that leads above what was picked is nobody's to follow; an .fbx is read as Blender does
    above = {path for path in wanted if path.startswith("../")}
    name = model.rpartition("/")[2]
    assert found[name] == {
        of.rpartition("/")[2] if format_ == "fbx" else path: of.rpartition("/")[2]
        for path, of in wanted.items()
        if path not in above
    }
    assert any(sentence.startswith(f"{name} needs") for sentence in remarks) == bool(above)


BLEND = """
import bpy, sys
bpy.ops.wm.read_factory_settings(use_empty=True)
image = bpy.data.images.new("wood", 4, 4)
image.source, image.filepath, image.use_fake_user = "FILE", sys.argv[2], True
bpy.ops.wm.save_as_mainfile(filepath=sys.argv[1], check_existing=False, relative_remap=False)
"""


def a_blend(file, texture):
    """Return the bytes of a .blend that names a texture."""
    command = [sys.executable, "-c", BLEND, str(file), texture]
    subprocess.run(command, check=True, capture_output=True)
    return file.read_bytes()


@pytest.mark.skipif(find_spec("bpy") is None, reason="Blender writes the file")
def test_a_blend_brings_its_textures(api, tmp_path):
    file = tmp_path / "chair.blend"
    data = a_blend(file, "//tex/wood.png")
    found, remarks = told(needs(api, {"set/chair.blend": data, "set/tex/wood.png": None}))
    assert (found, remarks) == ({"set/chair.blend": {"tex/wood.png": "set/tex/wood.png"}}, [])
    _, remarks = told(needs(api, {"set/chair.blend": data}))
    assert remarks == ["set/chair.blend needs tex/wood.png, which was not picked"]
    found, remarks = told(needs(api, {"chair.blend": data, "wood.png": None}))
    assert (found, remarks) == ({"chair.blend": {"tex/wood.png": "wood.png"}}, [])
    (tmp_path / "there.png").write_bytes(b"x")
    for name in ("there.png", "absent.png"):
        data = a_blend(file, str(tmp_path / name))
        found, remarks = told(needs(api, {"chair.blend": data}))
        assert found == {"chair.blend": {}}
        assert remarks == [f"chair.blend {ELSEWHERE}"]


def test_a_script_brings_the_modules_beside_it(api):
    files = {"s/main.py": b"import shapes\nimport json\n", "s/shapes.py": b"x = 1\n"}

    found, _ = told(needs(api, files, role="script", of="script"))
    assert found["s/main.py"] == {"shapes.py": "s/shapes.py"}


def test_sidecars_say_who_made_an_asset_and_what_is_part_of_it(api):
    files = {
        "set/room.glb": struct.pack("<4sIII4s", b"glTF", 2, 22, 2, b"JSON") + b"{}",
        "set/room.glb.json": b'{"author": "Ada", "license": "CC0-1.0", "tags": ["room"]}',
    }
    answer = needs(api, files).json()

    [asset] = answer["assets"]
    assert asset["credit"]["author"] == "Ada"
    assert asset["credit"]["licence"] == "CC0-1.0"


def test_nothing_beyond_what_was_picked_is_looked_at(api, tmp_path):
    """A model may name any file of the server: its answer is the same whether that is there."""
    (tmp_path / "secret.mtl").write_text("newmtl a\nmap_Kd hidden-word.png\n")
    (tmp_path / "secret.usda").write_text('#usda 1.0\ndef "a" { asset f = @hidden-word.png@ }\n')
    (tmp_path / "secret.1001.png").write_bytes(b"x")
    up = f"../../../../../../..{tmp_path}"
    for name, text in (
        ("c.obj", f"mtllib {tmp_path}/secret.mtl other.mtl\nusemtl a\n"),
        ("d.obj", f"mtllib {tmp_path}/SECRET.mtl\nusemtl a\n"),
        ("e.usda", f'#usda 1.0\ndef "a" {{ asset f = @{up}/secret.<UDIM>.png@ }}\n'),
        ("f.fbx", f'; FBX\nRelativeFilename: "{up}/secret.1001.png"\n'),
        ("a.obj", f"mtllib {tmp_path}/secret.mtl\nusemtl a\n"),
        ("b.usda", f"#usda 1.0\n( subLayers = [@../../../../..{tmp_path}/secret.usda@] )\n"),
    ):
        answer = needs(api, {name: text.encode()})
        there = answer.text
        assert "hidden-word" not in there
        assert answer.json()["assets"][0]["needs"] == []
        other = text.replace("secret", "absent").replace("SECRET", "ABSENT")
        gone = needs(api, {name: other.encode()}).text
        assert there.replace("secret", "absent").replace("SECRET", "ABSENT") == gone


@pytest.mark.parametrize(
    "path", ["../a.obj", "/etc/a.obj", "a//b.obj", "a\\b.obj", "a/./b.obj", "x\0.obj"]
)
def test_paths_are_plain(api, path):
    sent = {"role": "models", "files": [{"path": path, "sha256": None}]}

    problem(api.client("submit").post("/v1/assets/needs", json=sent), 422)


def test_files_that_cannot_lie_beside_each_other_are_told(api):
    assert "beside each other" in problem(needs(api, {"a": None, "a/b.png": None}), 422)["detail"]


def test_what_is_looked_into_must_be_the_caller_s(api):
    sent = {"role": "models", "files": [{"path": "a.obj", "sha256": "0" * 64}]}
    told_ = problem(api.client("submit").post("/v1/assets/needs", json=sent), 422)
    assert told_["detail"] == "a.obj is not in the library"
    sent["files"][0]["sha256"] = None
    problem(api.client("submit").post("/v1/assets/needs", json=sent), 422)
    sent["role"] = "kings"
    problem(api.client("submit").post("/v1/assets/needs", json=sent), 422)
    problem(api.client("read").post("/v1/assets/needs", json=sent), 403)


def test_a_form_makes_the_very_job_that_farm_submit_makes(api, tmp_path):
    """One request, one job: by its id, whoever sends it."""
    files, model, wanted = FORMATS["obj"]
    whole = files | {"set/mats/wood.png": b"wood"}
    for path, data in whole.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(data)
    sky = b"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y 8 +X 16\n" + bytes(512)
    (tmp_path / "sky.hdr").write_bytes(sky)
    for data in (*whole.values(), sky):
        api.upload(data)
    hashed = {path: (hashlib.sha256(data).hexdigest(), len(data)) for path, data in whole.items()}
    hashed["sky.hdr"] = (hashlib.sha256(sky).hexdigest(), len(sky))

    def sized(path):
        return {"sha256": hashed[path][0], "size_bytes": hashed[path][1]}

    client = api.client("submit")
    beside = [{"path": path, **sized(of)} for path, of in sorted(wanted.items())]
    sent = [
        {"role": "models", "name": "chair.obj", **sized(model), "needs": beside},
        {"role": "hdrs", "name": "sky.hdr", **sized("sky.hdr")},
    ]
    assets = client.post("/v1/assets/named", json={"files": sent, "recipe": "sod"}).json()
    filled = {
        "fields": {"recipe.yaw": "3", "recipe.pitch": "2", "render.resolution": "64"},
        "assets": {"models": [model], "hdrs": ["sky.hdr"]},
        "name": "it's a chair",
        "priority": 5,
    }
    read = client.post("/v1/specs/read", json=filled).json()
    assert read["faults"] == []
    submission = {"spec": read["spec"], "assets": assets}
    made = client.post("/v1/jobs", json=submission).json()["job_id"]

    words = shlex.split(read["command"])
    assert words[-4:] == ["--name", "it's a chair", "--priority", "5"]
    assert words[:6] == ["farm", "submit", "--models", model, "--hdrs", "sky.hdr"]
    sets = [words[at + 1] for at, word in enumerate(words) if word == "--set"]
    spec, _ = read_request([], {"models": [str(tmp_path / model)],
                                "hdrs": [str(tmp_path / "sky.hdr")]}, sets)  # fmt: skip
    with Client(api.url, api.tokens["submit"], home=Home(tmp_path / "c", tmp_path / "d")) as farm:
        assert farm.prepare(spec, base=tmp_path).job.job_id == made
    again = yaml.safe_load(read["yaml"])
    assert again["models"] == [model]
    assert again["recipe"] == {"yaw": 3, "pitch": 2}
    job = api.services.book.load(made)
    assert job.prefix == prefix_of(made)
    assert [each.path for each in job.assets[0].dependencies] == sorted(wanted)


# Specs


def read(api, **filled):
    answer = api.client("submit").post("/v1/specs/read", json=filled)
    assert answer.status_code == 200, answer.text
    return answer.json()


FILES = {"models": ["a.glb"], "hdrs": ["b.exr"]}


def test_each_mistake_is_told_with_its_field(api):
    fields = {"render.resolution": "7", "recipe.yaw": "0", "recipe.yew": "3", "seed": "[1"}
    found = read(api, fields=fields, assets=FILES)
    assert [fault["field"] for fault in found["faults"]] == ["seed"]
    del fields["seed"]
    found = read(api, fields=fields, assets=FILES)
    told_ = {fault["field"]: fault["sentence"] for fault in found["faults"]}
    assert set(told_) == {"render.resolution", "recipe.yaw", "recipe.yew"}
    assert "did you mean 'yaw'?" in told_["recipe.yew"]
    assert found["spec"] is None
    assert read(api, fields={}, assets={"models": ["a.glb"]})["faults"][0]["field"] == "hdrs"


def test_a_spec_s_file_is_read_field_by_field(api):
    text = """
models: things/*.glb
hdrs: [skies/]
recipe: {kind: sod, mode: augmented, strength: [0.7, 1.5], randomise: {exposure: {ev: 1..2}}}
render: {resolution: 1280x720}
passes: [rgb, depth]
"""
    found = read(api, text=text)

    assert found["assets"] == {"models": ["things/*.glb"], "hdrs": ["skies/"]}
    fields = found["fields"]
    assert (fields["recipe.mode"], fields["recipe.strength"]) == ("augmented", "[0.7, 1.5]")
    assert fields["recipe.randomise"] == '{"exposure": {"ev": "1..2"}}'
    again = read(api, fields=fields, assets=found["assets"])
    assert again["spec"] == found["spec"]
    assert again["spec"]["render"]["resolution"] == [1280, 720]
    assert read(api, text=json.dumps({"seed": 4}))["fields"] == {"seed": "4"}


@pytest.mark.parametrize(
    "text",
    [
        "- a\n",
        "a: [",
        "when: 2024-01-01\n",
        "1: 2\n",
        "x: .nan\n",
        "just words",
        '"a": "\\ud800"',
        '"\\ud800": 1',
    ],
)
def test_what_is_no_spec_is_told(api, text):
    found = read(api, text=text)

    assert found["spec"] is None
    assert "the file" in found["faults"][0]["sentence"]


def test_tables_of_words_and_trajectories_come_from_files(api):
    fields = {"recipe.kind": "tabletop", "recipe.words": '"words.yaml"'}
    words = "mug.glb: {noun: mug}\n"
    files = {"objects": ["mug.glb"]}

    found = read(api, fields=fields, assets=files, files={"words.yaml": words})
    assert found["faults"] == []
    assert found["spec"]["recipe"]["words"]["mug.glb"]["noun"] == "mug"
    assert "recipe.words=words.yaml" in found["command"]
    missing = read(api, fields=fields, assets=files)["faults"][0]["sentence"]
    half = {"words.yaml": 'mug.glb: {noun: "m\\ud800g"}'}
    told_ = read(api, fields=fields, assets=files, files=half)["faults"][0]["sentence"]
    assert told_.startswith("words.yaml")
    assert missing == "words.yaml: this file was not picked, and the spec names it"


@pytest.mark.parametrize("value", ["it's", "a b", "", "#x", "- a", "yes", "1e3", "{a: 1}", "é"])
def test_a_command_says_what_was_filled_in_whatever_it_is(api, value):
    found = read(api, fields={"dataset_name": json.dumps(value or "x")}, assets=FILES)

    words = shlex.split(found["command"])
    sets = [words[at + 1] for at, word in enumerate(words) if word == "--set"]
    assert sets[0].startswith("dataset_name=")
    assert yaml.safe_load(sets[0].partition("=")[2]) == (value or "x")


# Plans and samples


def test_a_plan_says_views_bytes_and_time_and_keeps_nothing(api):
    sent = body(a_submission(seed=70))
    before = api.stored()
    client = api.client("submit")

    plan = client.post("/v1/jobs/plan", json=sent).json()
    assert plan["sentence"].startswith("8 views in 4 tasks, about ")
    assert plan["sentence"].endswith("no worker is alive now.")
    assert (plan["job"]["state"], plan["datasets"], plan["seconds"]) == ("valid", 1, None)
    assert plan["size_bytes"] > 8 * 640 * 640
    assert api.stored() == before
    api.ledger.heartbeat("w0", {"name": "w0", "device": "cpu"}, 60)
    api.ledger.tell_work("w0", Work(views_per_s=2.0))
    plan = client.post("/v1/jobs/plan", json=sent).json()
    assert plan["seconds"] == 4.0
    assert plan["sentence"].endswith("roughly 4 s on 1 worker.")
    client.post("/v1/jobs", json=sent)
    assert "is here already" in client.post("/v1/jobs/plan", json=sent).json()["sentence"]
    problem(api.client("read").post("/v1/jobs/plan", json=sent), 403)


def test_a_sample_is_one_small_view_before_all_others(api):
    sent = body(a_submission(seed=71, passes=["rgb", "depth"], render={"resolution": 2048}))
    job = api.client("submit").post("/v1/jobs/sample", json=sent)

    assert job.status_code == 201, job.text
    info = job.json()
    assert (info["name"], info["views"], info["priority"]) == ("sample", 1, 100)
    kept = api.services.book.load(info["job_id"])
    assert kept.render.resolution_px == (256, 256)
    assert len(kept.assets) == 2


@pytest.mark.parametrize(
    "rig",
    [
        {"rig": "zero123plus", "stereo": 0.1},
        {"rig": "wonder3d"},
        {"rig": "trellis"},
        {"elevations": "0,20", "azimuths": "0:360:45", "fit": True},
    ],
    ids=str,
)
def test_a_sample_of_a_rig_is_one_view(api, rig):
    """Also where the number of its views is fixed."""
    sent = body(a_submission(recipe={"kind": "sod", **rig}))
    whole = api.client("submit").post("/v1/jobs/plan", json=sent).json()["job"]["views"]
    made = api.client("submit").post("/v1/jobs/sample", json=sent)

    assert made.status_code == 201, made.text
    assert (
        whole
        > made.json()["views"]
        == len(api.services.book.load(made.json()["job_id"]).of("hdrs"))
    )
    kept = api.services.book.load(made.json()["job_id"]).spec.recipe
    asked = SodRig.model_validate(rig)
    assert (kept.stands_in, kept.spans, kept.fit) == (asked.stands_in, asked.spans, asked.fit)


SCENE = SceneFacts(fps=24.0, frame_start=1, frame_end=9, cameras=("a",), camera="a")
ASKED = {
    "sequence": ("scenes", asset("scene", "room.blend", MODEL, scene=SCENE), {"frames": 4}),
    "tabletop": (
        "objects",
        asset("model", "cup.glb", MODEL, role="objects"),
        {"scenes": 3, "per_scene": "1..2", "min_visible": 1},
    ),
    "script": ("script", asset("script", "main.py", MODEL, role="script"), {"views": 7}),
}


def test_a_plan_says_that_scenes_are_prepared_before_their_views(api):
    role, one, fields = ASKED["tabletop"]
    spec = {"recipe": {"kind": "tabletop", **fields}, role: [one.name]}
    sent = body(Submission.model_validate({"spec": spec, "assets": [one]}))
    api.ledger.heartbeat("w1", {"name": "w1", "device": "cpu"}, 60)
    api.ledger.tell_work("w1", Work(views_per_s=2.0))

    plan = api.client("submit").post("/v1/jobs/plan", json=sent).json()
    assert plan["sentence"].endswith("once its scenes are prepared.")


@pytest.mark.parametrize("recipe", ASKED)
def test_a_sample_of_any_recipe_is_one_view(api, recipe):
    role, one, fields = ASKED[recipe]
    spec = {"recipe": {"kind": recipe, **fields}, role: [one.name]}
    spec |= {"passes": ["rgb", "mask", "flow_forward"]} if recipe == "sequence" else {}
    sent = body(Submission.model_validate({"spec": spec, "assets": [one]}))
    sent |= {"name": None}

    assert api.client("script").post("/v1/jobs/plan", json=sent).json()["job"]["views"] > 1
    made = api.client("script").post("/v1/jobs/sample", json=sent)
    assert made.status_code == 201, made.text
    assert made.json()["views"] == 1
    if recipe == "script":
        assert (
            "the role script"
            in problem(api.client("submit").post("/v1/jobs/sample", json=sent), 403)["detail"]
        )


def test_recipes_say_why_they_cannot_be_had(api, monkeypatch):
    def why(role):
        found = api.client(role).get("/v1/recipes").json()["recipes"]
        return {each["name"]: each["why_not"] for each in found}

    assert why("script")["script"] is None
    assert "the role script" in why("submit")["script"].replace("a token with ", "")
    assert why("submit")["sod"] is None
    monkeypatch.setattr("farm.api.asking.forms.is_installed", lambda: False)
    assert "Blender, which this server does not have" in why("submit")["sequence"]


def test_files_of_two_roles_are_told_apart(api):
    files = [
        {"role": role, "name": "wood.glb", "sha256": letter * 64, "size_bytes": 1}
        for role, letter in (("objects", "a"), ("distractors", "b"), ("objects", "a"))
    ]
    sent = {"files": files, "recipe": "tabletop"}
    named = api.client("submit").post("/v1/assets/named", json=sent).json()
    assert [asset["role"] for asset in named] == ["objects", "distractors"]
    spec = {"objects": ["wood.glb"], "distractors": ["wood.glb"], "recipe": {"kind": "tabletop"}}
    submission = Submission.model_validate({"spec": spec, "assets": named})
    assert make_job(submission.spec, submission.assets).job_id
