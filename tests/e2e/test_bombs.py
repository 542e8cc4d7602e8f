"""A model that nobody can judge before it is loaded, and that would take all of the machine."""

from __future__ import annotations

import shutil
import subprocess
import sys

from tests.e2e.conftest import farm

MAKE_BOMB = """
import sys
import bpy

bpy.ops.wm.read_factory_settings(use_empty=True)
mesh = bpy.data.meshes.new("sheet")
mesh.from_pydata([(-1, -1, 0), (1, -1, 0), (1, 1, 0), (-1, 1, 1)], [], [(0, 1, 2, 3)])
sheet = bpy.data.objects.new("sheet", mesh)
bpy.context.scene.collection.objects.link(sheet)
nodes = bpy.data.node_groups.new("endless", "GeometryNodeTree")
for way in ("INPUT", "OUTPUT"):
    nodes.interface.new_socket("Geometry", in_out=way, socket_type="NodeSocketGeometry")
last = nodes.nodes.new("NodeGroupInput").outputs[0]
for _ in range(3):
    divide = nodes.nodes.new("GeometryNodeSubdivideMesh")
    divide.inputs["Level"].default_value = 6
    nodes.links.new(last, divide.inputs[0])
    last = divide.outputs[0]
nodes.links.new(last, nodes.nodes.new("NodeGroupOutput").inputs[0])
modifier = sheet.modifiers.new("endless", "NODES")
modifier.show_viewport = False
modifier.node_group = nodes
bpy.ops.wm.save_as_mainfile(filepath=sys.argv[-1])
"""


def test_a_bomb_of_geometry_is_set_aside_and_the_other_models_are_rendered(
    assets, tmp_path, monkeypatch
):
    models = tmp_path / "models"
    models.mkdir()
    shutil.copy(assets.models / "cube0001-aaaa.obj", models)
    bomb = models / "bomb0001-aaaa.blend"
    made = [sys.executable, "-c", MAKE_BOMB, str(bomb)]
    subprocess.run(made, check=True, timeout=100, stdout=subprocess.DEVNULL)
    monkeypatch.setenv("FARM_MEMORY_BYTES", "1500000000")

    done = farm("render", "--models", models, "--hdrs", assets.hdrs / "skyblue1-cccc.hdr",
                "--output", tmp_path / "out", "--yaw", 1, "--pitch", 1, "--resolution", 64,
                "--samples", 1, "--workers", 1, "--device", "cpu")  # fmt: skip

    assert done.returncode == 1, done.stderr
    assert "1 of 2 views are there" in done.stderr
    assert "bomb0001-aaaa.blend: the renderer used" in done.stderr
    assert "of the 1,500 MB that it may use (FARM_MEMORY_BYTES)" in done.stderr
    assert len(list((tmp_path / "out" / "cube0001_skyblue1" / "images").iterdir())) == 1
