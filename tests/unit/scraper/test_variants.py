"""Which variant is fetched."""

from __future__ import annotations

import pytest

from farm.errors import SpecError
from scraper.asset import RemoteAsset, RemoteFile
from scraper.choosing.variants import choose_file, parse_resolution


def chosen(kind: str, resolution: str | None, *files: str) -> str | None:
    """The type of the file that is chosen from `type` or `type.suffix` words."""
    listed = tuple(
        RemoteFile(
            file_type=name.partition(".")[0],
            download_url="https://example.org/x",
            filename=f"x.{name.partition('.')[2]}" if "." in name else "",
        )
        for name in files
    )
    asset = RemoteAsset(asset_base_id="x", name="x", asset_type=kind, files=listed)
    file = choose_file(asset, parse_resolution(resolution))
    return file.file_type if file else None


@pytest.mark.parametrize(
    ("kind", "resolution", "files", "expected"),
    [
        ("hdr", None, ("resolution_4K", "resolution_2K", "blend"), "resolution_2K"),
        ("hdr", None, ("resolution_4K", "resolution_1K"), "resolution_1K"),
        ("hdr", None, ("resolution_3K", "resolution_1K"), "resolution_1K"),  # the smaller of two
        ("hdr", "8K", ("resolution_0_5K", "resolution_1K"), "resolution_1K"),
        ("hdr", None, ("blend.hdr", "thumbnail.jpg"), "blend"),
        ("hdr", None, ("blend.jpg", "photo_thumbnail.jpg"), None),
        ("hdr", None, ("zip_file.zip",), None),
        ("model", None, ("resolution_2K.blend", "blend.blend", "gltf.glb"), "blend"),
        ("model", None, ("resolution_8K.blend", "resolution_1K.blend"), "resolution_1K"),
        ("model", "original", ("resolution_8K.blend", "resolution_1K.blend"), "resolution_8K"),
        ("model", "original", ("resolution_1K.blend", "zip_file.zip"), "zip_file"),
        ("model", "1K", ("zip_file.zip", "gltf_godot.glb"), "zip_file"),
        ("model", None, ("gltf.glb", "resolution_x.blend", "prxc"), None),
    ],
)
def test_the_nearest_useful_variant_is_chosen(kind, resolution, files, expected):
    assert chosen(kind, resolution, *files) == expected


@pytest.mark.parametrize(
    ("text", "meaning"),
    [("2k", "2K"), ("0.5K", "0.5K"), ("resolution_0_5K", "0.5K"), ("ORIGINAL", "original"),
     ("blend", "original"), (None, None)],
)  # fmt: skip
def test_a_resolution_may_be_written_in_several_ways(text, meaning):
    assert parse_resolution(text) == meaning


@pytest.mark.parametrize("text", ["", "2", "huge", "2K4", "-1K"])
def test_no_other_word_is_a_resolution(text):
    with pytest.raises(SpecError):
        parse_resolution(text)
