"""How long an Alembic file moves things."""

from __future__ import annotations

import struct

import pytest

from worker.blender.formats.alembic_time import seconds_of

DATA = 1 << 63
ONCE = (1, 1.0, (0.0,))
"""The way in which all that stands still was sampled."""


def write_archive(path, *samplings):
    """An Ogawa file of which nothing but the table of times is there."""
    table = b"".join(
        struct.pack(f"<IdI{len(times)}d", samples, cycle, len(times), *times)
        for samples, cycle, times in samplings
    )
    at = 16
    parts = struct.pack("<6Q", DATA, DATA, 0, DATA, DATA | at, DATA)
    body = struct.pack("<Q", len(table)) + table
    root = struct.pack("<Q", 6) + parts
    header = b"Ogawa\xff\x00\x01" + struct.pack("<Q", at + len(body))
    path.write_bytes(header + body + root)
    return path


@pytest.mark.parametrize(
    ("samplings", "seconds"),
    [
        pytest.param([ONCE, (24, 1 / 24, (1 / 24,))], (1 / 24, 1.0), id="even"),
        pytest.param([(5, 1.0, (0.0, 0.25))], (0.0, 2.0), id="cycles"),
        pytest.param([(3, 1e300, (0.5, 0.7, 4.0))], (0.5, 4.0), id="any times"),
        pytest.param([(3, 1.0, (2.0,)), (9, 0.5, (-1.0,))], (-1.0, 4.0), id="several"),
        pytest.param([ONCE], None, id="still"),
    ],
)
def test_a_file_tells_its_first_and_last_moment(tmp_path, samplings, seconds):
    found = seconds_of(write_archive(tmp_path / "a.abc", *samplings))
    assert found == (None if seconds is None else pytest.approx(seconds))


@pytest.mark.parametrize("kept", [0, 5, 40, -9])
def test_of_a_file_that_ends_early_nothing_is_known(tmp_path, kept):
    path = write_archive(tmp_path / "a.abc", (24, 1 / 24, (0.0,)))
    path.write_bytes(path.read_bytes()[:kept])
    assert seconds_of(path) is None
