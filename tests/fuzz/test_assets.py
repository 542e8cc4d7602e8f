"""Whatever a file of a model or an HDRI holds: its facts, or a sentence; and neither takes long."""

from __future__ import annotations

import contextlib
import io
import json
import struct
import tracemalloc
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farm.dataset.records.read import read_records
from farm.errors import AssetError, SpecError
from farm.library import describe, discover, read_credit
from farm.library.dependencies.trace import Tracer, trace
from farm.library.formats import check_file
from farm.spec.asset import HDR_SUFFIXES, MODEL_SUFFIXES
from farm.storage import FolderStorage
from scraper.catalog import Catalog
from scraper.errors import ItemError
from scraper.fetching.unpack import main_blend, unpack
from scraper.listing import read_lists
from tests.builders import a_record
from tests.fuzz.effort import fuzz
from tests.fuzz.strange import bent, damaged
from tests.support.asset_bytes import a_blend, a_jpeg, a_radiance, an_exr

MOST_BYTES = 64 << 20
"""A check of a small file needs no more memory, whatever the file says."""

GLTF = {
    "asset": {"version": "2.0"},
    "buffers": [{"uri": "a.bin", "byteLength": 4}, {"uri": "data:;base64,AA=="}],
    "images": [{"uri": "wood%20dark.png"}, {"bufferView": 0}],
}


def a_glb(gltf: bytes) -> bytes:
    return struct.pack("<4sII", b"glTF", 2, 20 + len(gltf)) + struct.pack("<I4s", len(gltf), b"JSON") + gltf  # fmt: skip  # noqa: E501


