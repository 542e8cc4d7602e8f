"""Uploaded models that name files of others, in each format that can: behind walls they see none.

The others' files are harmless: a red picture, a red material, a red thing. What they are is seen in
the colour of what is rendered.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import struct
import subprocess
import sys
import warnings
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import bpy
import numpy as np
import pytest
from PIL import Image

from farm.dataset.images import decode_pass
from farm.library import Library
from farm.spec.asset import Asset, AssetFile
from farm.spec.record import ViewRecord
from farm.spec.task import RenderTask, records_key
from farm.storage import FolderStorage
from tests.blender.guards.test_file_access import textured, with_nodes
from tests.blender.guards.test_strangers import gltf
from tests.support.blender.scenes import a_material, add_box, asset_of, blend_file, write_sky
from tests.support.blender.shots import some_view, task_of
from tests.support.waiting import wait_for
from worker.blender.guards import disarm
from worker.sandbox import landlock

needs_landlock = pytest.mark.skipif(not landlock.version(), reason="no Landlock on this system")

CORNERS = "v 0 0 0\nv 1 0 0\nv 0 1 0\nv 0 0 1\nvt 0 0\nvt 1 0\nvt 0 1\n"
SIDES = ((1, 3, 2), (1, 2, 4), (2, 3, 4), (1, 4, 3))
FACES = "".join(f"f {a}/1 {b}/2 {c}/3\n" for a, b, c in SIDES)
USD = """#usda 1.0
( upAxis = "Z"
  {layer} )
def Xform "thing" {{
  def Mesh "{name}" ( prepend apiSchemas = ["MaterialBindingAPI"] {arc} ) {{
    int[] faceVertexCounts = [3, 3, 3, 3]
    int[] faceVertexIndices = [0, 2, 1, 0, 1, 3, 1, 2, 3, 0, 3, 2]
    point3f[] points = [(0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1)]
    texCoord2f[] primvars:st = [(0, 0), (1, 0), (0, 1), (1, 1)] ( interpolation = "vertex" )
    rel material:binding = </thing/paint>
  }}
  def Material "paint" {{
    token outputs:surface.connect = </thing/paint/shader.outputs:surface>
    def Shader "shader" {{
      uniform token info:id = "UsdPreviewSurface"
      color3f inputs:diffuseColor{colour}
      token outputs:surface
    }}
    def Shader "picture" {{
      uniform token info:id = "UsdUVTexture"
      asset inputs:file = @{picture}@
      float2 inputs:st.connect = </thing/paint/st.outputs:result>
      float3 outputs:rgb
    }}
    def Shader "st" {{
      uniform token info:id = "UsdPrimvarReader_float2"
      string inputs:varname = "st"
      float2 outputs:result
    }}
  }}
  {more}
}}
"""
SHOWN = ".connect = </thing/paint/picture.outputs:rgb>"
GREY, RED = " = (0.5, 0.5, 0.5)", " = (1, 0, 0)"


def usd(path: Path, **parts: str) -> Path:
    plain = {"name": "own", "colour": GREY, "picture": "", "layer": "", "arc": "", "more": ""}
    path.write_text(USD.format(**(plain | parts)))
    return path


class Others:
    """What somebody else has on the worker's machine."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.folder = folder
        Image.new("RGB", (8, 8), (255, 0, 0)).save(self.picture)
        (folder / "red.mtl").write_text("newmtl paint\nKd 1 0 0\n")
        usd(folder / "red.usda", name="own", colour=RED)
        (folder / "large.stl").write_text(
            "solid a\nfacet normal 0 0 1\nouter loop\nvertex 0 0 0\nvertex 9 0 0\nvertex 0 9 1\n"
            "endloop\nendfacet\nendsolid a\n"
        )
        with blend_file(folder / "red.blend") as scene:
            add_box(scene, name="red", material=a_material(colour=(1.0, 0.0, 0.0, 1.0)))

    @property
    def picture(self) -> Path:
        return self.folder / "red.png"


def of_blend(path: Path, others: Others) -> None:
    with blend_file(path) as scene:
        textured(scene, others.picture)


def of_blend_sequence(path: Path, others: Others) -> None:
    with blend_file(path) as scene:
        textured(scene, others.picture, "SEQUENCE")


def of_blend_library(path: Path, others: Others) -> None:
    with blend_file(path) as scene:
        with bpy.data.libraries.load(str(others.folder / "red.blend"), link=True) as (_, target):
            target.objects = ["red"]
        add_box(scene, name="own", size=(0.2, 0.2, 0.2), material=a_material(colour=(0, 1, 0, 1)))
        scene.collection.objects.link(target.objects[0])


