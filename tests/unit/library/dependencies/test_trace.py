import json
import shutil
import struct
import sys
from pathlib import Path

import pytest

from farm.library import hash_file
from farm.library.dependencies.blend import HOW_TO_GET_IT, find_bat
from farm.library.dependencies.trace import Tracer


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

    for name in ("m/a.gltf", "m/b.gltf", "m/a.gltf"):
        assert tracer(write(tmp_path / name, "{}x")) == ()

    assert remarks == [
        f"{name} is not readable glTF; its external files are not traced"
        for name in ("a.gltf", "b.gltf")
    ]


USD = """#usda 1.0
(
    doc = "by ada@farm.example and bob@farm.example"
    subLayers = [@./layers/base.usda@]
)
def Xform "chair" (
    references = @parts/leg.usd@</Leg>
    prepend payload = [@@@parts/arm's @ rest.usda@@@]
)
{
    asset inputs:file = @tex/wood.<UDIM>.png@
    asset inputs:bump = @tex\\bump.png@
    asset inputs:web = @https://a.example/x.png@
    asset inputs:inside = @pack.usdz[textures/x.png]@
    asset inputs:clip = @clips/wave.###.usdc@
    string note = "see @readme.txt@"
}
"""


def test_a_usd_brings_its_layers_and_what_they_name(tmp_path):
    for name in (
        "m/tex/wood.1001.png", "m/tex/wood.1012.png", "m/tex/wood.x.png", "m/tex/bump.png",
        "m/pack.usdz", "m/clips/wave.001.usdc", "m/readme.txt",
    ):  # fmt: skip
        write(tmp_path / name, "PK" if name.endswith("usdz") else b"PK")
    write(tmp_path / "m/layers/base.usda", "#usda 1.0\n(subLayers = [@../m.usda@, @../up.usda@])")
    write(tmp_path / "m/up.usda", "#usda 1.0\n(subLayers = [@layers/base.usda@])")
    write(tmp_path / "m/parts/leg.usd", '#usda 1.0\ndef "x" {asset a = @../../shared/leg.png@}')
    write(tmp_path / "m/parts/arm's @ rest.usda", "#usda 1.0\n")
    write(tmp_path / "shared/leg.png")

    files, remarks = trace(write(tmp_path / "m/m.usda", USD))

    assert files == [
        "clips/wave.001.usdc", "layers/base.usda", "pack.usdz", "parts/arm's @ rest.usda",
        "parts/leg.usd", "tex/bump.png", "tex/wood.1001.png", "tex/wood.1012.png", "up.usda",
        "../shared/leg.png",
    ]  # fmt: skip
    assert remarks == []


def test_a_crate_names_the_same_as_its_text(tmp_path):
    """Of which the words are packed in one block, or in few as here."""
    sdf = pytest.importorskip("pxr.Sdf")
    for name in ("tex/wood.png", "parts/leg.usda"):
        write(tmp_path / name, "#usda 1.0\n")
    text = """#usda 1.0
    def "chair" (references = @./parts/leg.usda@) {
        asset inputs:file = @tex/wood.png@
        asset inputs:gone = @tex/gone.png@
    }
    """
    many = "".join(f'def "part_{number}_of_{number**3}" {{}}\n' for number in range(2000))
    layer = sdf.Layer.CreateAnonymous()
    layer.ImportFromString(text + many)
    layer.Export(str(tmp_path / "chair.usdc"))

    files, remarks = trace(tmp_path / "chair.usdc")

    assert files == ["parts/leg.usda", "tex/wood.png"]
    assert remarks == [f"chair.usdc needs {tmp_path / 'tex/gone.png'}, which does not exist"]


@pytest.mark.parametrize("data", [b"", b"#usd", b"PXR-USDC", b"PXR-USDC" + b"\xff" * 200, b"{}"])
def test_what_is_not_usd_goes_alone(tmp_path, data):
    files, remarks = trace(write(tmp_path / "a.usd", data))

    assert files == []
    assert remarks == ["a.usd: a.usd is not readable USD; what it names is not uploaded"]