gltfs = bent(GLTF).map(lambda data: json.dumps(data).encode())
OBJ = b"mtllib a.mtl b c.mtl\nmtllib \xff\nv 0 0 0\nf 1 1 1\n"
MTL = (
    b"newmtl x\nmap_Kd -s 1 2 3 -o 1 wood dark.png\nbump -bm 1 ../../etc/passwd\nmap_Ks C:\\x.png\n"
)
contents = st.one_of(
    st.binary(max_size=100),
    damaged(st.sampled_from([a_blend(), a_jpeg(), a_radiance(), an_exr(), an_exr(60_000, 60_000)])),
    damaged(gltfs),
    damaged(gltfs.map(a_glb)),
    damaged(st.sampled_from([OBJ, MTL])),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("strange")


@fuzz(4)
@given(data=contents, suffix=st.sampled_from([*MODEL_SUFFIXES, *HDR_SUFFIXES, "", ".jpg"]))
def test_a_file_is_an_asset_or_says_why_not(folder, data, suffix):
    path = folder / f"asset{suffix}"
    path.write_bytes(data)

    tracemalloc.start()
    try:
        for kind in ("model", "hdr"):
            with contextlib.suppress(AssetError):
                check_file(path, kind)
        assert tracemalloc.get_traced_memory()[1] < MOST_BYTES
    finally:
        tracemalloc.stop()


@fuzz(4)
@given(data=contents, mtl=damaged(st.just(MTL)), suffix=st.sampled_from([".gltf", ".glb", ".obj"]))
def test_what_a_model_names_is_traced_or_remarked_on(folder, data, mtl, suffix):
    path = folder / f"model{suffix}"
    path.write_bytes(data)
    (folder / "a.mtl").write_bytes(mtl)
    said: list[str] = []

    files = Tracer(lambda file: "0" * 64, said.append)(path)

    assert all((folder / file.path).is_file() for file in files)
    assert all(said)


@fuzz(0.1)
@given(
    data=damaged(st.sampled_from([a_blend(), b"\x28\xb5\x2f\xfd" + b"\0" * 99, b"\x1f\x8b\x08"]))
)
def test_a_broken_blend_goes_alone(folder, data):
    pytest.importorskip("blender_asset_tracer")
    path = folder / "model.blend"
    path.write_bytes(data)

    assert trace(path).files == []


SIDECAR = {
    "name": "Chair", "author": "Ada", "license": "CC0", "url": "https://x.y", "kind": "model",
    "sha256": "0" * 64, "size_bytes": 5, "source": "blenderkit", "source_id": "x",
    "includes": [{"path": "a.png", "sha256": "0" * 64, "size_bytes": 1}],
}  # fmt: skip


@fuzz(2)
@given(data=bent(SIDECAR).map(lambda data: json.dumps(data).encode()) | st.binary(max_size=50))
def test_a_sidecar_is_read_or_named(tmp_path_factory, folder, data):
    root = folder / "catalog"
    (root / "model").mkdir(parents=True, exist_ok=True)
    model = root / "model" / "chair.blend"
    model.write_bytes(a_blend())
    (root / "model" / "chair.blend.json").write_bytes(data)

    with contextlib.suppress(SpecError):
        files = discover([str(root)], "model", base=root)
        assets, _ = describe(files, "model")
        assert [asset.model_dump_json() for asset in assets]
    with contextlib.suppress(SpecError):
        read_credit(model).model_dump_json()
    list(Catalog(root).entries())


LISTED = [{
    "source": "blenderkit", "assetBaseId": "abc", "name": "Chair", "assetType": "model",
    "faceCount": 5, "tags": ["x"], "isFree": True, "canDownload": True,
    "files": [{"fileType": "blend", "downloadUrl": "https://x.y/", "fileUploadSize": 5,
               "includes": [{"path": "a.png", "url": "https://x.y/"}]}],
}]  # fmt: skip


@fuzz(2)
@given(data=bent(LISTED).map(lambda data: json.dumps(data).encode()) | st.binary(max_size=50))
def test_a_list_of_assets_is_read_or_named(folder, data):
    path = folder / "list.json"
    path.write_bytes(data)

    with contextlib.suppress(SpecError):
        read_lists([path])


def a_zip(names: list[str], data: bytes, method: int) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", method) as archive:
        for name in names:
            archive.writestr(name, data)
    return packed.getvalue()


NAMES = ("m.blend", "a/b.png", "a", "A", "../up", "/etc/x", "C:\\x", "a/../b", "é" * 200, "x" * 239,
         "con", "a\\b", ".", "a//b", "dir/")  # fmt: skip
names = st.lists(st.sampled_from(NAMES), max_size=4, unique=True)
archives = st.builds(
    a_zip,
    names,
    st.sampled_from([b"", b"BLENDER", b"\0" * 300_000]),
    st.sampled_from(
        [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]
    ),
)


@pytest.mark.filterwarnings("ignore::UserWarning")
@fuzz(4)
@given(data=damaged(archives, reach=100_000))
def test_an_archive_is_unpacked_inside_its_folder_or_named(folder, data):
    archive, inside = folder / "a.zip", folder / "zip" / "inside"
    archive.write_bytes(data)

    with contextlib.suppress(ItemError):
        main_blend(unpack(archive, inside), inside)

    assert {path.name for path in inside.parent.iterdir()} == {"inside"}


@fuzz(1)
@given(lines=st.lists(bent(a_record().model_dump(mode="json")), max_size=3), junk=st.binary())
def test_records_that_are_none_are_passed_over(folder, lines, junk):
    storage = FolderStorage(folder / "storage")
    text = b"\n".join([*(json.dumps(line).encode() for line in lines), junk])
    storage.put("set/views.jsonl", text)
    said: list[str] = []

    for entry in read_records(storage, "set", said.append):
        entry.record.model_dump_json()


@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        pytest.param(["a", "a/b.png"], r"a\.zip: cannot be unpacked: File exists", id="both"),
        pytest.param(["é" * 200], r"a\.zip: cannot be unpacked: File name too long", id="long"),
    ],
)
def test_names_that_no_folder_can_hold_are_the_archives_fault(tmp_path, names, sentence):
    (tmp_path / "a.zip").write_bytes(a_zip(names, b"x", zipfile.ZIP_STORED))

    with pytest.raises(ItemError, match=sentence):
        unpack(tmp_path / "a.zip", tmp_path / "inside")


def test_json_that_is_too_deep_is_named_wherever_it_lies(tmp_path):
    deep, said = b"[" * 100_000, []
    for name in ("list.json", "model.gltf", ".farm-assets.json"):
        (tmp_path / name).write_bytes(deep)

    with pytest.raises(SpecError, match=r"list\.json: is not JSON"):
        read_lists([tmp_path / "list.json"])
    assert Tracer(lambda file: "", said.append)(tmp_path / "model.gltf") == ()
    assert said == ["model.gltf is not readable glTF; its external files are not traced"]
    assert Catalog(tmp_path).scene_uuid()
