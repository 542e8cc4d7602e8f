"""What an asset's first bytes tell."""

from __future__ import annotations

import os
import struct

import pytest

from farm.errors import AssetError
from farm.spec.asset import Asset
from worker.assets.check import check_asset


def exr_header(width: int, height: int) -> bytes:
    window = struct.pack("<4i", 0, 0, width - 1, height - 1)
    return b"\x76\x2f\x31\x01\x02\0\0\0dataWindow\0box2i\0\x10\0\0\0" + window + b"\0"


def radiance_header(width: int, height: int) -> bytes:
    return f"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y {height} +X {width}\n".encode()


@pytest.fixture
def check(tmp_path):
    """Write bytes under a name and look at them."""

    def look(name: str, data: bytes) -> None:
        path = tmp_path / name
        path.write_bytes(data)
        kind = "hdr" if name.endswith((".exr", ".hdr")) else "model"
        check_asset(
            Asset(kind=kind, id="x", name=name, path=str(path), sha256="0", size_bytes=len(data))
        )

    return look


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("a.exr", b"", "empty"),
        ("a.exr", b"\xff\xd8\xff\xe0", "JPEG"),
        ("a.hdr", b'{"detail": "log in"}', "JSON"),
        ("a.hdr", b" <!DOCTYPE html><html>", "web page"),
        ("a.hdr", b"\x89PNG\r\n", "PNG"),
        ("a.exr", exr_header(60000, 60000), "60000 x 60000 pixels"),
        ("a.exr", exr_header(0, -5), "0 x -5 pixels"),
        ("a.exr", exr_header(100, 100)[:20], "damaged"),
        ("a.hdr", radiance_header(60000, 60000), "60000 x 60000 pixels"),
        ("a.hdr", b"#?RADIANCE\n", "damaged"),
        ("a.blend", b"", "empty"),
        ("a.blend", b"<html>403", "web page"),
        ("a.glb", b"PK\x03\x04", "ZIP"),
        ("a.glb", b"glTF" + struct.pack("<II", 2, 1000), "cut off: 12 of 1000 bytes"),
        ("a.obj", b"<html>", "web page"),
        ("a.max", b"3ds", "not one of .blend"),
    ],
)
def test_a_file_that_is_not_what_its_name_says_is_refused(check, name, data, reason):
    with pytest.raises(AssetError, match=reason):
        check(name, data)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.exr", exr_header(16384, 8192)),
        ("a.exr", radiance_header(64, 32)),  # Blender reads it by its bytes, not by its name
        ("a.hdr", radiance_header(64, 32)),
        ("a.blend", b"BLENDER-v300"),
        ("a.blend", b"\x28\xb5\x2f\xfd"),
        ("a.gltf", b'{"asset": {}}'),
        ("a.obj", b"v 0 0 0\n"),
    ],
)
def test_a_file_that_looks_right_passes(check, name, data):
    check(name, data)


def test_a_missing_file_is_named(tmp_path):
    path = tmp_path / "gone.blend"
    asset = Asset(kind="model", id="x", name="x", path=str(path), sha256="0", size_bytes=1)

    with pytest.raises(AssetError, match=r"gone.blend: cannot be read: No such file"):
        check_asset(asset)


def test_a_pipe_is_no_model_and_nobody_waits_for_it(tmp_path):
    path = tmp_path / "pipe.blend"
    os.mkfifo(path)
    asset = Asset(kind="model", id="x", name="x", path=str(path), sha256="0", size_bytes=1)

    with pytest.raises(AssetError, match=r"pipe.blend: it is not a regular file"):
        check_asset(asset)
