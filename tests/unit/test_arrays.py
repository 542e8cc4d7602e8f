"""Named arrays as files: the same bytes for the same numbers, and no other file passes for one."""

from __future__ import annotations

import io
import time
import zipfile

import numpy as np
import pytest

from farm.arrays import ArraysError, decode_rows, encode_rows, row_type
from farm.dataset.images import DecodeError, decode_pass
from farm.soundness import strange_rows
from farm.spec.passes import PASSES

COLUMNS = PASSES["tracks"].columns


def some_rows(count=5):
    rows = np.zeros(count, row_type(COLUMNS))
    rows["id"] = np.arange(count)
    rows["px"] = np.arange(2 * count).reshape(count, 2) / 3
    rows["world"][-1:] = np.nan
    rows["visible"] = rows["id"] % 2 == 0
    return rows


@pytest.mark.parametrize("count", [0, 1, 5])
def test_rows_come_back_as_they_were(count):
    rows = some_rows(count)
    back = decode_pass(encode_rows(rows), "tracks/a.npz", "tracks")
    assert back.dtype == rows.dtype
    assert back.tobytes() == rows.tobytes()
    assert back["px"].shape == (count, 2)


def test_numpy_reads_the_arrays_by_name_without_pickles():
    with np.load(io.BytesIO(encode_rows(some_rows())), allow_pickle=False) as found:
        assert found.files == ["id", "px", "world", "depth", "visible", "lost"]
        np.testing.assert_array_equal(found["px"], some_rows()["px"])
        assert found["visible"].dtype == bool


def test_the_same_rows_are_the_same_bytes_at_any_time(monkeypatch):
    now = encode_rows(some_rows())
    monkeypatch.setattr(time, "time", lambda: 2_000_000_000.0)
    monkeypatch.setattr(time, "localtime", lambda *_: time.gmtime(2_000_000_000))
    assert encode_rows(some_rows()) == now
    with zipfile.ZipFile(io.BytesIO(now)) as file:
        assert {each.date_time for each in file.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def npz(**arrays):
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


def columns(**changes):
    rows = some_rows()
    return {name: rows[name] for name in rows.dtype.names} | changes


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"", "cannot be decoded"),
        (b"\x89PNG\r\n", "cannot be decoded"),
        (encode_rows(some_rows())[:-30], "cannot be decoded"),
        (npz(px=np.zeros((5, 2))), "has the arrays px, not id, px, world"),
        (npz(**columns(px=np.zeros((4, 2), np.float32))), r"px is float32 \(4, 2\), not"),
        (npz(**columns(px=np.zeros((5, 2)))), r"px is float64 \(5, 2\), not float32 \(5, 2\)"),
        (npz(**columns(id=np.uint32(1))), r"id is uint32 \(\), not"),
        (npz(**columns(lost=np.array([None] * 5, object))), "cannot be decoded"),
    ],
    ids=["empty", "picture", "cut", "others", "fewer", "wider", "no rows", "objects"],
)
def test_what_is_not_such_a_file_is_refused_by_name(data, what):
    with pytest.raises(DecodeError, match=f"tracks/a.npz: .*{what}"):
        decode_pass(data, "tracks/a.npz", "tracks")


def test_damaged_bytes_are_refused_or_lead_to_rows_but_to_no_other_error():
    data = encode_rows(some_rows())
    for place in range(0, len(data), 7):
        damaged = bytearray(data)
        damaged[place] ^= 0x55
        try:
            decode_rows(bytes(damaged), COLUMNS)
        except ArraysError:
            continue


def test_gaps_are_allowed_where_a_column_has_them_and_nothing_infinite_is():
    rows = some_rows()
    assert strange_rows("tracks", rows) is None
    rows["depth"][1] = np.inf
    assert strange_rows("tracks", rows) == "tracks: depth is inf 1 time"
