import json
import shutil
import struct
import sys
from pathlib import Path

import pytest

from farm.library import hash_file
from farm.library.blend import HOW_TO_GET_IT, find_bat
from farm.library.trace import Tracer


def write(path: Path, text: str | bytes = "data") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def trace(path: Path) -> tuple[list[str], list[str]]:
    """The paths that a model needs, and what is said about it."""
    remarks: list[str] = []
    files = Tracer(hash_file, remarks.append)(path)
    for file in files:
        there = path.parent / file.path
        assert (file.sha256, file.size_bytes) == (hash_file(there), there.stat().st_size)
    return [file.path for file in files], remarks


def test_an_obj_brings_its_materials_and_their_textures(tmp_path):
    write(tmp_path / "m/wood.mtl", "newmtl w\nmap_Kd -s 1 1 1 tex/wood grain.png\n"
          "map_Bump -bm 0.5 ..\\shared\\bump.png\nKd 1 0 0\n")  # fmt: skip
    for name in ("m/tex/wood grain.png", "shared/bump.png"):
        write(tmp_path / name)

    files, remarks = trace(write(tmp_path / "m/chair.obj", "mtllib wood.mtl\nv 0 0 0\n"))

    assert files == ["wood.mtl", "tex/wood grain.png", "../shared/bump.png"] or sorted(files) == [
        "../shared/bump.png", "tex/wood grain.png", "wood.mtl",
    ]  # fmt: skip
    assert remarks == []


def test_a_material_library_may_have_a_space_in_its_name_or_be_one_of_many(tmp_path):
    for name in ("my wood.mtl", "a.mtl", "b.mtl"):
        write(tmp_path / name, "")

    assert trace(write(tmp_path / "x.obj", "mtllib my wood.mtl\n"))[0] == ["my wood.mtl"]
    assert trace(write(tmp_path / "y.obj", "mtllib a.mtl b.mtl\n"))[0] == ["a.mtl", "b.mtl"]
    two = trace(write(tmp_path / "z.obj", "mtllib my wood.mtl b.mtl\n"))
    assert two == (["b.mtl", "my wood.mtl"], [])
    _, remarks = trace(write(tmp_path / "w.obj", "mtllib a.mtl my gone.mtl\n"))
    assert remarks == [f"w.obj needs {tmp_path / 'my gone.mtl'}, which does not exist"]


@pytest.mark.parametrize("line", ["mtllib Wood.MTL", "mtllib .\\wood.mtl", "mtllib\twood.mtl\\"])
def test_a_material_library_is_found_as_windows_would(tmp_path, line):
    write(tmp_path / "wood.mtl", "")

    assert trace(write(tmp_path / "x.obj", f"v 0 0 0\n{line}"))[0] == ["wood.mtl"]


GLTF = {
    "asset": {"version": "2.0"},
    "buffers": [{"uri": "mesh%20data.bin"}, {"uri": "data:application/octet-stream;base64,AAAA"}],
    "images": [{"uri": "Textures/colormap.png"}, {"bufferView": 0}],
}


def as_glb(data: object) -> bytes:
    text = json.dumps(data).encode()
    text += b" " * (-len(text) % 4)
    body = struct.pack("<I4s", len(text), b"JSON") + text
    return struct.pack("<4sII", b"glTF", 2, 12 + len(body)) + body


@pytest.mark.parametrize(
    ("name", "data"), [("a.gltf", json.dumps(GLTF).encode()), ("a.glb", as_glb(GLTF))]
)
def test_a_gltf_brings_its_buffers_and_images(tmp_path, name, data):
    write(tmp_path / "mesh data.bin")
    write(tmp_path / "Textures/colormap.png")

    assert trace(write(tmp_path / name, data)) == (["Textures/colormap.png", "mesh data.bin"], [])


@pytest.mark.parametrize("data", [b"", b"glTF", b"[1]", b'{"buffers": 3}', b"\xff\xfe", b"{}x"])
def test_what_is_no_gltf_goes_alone(tmp_path, data):
    files, (remark,) = trace(write(tmp_path / "a.gltf", data))

    assert files == []
    assert "is not readable glTF" in remark


