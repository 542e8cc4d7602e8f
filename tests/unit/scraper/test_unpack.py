"""Archives from strangers: into their own folder, or not at all."""

from __future__ import annotations

import io
import zipfile

import pytest

from farm.library import discover
from scraper.errors import ItemError
from scraper.fetching.unpack import main_blend, unpack
from tests.support.asset_bytes import a_blend, a_jpeg


def a_zip(files: dict[str, bytes], *, link: str | None = None) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, data in files.items():
            packed.writestr(name, data)
        if link:
            info = zipfile.ZipInfo("link")
            info.external_attr = 0o120777 << 16
            packed.writestr(info, link)
    return buffer.getvalue()


@pytest.mark.parametrize(
    "packed",
    [
        a_zip({"../escape.blend": a_blend()}),
        a_zip({"/tmp/escape.blend": a_blend()}),
        a_zip({"a/../../escape.blend": a_blend()}),
        a_zip({"C:\\escape.blend": a_blend()}),
        a_zip({"a.blend": a_blend(), "A.BLEND": a_blend(1)}),
        a_zip({"a.blend": a_blend()}, link="/etc"),
        a_zip({"a.blend": bytes(40_000_000)}),
        a_zip({"a.blend": a_blend()})[:-40],
        b"PK\x03\x04 and then nothing",
    ],
    ids=["up", "absolute", "up and over", "drive", "case", "link", "bomb", "cut", "noise"],
)
def test_an_archive_that_would_do_harm_writes_nothing(tmp_path, packed):
    (tmp_path / "a.zip").write_bytes(packed)
    before = set(tmp_path.iterdir())

    with pytest.raises(ItemError):
        unpack(tmp_path / "a.zip", tmp_path / "out")

    assert set(tmp_path.iterdir()) - before == {tmp_path / "out"}
    assert list((tmp_path / "out").iterdir()) == []


def test_a_lie_about_a_size_ends_the_unpacking(tmp_path):
    data = bytearray(a_zip({"a.blend": a_blend(padding=4000)}))
    real = len(a_blend(padding=4000)).to_bytes(4, "little")
    (tmp_path / "a.zip").write_bytes(bytes(data).replace(real, (100).to_bytes(4, "little")))

    with pytest.raises(ItemError):
        unpack(tmp_path / "a.zip", tmp_path / "out")


def test_the_model_is_the_first_blend_at_the_top(tmp_path):
    names = ["pack/z.blend", "pack/b.blend", "pack/libs/a.blend", "pack/t.jpg"]
    (tmp_path / "a.zip").write_bytes(a_zip({name: a_blend() for name in names}))

    files = unpack(tmp_path / "a.zip", tmp_path / "out")

    assert main_blend(files, tmp_path / "out") == tmp_path / "out" / "pack" / "b.blend"


def test_a_model_that_comes_packed_is_unpacked_into_its_folder(assets, blenderkit):
    packed = a_zip({
        "box/crate.blend": a_blend(), "box/libs/nails.blend": a_blend(5),
        "box/textures/wood.jpg": a_jpeg(),
    })  # fmt: skip
    base = blenderkit.add("Crate", {"zip_file": (".zip", packed)})["assetBaseId"]
    bad = a_zip({"../crate.blend": a_blend()})
    blenderkit.add("Trap", {"zip_file": (".zip", bad)})
    assets("scrape", "-o", "models.json")

    done = assets("download", "models.json", "--yes")

    assert done.code == 1
    assert "Trap: a path that leads out of its folder" in done.stderr
    folder = f"model/{base}"
    blend = f"{folder}/{base}.blend"
    parts = {f"{folder}/textures/wood.jpg", f"{folder}/libs/nails.blend"}
    assert assets.files() == {blend, f"{blend}.json", *parts}
    assert discover([str(assets.downloads)], "model", base=assets.folder) == [
        assets.downloads / blend  # its library is no model of its own
    ]
    assert (assets.downloads / blend).read_bytes() == a_blend()
    assert not list(assets.folder.glob("*.blend"))
    assert assets("list", "--check").code == 0