def of_blend_node(path: Path, others: Others) -> None:
    with blend_file(path) as scene:
        with_nodes(scene, "GeometryNodeImportSTL", str(others.folder / "large.stl"))


def of_gltf(path: Path, others: Others) -> None:
    gltf(path, image=str(others.picture))


def of_gltf_above(path: Path, others: Others) -> None:
    gltf(path, image="../" * 24 + str(others.picture).lstrip("/"))


def of_gltf_buffer(path: Path, others: Others) -> None:
    gltf(path, buffer=str(others.picture))


def of_obj(path: Path, others: Others) -> None:
    path.with_name("own.mtl").write_text(f"newmtl paint\nmap_Kd {others.picture}\n")
    path.write_text(f"mtllib own.mtl\n{CORNERS}usemtl paint\n{FACES}")


def of_obj_materials(path: Path, others: Others) -> None:
    above = "../" * 24 + str(others.folder / "red.mtl").lstrip("/")
    path.write_text(f"mtllib {above}\n{CORNERS}usemtl paint\n{FACES}")


def of_usd(path: Path, others: Others) -> None:
    usd(path, colour=SHOWN, picture=str(others.picture))


def of_usd_reference(path: Path, others: Others) -> None:
    thing = f"@{others.folder / 'red.usda'}@</thing>"
    usd(path, more=f'def Xform "theirs" ( references = {thing} ) {{}}')


def of_usd_payload(path: Path, others: Others) -> None:
    thing = f"@{others.folder / 'red.usda'}@</thing>"
    usd(path, more=f'def Xform "theirs" ( payload = {thing} ) {{}}')


def of_usd_sublayer(path: Path, others: Others) -> None:
    path.write_text(
        f'#usda 1.0\n( subLayers = [ @{others.folder / "red.usda"}@ ] )\nover "thing" {{}}\n'
    )


def of_usdz(path: Path, others: Others) -> None:
    inner = usd(path.with_suffix(".usda"), colour=SHOWN, picture=str(others.picture))
    with zipfile.ZipFile(path, "w") as file:
        info = zipfile.ZipInfo(inner.name)
        info.extra = struct.pack("<HH", 0x1986, 64 - 34 - len(info.filename)) + bytes(
            64 - 34 - len(info.filename)
        )
        file.writestr(info, inner.read_text())
    inner.unlink()


@contextlib.contextmanager
def pictured_box(others: Others) -> Iterator[None]:
    """A box with a picture in Blender's own scene, to be exported."""
    before = {block.session_uid for block in bpy.data.user_map()}
    material = a_material()
    texture = material.node_tree.nodes.new("ShaderNodeTexImage")
    texture.image = bpy.data.images.load(str(others.picture))
    shader = material.node_tree.nodes["Principled BSDF"]
    material.node_tree.links.new(texture.outputs["Color"], shader.inputs["Base Color"])
    add_box(bpy.context.scene, material=material).data.uv_layers.new()
    yield
    disarm.keep_only(before)


def of_usdc(path: Path, others: Others) -> None:
    with pictured_box(others):
        bpy.ops.wm.usd_export(
            filepath=str(path), export_textures_mode="KEEP", relative_paths=False,
            convert_world_material=False,
        )  # fmt: skip


def of_fbx(path: Path, others: Others) -> None:
    with pictured_box(others), warnings.catch_warnings(action="ignore"):  # the exporter's own
        bpy.ops.export_scene.fbx(filepath=str(path), path_mode="ABSOLUTE", use_mesh_modifiers=False)


NAMING: dict[str, tuple[str, Callable[[Path, Others], None]]] = {
    "blend": ("model.blend", of_blend),
    "blend sequence": ("model.blend", of_blend_sequence),
    "blend library": ("model.blend", of_blend_library),
    "blend node": ("model.blend", of_blend_node),
    "gltf": ("model.gltf", of_gltf),
    "gltf from above": ("model.gltf", of_gltf_above),
    "gltf buffer": ("model.gltf", of_gltf_buffer),
    "obj": ("model.obj", of_obj),
    "obj materials": ("model.obj", of_obj_materials),
    "usd": ("model.usda", of_usd),
    "usd reference": ("model.usda", of_usd_reference),
    "usd payload": ("model.usda", of_usd_payload),
    "usd sublayer": ("model.usda", of_usd_sublayer),
    "usdc": ("model.usdc", of_usdc),
    "usdz": ("model.usdz", of_usdz),
    "fbx": ("model.fbx", of_fbx),
}
"""Ways to name a file of somebody else."""
REFUSED = {"gltf buffer": "it names", "usd sublayer": "nothing to render"}
"""Those of which nothing is left without it."""
PICTURES = ("blend", "gltf", "gltf from above", "obj", "usd", "usdc", "usdz", "fbx")
"""Those that name a picture: it is told as missing."""
HELD_BY_THE_WALL = ("usd reference", "usd payload", "usd sublayer")
"""Those that importers follow before anybody knows what is named."""