def test_what_is_missing_is_said_and_left_out(tmp_path):
    path = write(tmp_path / "a.gltf", json.dumps({"images": [{"uri": "gone.png"}]}))

    assert trace(path) == ([], [f"a.gltf needs {tmp_path / 'gone.png'}, which does not exist"])


@pytest.mark.parametrize("uri", ["/etc/passwd", "file:///etc/passwd", "https://a.example/x.png"])
def test_a_model_cannot_name_files_that_are_not_beside_it(tmp_path, uri):
    files, (remark,) = trace(write(tmp_path / "a.gltf", json.dumps({"images": [{"uri": uri}]})))

    assert files == []
    assert "is not beside it" in remark


def test_a_model_cannot_have_a_secret_uploaded_as_its_texture(tmp_path):
    write(tmp_path / ".ssh/id_rsa")
    model = write(tmp_path / "m/a.gltf", json.dumps({"images": [{"uri": "../.ssh/id_rsa"}]}))

    files, (remark,) = trace(model)

    assert files == []
    assert "is not a texture or a model; it is not uploaded" in remark


def test_the_same_is_said_once(tmp_path):
    remarks: list[str] = []
    tracer = Tracer(hash_file, remarks.append)

    for name in ("a.fbx", "b.fbx"):
        assert tracer(write(tmp_path / name)) == ()

    assert remarks == ["external textures of .fbx files are not traced; pack them into the file"]


@pytest.fixture
def no_module(monkeypatch):
    monkeypatch.setattr("farm.library.blend.find_spec", lambda _name: None)
    find_bat.cache_clear()
    yield
    find_bat.cache_clear()


@pytest.mark.skipif(sys.platform == "win32", reason="a script with a shebang")
def test_the_other_program_called_bat_is_not_taken_for_the_tracer(tmp_path, monkeypatch, no_module):
    write(tmp_path / "bin/bat", "#!/bin/sh\necho 'bat 0.24: a cat clone with wings'\n").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))

    files, (remark,) = trace(write(tmp_path / "a.blend"))

    assert files == []
    assert HOW_TO_GET_IT in remark


@pytest.mark.skipif(sys.platform == "win32", reason="a script with a shebang")
def test_a_blend_brings_what_the_tracer_lists(tmp_path, monkeypatch, no_module):
    blend, lib = tmp_path / "a.blend", write(tmp_path / "lib/b.blend")
    texture = write(tmp_path / "lib/wood.png")
    listed = json.dumps({str(blend): [str(lib)], str(lib): [str(texture)]})
    script = f"""#!/bin/sh
    case $1 in
    --help) echo 'BAT: Blender Asset Tracer v1.23';;
    list) echo 'WARN  Path /gone/x.png does not exist for <BlockUsage>' >&2; echo '{listed}';;
    esac
    """
    write(tmp_path / "bin/bat", script).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")

    files, remarks = trace(write(blend))

    assert files == ["lib/b.blend", "lib/wood.png"]
    assert remarks == ["a.blend needs /gone/x.png, which does not exist"]


@pytest.mark.skipif(find_bat() is None, reason="the Blender Asset Tracer is not installed")
def test_a_broken_blend_goes_alone(tmp_path):
    files, remarks = trace(write(tmp_path / "a.blend", b"BLENDER-v500" + b"\0" * 50))

    assert files == []
    assert remarks in (
        [],
        ["a.blend: its external files cannot be traced; it is uploaded without them"],
    )


def test_two_models_of_the_same_bytes_with_other_textures_are_two(tmp_path):
    from farm.library import describe

    for folder, colour in (("red", "r"), ("blue", "b")):
        write(tmp_path / folder / "chair.mtl", f"map_Kd {colour}.png\n")
        write(tmp_path / folder / f"{colour}.png", colour)
        write(tmp_path / folder / "chair.obj", "mtllib chair.mtl\n")
    shutil.copytree(tmp_path / "red", tmp_path / "again")
    files = [tmp_path / folder / "chair.obj" for folder in ("red", "blue", "again")]

    assets, remarks = describe(files, "model", dependencies=Tracer(hash_file, print))

    assert len({asset.id for asset in assets}) == 2
    assert remarks[0] == "chair.obj has the same contents as chair.obj; they count as one"