def test_a_layer_by_an_absolute_path_is_said_and_left_out(tmp_path):
    leg = write(tmp_path / "leg.usda", "#usda 1.0\n")
    files, (remark,) = trace(write(tmp_path / "m/a.usda", f"#usda 1.0\n(subLayers = [@{leg}@])"))

    assert files == []
    assert remark == f"a.usda names {leg}, which is not beside it; it is not uploaded"


FBX = """; FBX 7.4.0 project file
    Texture: 1, "Texture::wood", "" {
        FileName: "C:\\work\\tex\\wood.png"
        RelativeFilename: "tex\\wood.png"
    }
    Texture: 2, "Texture::moved", "" { RelativeFilename: "C:\\work\\moved.png" }
    Texture: 3, "Texture::flat", "" { RelativeFilename: "..\\old\\flat.png" }
    Texture: 4, "Texture::gone", "" { RelativeFilename: "gone.png" }
"""


def binary_fbx(names: list[str], content: bytes = b"") -> bytes:
    def node(name: bytes, kind: bytes, value: bytes) -> bytes:
        prop = kind + struct.pack("<I", len(value)) + value
        return struct.pack("<IIIB", 0, 1, len(prop), len(name)) + name + prop

    named = b"".join(node(b"RelativeFilename", b"S", name.encode()) for name in names)
    return b"Kaydara FBX Binary  \0\x1a\0" + named + node(b"Content", b"R", content)


@pytest.mark.parametrize(
    "data",
    [
        FBX.encode(),
        binary_fbx(["tex\\wood.png", "C:\\work\\moved.png", "..\\old\\flat.png", "gone.png"]),
    ],
    ids=["text", "binary"],
)
def test_an_fbx_brings_the_textures_that_blender_finds(tmp_path, data):
    for name in ("m/tex/wood.png", "m/moved.png", "m/flat.png"):
        write(tmp_path / name)

    files, remarks = trace(write(tmp_path / "m/chair.fbx", data))

    assert files == ["flat.png", "moved.png", "tex/wood.png"]
    assert remarks == [f"chair.fbx needs {tmp_path / 'm/gone.png'}, which does not exist"]


def test_what_an_fbx_has_inside_is_not_missed(tmp_path):
    data = binary_fbx(["tex/wood.png"], content=b"PNG")

    assert trace(write(tmp_path / "chair.fbx", data)) == ([], [])
    (remark,) = trace(write(tmp_path / "empty.fbx", b""))[1]
    assert remark.startswith("empty.fbx: its textures cannot be traced: ")


def test_what_lies_too_far_above_a_model_is_said_and_left_out(tmp_path):
    """A farm refuses such a path, and with it the whole job."""
    texture = write(tmp_path / "wood.png")
    folder = tmp_path.joinpath(*"abcdefghi")
    uri = "../" * 9 + "wood.png"

    files, (remark,) = trace(write(folder / "a.gltf", json.dumps({"images": [{"uri": uri}]})))

    assert files == []
    assert remark.startswith(f"a.gltf needs {texture}, which is more than 8 folders above it")


@pytest.fixture
def no_module(monkeypatch):
    monkeypatch.setattr("farm.library.dependencies.blend.find_spec", lambda _name: None)
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


@pytest.mark.skipif(sys.platform == "win32", reason="a script with a shebang")
def test_a_linked_blend_is_asked_for_by_itself(tmp_path, monkeypatch, no_module):
    lib, texture = tmp_path / "b.blend", write(tmp_path / "wood.png")
    answers = {"a.blend": {str(tmp_path / "a.blend"): [str(lib)]},
               "b.blend": {str(lib): [str(texture), str(tmp_path / "a.blend")]}}  # fmt: skip
    script = "#!/bin/sh\n[ $1 = --help ] && echo 'Blender Asset Tracer v1.23' && exit\n"
    for name, told in answers.items():
        script += f"[ ${{3##*/}} = {name} ] && echo '{json.dumps(told)}'\n"
    write(tmp_path / "bin/bat", script + "true\n").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    write(lib)

    assert trace(write(tmp_path / "a.blend")) == (["b.blend", "wood.png"], [])


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