def into_library(library: Library, folder: Path, name: str) -> Asset:
    """Keep a model with what lies beside it, as an upload does."""
    files = []
    for path in [folder / name, *sorted(set(folder.iterdir()) - {folder / name})]:
        known = asset_of(path)
        library.add(known.sha256, path)
        files.append(AssetFile(path=path.name, sha256=known.sha256, size_bytes=known.size_bytes))
    changes = {"path": name, "in_library": True, "dependencies": tuple(files[1:])}
    return asset_of(folder / name).model_copy(update=changes)


class Farm:
    """A farm's storage, with a task per model, and a worker's machine."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "storage" / "jobs" / "job").mkdir(parents=True)
        (folder / "storage" / "jobs" / "job" / "spec.json").write_text("{}")
        self.storage = FolderStorage(folder / "storage")
        self.library = Library(self.storage)
        sky = write_sky(folder / "grey.exr", np.full((16, 32, 3), 0.8, np.float32))
        self.library.add(sky.sha256, Path(sky.path))
        self.sky = sky.model_copy(update={"path": sky.name, "in_library": True})
        self.others = Others(folder / "others")
        self.tasks: dict[str, RenderTask] = {}

    def upload(self, name: str, file: str, make: Callable[[Path, Others], None]) -> None:
        home = self.folder / "made" / name
        home.mkdir(parents=True)
        make(home / file, self.others)
        self.add(name, into_library(self.library, home, file))
        shutil.rmtree(home)

    def add(self, name: str, model: Asset, sky: Asset | None = None) -> None:
        task = task_of(model, sky or self.sky, some_view(fit=True))
        changes = {"task_id": name, "dataset": f"datasets/job/{name}"}
        self.tasks[name] = task.model_copy(update=changes)

    def again(self, name: str, how: str) -> str:
        """Add a task of the same assets, with views of its own; return its name."""
        task, other = self.tasks[name], f"{name} {how}"
        changes = {"task_id": other, "dataset": f"datasets/job/{other}"}
        self.tasks[other] = task.model_copy(update=changes)
        return other

    def render(self, *names: str, read: tuple[object, ...] = (), **settings: str) -> Told:
        """Render tasks, or all, in a process of its own."""
        for name in ("scratch", "temporary"):
            (self.folder / name).mkdir(exist_ok=True)
        settings = {
            "device": "cpu", "storage": str(self.storage.root), "cache": str(self.folder / "cache"),
            "scratch": str(self.folder / "scratch"),
        } | settings  # fmt: skip
        tasks = [self.tasks[name].model_dump(mode="json") for name in names or self.tasks]
        plan = {"settings": settings, "tasks": tasks, "read": [str(path) for path in read]}
        (self.folder / "plan.json").write_text(json.dumps(plan))
        done = subprocess.run(
            [sys.executable, "-m", "tests.support.blender.walled", str(self.folder / "plan.json")],
            env=os.environ | {"TMPDIR": str(self.folder / "temporary"), "A_KEY": "s3cret"},
            capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip
        lines = [line[5:] for line in done.stdout.splitlines() if line.startswith("SAID ")]
        assert lines, done.stderr
        return Told(dict(map(json.loads, lines)), done.stderr)

    def record(self, name: str) -> ViewRecord:
        return ViewRecord.model_validate_json(self.storage.get(records_key(self.tasks[name])))

    def colour(self, name: str) -> np.ndarray:
        """The mean colour of what stands in the picture."""
        files, folder = self.record(name).files, self.tasks[name].dataset
        rgb, mask = (
            decode_pass(self.storage.get(f"{folder}/{files[each].path}"), files[each].path, each)
            for each in ("rgb", "mask")
        )
        return rgb[mask > 250].mean(axis=0)


class Told(NamedTuple):
    """What a renderer said."""

    outcome: dict[str, str]
    log: str


def is_red(colour: np.ndarray) -> bool:
    """Tell whether it is the others' colour; what is missing is magenta."""
    red, green, blue = colour
    return bool(red > 1.5 * max(green, blue))


GREEN = {"blend": of_blend, "gltf": of_gltf, "obj": of_obj, "usd": of_usd}


