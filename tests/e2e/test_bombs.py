"""Models that nobody can judge before they are loaded, and that would take all of the machine."""

from __future__ import annotations

import shutil
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import imagecodecs

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


def write_bomb_of_geometry(path: Path) -> None:
    """A sheet that nodes divide until it has 2^36 faces."""
    made = [sys.executable, "-c", MAKE_BOMB, str(path)]
    subprocess.run(made, check=True, timeout=100, stdout=subprocess.DEVNULL)


def write_bomb_of_pixels(path: Path) -> None:
    """A triangle with a texture of 30000 x 30000 pixels, in 3 MB."""
    side = 30_000
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zeros(1 + 3 * side, side)), (b"IEND", b""))
    png = b"\x89PNG\r\n\x1a\n" + b"".join(map(png_chunk, chunks))
    path.with_name("huge.png").write_bytes(png)
    path.with_name("huge.mtl").write_text("newmtl m\nmap_Kd huge.png\n")
    corners = "v 0 0 0\nv 1 0 0\nv 1 1 1\nvt 0 0\nvt 1 0\nvt 1 1\n"
    path.write_text(f"mtllib huge.mtl\n{corners}usemtl m\nf 1/1 2/2 3/3\n")


def zeros(length: int, times: int) -> bytes:
    """Return so many zeros as one zlib stream, without ever making them all."""
    packer = zlib.compressobj(9)
    piece = packer.compress(bytes(length)) + packer.flush(zlib.Z_FULL_FLUSH)
    more = packer.compress(bytes(length)) + packer.flush(zlib.Z_FULL_FLUSH)
    end = zlib.compressobj(9, wbits=-15).flush()
    checksum = struct.pack(">HH", length * times % 65_521, 1)  # Adler-32 of zeros
    return piece + more * (times - 1) + end + checksum


def write_zstd_bomb(path: Path) -> None:
    """A .blend of 0.2 MB that unfolds to 6 GB: blocks of zeros, 1 GB each."""
    block = struct.pack("<4siqqq", b"DATA", 0, 1, 1 << 30, 1)  # code, type, address, bytes, count
    zeros = imagecodecs.zstd_encode(bytes(1 << 26)) * 16
    folded = imagecodecs.zstd_encode(b"BLENDER17-01v0502")
    path.write_bytes(folded + (imagecodecs.zstd_encode(block) + zeros) * 6)


def png_chunk(chunk: tuple[bytes, bytes]) -> bytes:
    kind, data = chunk
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def test_bombs_are_set_aside_and_the_other_models_are_rendered(assets, tmp_path, monkeypatch):
    models = tmp_path / "models"
    models.mkdir()
    shutil.copy(assets.models / "cube0001-aaaa.obj", models)
    bombs = {
        "divided1-aaaa.blend": write_bomb_of_geometry,
        "pixels01-aaaa.obj": write_bomb_of_pixels,
        "folded01-aaaa.blend": write_zstd_bomb,
    }
    for name, write in bombs.items():
        write(models / name)
    monkeypatch.setenv("FARM_MEMORY_BYTES", "1000000000")

    done = farm("render", "--models", models, "--hdrs", assets.hdrs / "skyblue1-cccc.hdr",
                "--output", tmp_path / "out", "--yaw", 1, "--pitch", 1, "--resolution", 64,
                "--samples", 1, "--workers", 1, "--device", "cpu")  # fmt: skip

    assert done.returncode == 1, done.stderr
    assert "1 of 4 views complete" in done.stderr
    for name in bombs:
        title = f"{Path(name).stem} · skyblue1-cccc"
        assert f"{title}: the renderer used" in done.stderr
    assert "of the 1,000 MB that it may use (FARM_MEMORY_BYTES)" in done.stderr
    assert len(list((tmp_path / "out" / "cube0001_skyblue1" / "images").iterdir())) == 1
