"""Assets of records are found by what is in them, with all that they need beside them."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from farm.errors import SpecError
from farm.library.found_again import Finder
from farm.spec.asset import Asset, AssetFile


def sha256_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def a_vase(path: Path | str, *, needs: dict[str, bytes] | None = None) -> Asset:
    return Asset(
        kind="model",
        id="vase",
        name="vase.obj",
        path=str(path),
        sha256=sha256_of(b"vase"),
        size_bytes=4,
        dependencies=tuple(
            AssetFile(path=name, sha256=sha256_of(data), size_bytes=len(data))
            for name, data in (needs or {}).items()
        ),
    )


def test_a_file_that_is_where_it_was_is_taken(tmp_path):
    (tmp_path / "vase.obj").write_bytes(b"vase")

    found = Finder().find(a_vase(tmp_path / "vase.obj"))

    assert found.path == str(tmp_path / "vase.obj")


def test_an_asset_of_a_farm_s_library_is_found_in_a_folder(tmp_path):
    """Its record says nothing but its file name."""
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "renamed.OBJ").write_bytes(b"vase")
    asset = a_vase("vase.obj").model_copy(update={"in_library": True})

    found = Finder(tmp_path).find(asset)

    assert found.path == str(tmp_path / "deep" / "renamed.OBJ")
    assert not found.in_library
    with pytest.raises(SpecError, match=r"vase\.obj: was rendered on a farm, .* with --assets"):
        Finder().find(asset)
    with pytest.raises(SpecError, match=r"is not known, nor is it anywhere in --assets"):
        Finder(tmp_path).find(asset.model_copy(update={"size_bytes": 5}))


def test_where_a_file_was_is_told(tmp_path):
    with pytest.raises(SpecError, match=r"vase\.obj: is not at /gone/vase\.obj any more: name"):
        Finder().find(a_vase("/gone/vase.obj"))


def test_of_several_that_which_has_all_it_needs_is_taken(tmp_path):
    asset = a_vase("/gone/vase.obj", needs={"textures/wood.png": b"wood"})
    for name, wood in (("a", None), ("b", b"pine"), ("c", b"wood")):
        folder = tmp_path / name
        (folder / "textures").mkdir(parents=True)
        (folder / "vase.obj").write_bytes(b"vase")
        if wood is not None:
            (folder / "textures" / "wood.png").write_bytes(wood)

    assert Finder(tmp_path).find(asset).path == str(tmp_path / "c" / "vase.obj")
    with pytest.raises(SpecError, match=r"wood\.png, which it needs, is not there"):
        Finder(tmp_path / "a").find(asset)
    with pytest.raises(SpecError, match=r"wood\.png, which it needs, has other bytes"):
        Finder(tmp_path / "b").find(asset)


def test_other_bytes_are_never_taken(tmp_path):
    (tmp_path / "vase.obj").write_bytes(b"VASE")

    with pytest.raises(SpecError, match="has other bytes than when its views were rendered"):
        Finder(tmp_path).find(a_vase(tmp_path / "vase.obj"))
    with pytest.raises(SpecError, match="is not a folder"):
        Finder(tmp_path / "none")
