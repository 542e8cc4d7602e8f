"""Whatever views hold, each file of a Parquet shard is where its record says."""

from __future__ import annotations

import io

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from farm.errors import RenderError
from farm.storage.shards import member_of
from tests.builders import a_record, a_view
from tests.fuzz.effort import fuzz
from tests.support.shards import pack_views
from worker.render.writers import packs, parquet_pack
from worker.render.writers.packs import check_installed, new_shard

LENGTH = (5).to_bytes(4, "little")
BYTES = st.one_of(
    st.binary(max_size=40),
    st.sampled_from([b"", b"\0" * 9, LENGTH, LENGTH + b"12345", b"PAR1", b"12345"]),
    st.builds(lambda data, times: data * times, st.binary(min_size=1, max_size=9), st.just(400)),
)
VIEW = st.dictionaries(st.sampled_from(["rgb", "mask", "depth"]), BYTES, min_size=1)


@fuzz()
@given(st.lists(VIEW, min_size=1, max_size=5))
def test_each_file_is_where_its_record_says(views):
    """Also where files are alike, look like lengths, or a view lacks what others have."""
    records = [a_record(a_view(at), files=files) for at, files in enumerate(views)]
    files = {
        file.path: views[at][name]
        for at, record in enumerate(records)
        for name, file in record.files.items()
    }

    packed = pack_views(new_shard("shards/a.parquet"), records, files.__getitem__)

    places = []
    for view, record in zip(views, packed.records, strict=True):
        assert record.files.keys() == view.keys()
        for name, file in record.files.items():
            place = member_of(file.path).offset
            length = int.from_bytes(packed.data[place - 4 : place], "little")
            assert (length, packed.data[place : place + length]) == (len(view[name]), view[name])
            places.append(place)
    assert len(set(places)) == len(places)
    rows = pq.read_table(io.BytesIO(packed.data)).to_pylist()
    for view, row in zip(views, rows, strict=True):
        for name in {name for each in views for name in each}:
            assert (row[name] and row[name]["bytes"]) == view.get(name)


def test_what_is_left_of_a_view_that_failed_is_in_no_row():
    shard = new_shard("shards/a.parquet")
    shard.add("view_000.rgb.png", b"left")

    packed = pack_views(shard, [a_record(a_view(1))], lambda path: path.encode())

    assert pq.read_table(io.BytesIO(packed.data))["view"].to_pylist() == ["view_001"]
    assert b"left" not in packed.data


def test_a_file_that_parquet_cannot_count_is_refused(monkeypatch):
    monkeypatch.setattr(parquet_pack, "MOST_BYTES", 3)
    with pytest.raises(RenderError, match=r"a\.rgb\.png: has 4 bytes.* take pack: webdataset"):
        new_shard("shards/a.parquet").add("a.rgb.png", b"1234")


def test_a_worker_without_the_package_says_so_before_it_renders(monkeypatch):
    monkeypatch.setattr(packs, "find_spec", lambda _name: None)
    check_installed("webdataset")
    with pytest.raises(RenderError, match=r"needs pyarrow.*pip install"):
        check_installed("parquet")