class Own:
    """In the place of others: what is named lies beside the model."""

    def __init__(self, path: Path) -> None:
        self.picture = "//green.png" if path.suffix == ".blend" else "green.png"
        Image.new("RGB", (8, 8), (0, 255, 0)).save(path.with_name("green.png"))


def of_oneself(make: Callable[[Path, Own], None]) -> Callable[[Path, Others], None]:
    return lambda path, _: make(path, Own(path))


@pytest.fixture(scope="module")
def farm(blender, tmp_path_factory):
    blender.free_model()
    farm = Farm(tmp_path_factory.mktemp("farm"))
    for name, (file, make) in NAMING.items():
        farm.upload(name, file, make)
    for name, make in GREEN.items():
        farm.upload(f"own {name}", NAMING[name][0], of_oneself(make))
    return farm


@pytest.fixture(scope="module")
def told(farm):
    """What came of all of them behind the wall."""
    blob = farm.library.local_path(farm.sky.sha256)
    return farm.render(read=(farm.others.picture, blob, "/etc/shadow", sys.executable))


@needs_landlock
@pytest.mark.parametrize("name", NAMING)
def test_a_model_shows_nothing_that_is_somebody_elses(farm, told, name):
    if name in REFUSED:
        assert REFUSED[name] in told.outcome[name]
        return
    assert told.outcome[name] == "done"
    assert not is_red(farm.colour(name))
    if name in PICTURES:
        (missing,) = farm.record(name).missing_textures
        assert missing == "red.png" or missing.startswith("a picture of ")


@needs_landlock
@pytest.mark.parametrize("name", GREEN)
def test_a_model_shows_what_is_its_own(farm, told, name):
    assert told.outcome[f"own {name}"] == "done"
    red, green, blue = farm.colour(f"own {name}")
    assert green > 1.5 * max(red, blue)
    assert farm.record(f"own {name}").missing_textures == ()


@needs_landlock
def test_a_renderer_reads_its_assets_and_its_software_and_nothing_else(farm, told):
    blob = str(farm.library.local_path(farm.sky.sha256))

    outcome = told.outcome
    assert {outcome[str(farm.others.picture)], outcome[blob], outcome["/etc/shadow"]} == {"refused"}
    assert outcome[sys.executable] == "done"
    assert outcome["read the shared folder"] == "done"
    assert outcome["write the shared folder"] == "refused"


@needs_landlock
def test_what_was_found_of_an_environment_is_kept_for_the_next_renderer(farm, told):
    assert list((farm.folder / "cache").glob("*-lit*/notes.json"))
    assert "is not kept" not in told.log


@needs_landlock
def test_no_key_is_to_be_read_in_proc(told):
    assert told.outcome["environment"] == "done"
    assert told.outcome["neighbour"] == "refused"


@needs_landlock
def test_no_thread_of_a_renderer_is_outside_of_its_walls(told):
    assert "stay outside" not in told.log


@needs_landlock
def test_nothing_is_left_on_the_tray_when_a_renderer_is_gone(farm, told):
    shared_folders = farm.folder / "cache" / ".shared-folders"
    wait_for(lambda: not list(shared_folders.iterdir()), "the courier ends")


def test_without_the_wall_importers_follow_such_names(farm, told):
    """Else the tests above would show nothing."""
    names = [farm.again(name, "without the wall") for name in HELD_BY_THE_WALL]

    farm.render(*names, read_wall="off")

    assert [is_red(farm.colour(name)) for name in names] == [True] * 3


@needs_landlock
def test_shared_folders_are_read_where_they_are_named(blender, tmp_path):
    """For models that were submitted by their path, and for no others."""
    blender.free_model()
    farm = Farm(tmp_path / "farm")
    shared, elsewhere = tmp_path / "shared", tmp_path / "elsewhere"
    for folder in (shared, elsewhere):
        (folder / "pictures").mkdir(parents=True)
        Image.new("RGB", (8, 8), (0, 255, 0)).save(folder / "pictures" / "green.png")
        of_oneself(of_obj)(folder / "model.obj", farm.others)
        (folder / "own.mtl").write_text("newmtl paint\nmap_Kd pictures/green.png\n")
        farm.add(folder.name, asset_of(folder / "model.obj"))

    told = farm.render(shared_storage=str(shared))

    red, green, blue = farm.colour("shared")
    assert green > 1.5 * max(red, blue)
    sentence = "may not be read by this worker's renderer (FARM_READ_WALL): add its folder"
    assert sentence in told.outcome["elsewhere"]
