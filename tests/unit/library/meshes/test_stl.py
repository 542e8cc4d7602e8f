"""STL files as programs write them: what is a whole one, and how it is made plain."""

from __future__ import annotations

import pytest

from farm.errors import AssetError
from farm.library.formats import check_file
from farm.library.meshes.stl import is_plain, write_plain
from tests.support.asset_bytes import TRIANGLES, a_stl, a_stl_text


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(a_stl(), id="binary"),
        pytest.param(a_stl(comment=b"solid from CAD"), id="binary-solid"),
        pytest.param(a_stl_text(), id="text"),
        pytest.param(a_stl_text().replace(b"\n", b"\r\n"), id="windows"),
        pytest.param(b"\xef\xbb\xbf\n  " + a_stl_text(), id="mark-and-space"),
        pytest.param(a_stl_text().replace(b"solid a", b"solid FACET"), id="name"),
    ],
)
def test_what_blender_reads_stays_as_it_is(tmp_path, data):
    path = tmp_path / "a.stl"
    path.write_bytes(data)

    check_file(path, "model")

    assert is_plain(path)


@pytest.mark.parametrize(
    ("data", "plain"),
    [
        pytest.param(a_stl(tail=b"\n"), a_stl(), id="one-byte-more"),
        pytest.param(a_stl(tail=bytes(100)), a_stl(), id="as-if-of-two-more"),
        pytest.param(a_stl(comment=b"solid a", tail=b"!"), a_stl(comment=b"solid a"), id="solid"),
        pytest.param(a_stl(note=b"abc"), a_stl(attribute=3), id="notes"),
        pytest.param(a_stl(attribute=7, tail=b"!"), a_stl(attribute=7), id="colours-for-notes"),
        pytest.param(a_stl(count=0), a_stl(), id="not-counted"),
        pytest.param(a_stl(count=0xFFFFFFFF), a_stl(), id="never-counted"),
        pytest.param(a_stl_text().upper(), a_stl_text(), id="upper-case"),
        pytest.param(a_stl_text().title(), a_stl_text(), id="capitals"),
        pytest.param(a_stl_text().replace(b"solid", b"SOLID"), a_stl_text(), id="solid-alone"),
        pytest.param(a_stl_text().replace(b"\n", b"\r"), a_stl_text(), id="old-mac"),
    ],
)
def test_what_blender_misreads_is_made_plain(tmp_path, data, plain):
    path, copy = tmp_path / "a.stl", tmp_path / "copy.stl"
    path.write_bytes(data)

    check_file(path, "model")
    assert not is_plain(path)
    write_plain(path, copy)

    assert copy.read_bytes() == plain
    assert is_plain(copy)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        pytest.param(a_stl()[:-20], f"{TRIANGLES - 1} of {TRIANGLES} triangles", id="cut-off"),
        pytest.param(a_stl()[:60], "60 bytes are too few for an STL", id="no-header"),
        pytest.param(b"noise\0" * 50, "triangles", id="noise"),
    ],
)
def test_a_binary_stl_without_all_of_its_triangles_is_refused(tmp_path, data, reason):
    path = tmp_path / "a.stl"
    path.write_bytes(data)

    with pytest.raises(AssetError, match=f"cut off.*{reason}"):
        check_file(path, "model")
