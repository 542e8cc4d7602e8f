"""Pictures in passing, where memory is too small for them, and the disk as well."""

from __future__ import annotations

import pytest

from farm.errors import RenderError
from farm.ledger.causes import refine
from tests.support.full_disks import fill, small_disk
from worker.blender.scratch import Scratch


def test_what_does_not_fit_into_memory_goes_to_disk(tmp_path):
    with small_disk(tmp_path / "memory", 1 << 20) as memory:
        scratch = Scratch(memory)
        fill(memory)

        path = scratch.new_file(10_000)

        assert memory not in path.parents
        path.write_bytes(b"x" * 10_000)
        scratch.close()
        assert not path.parent.exists()


def test_what_fits_nowhere_waits_for_room_and_charges_nobody(tmp_path):
    scratch = Scratch(tmp_path)

    with pytest.raises(RenderError) as raised:
        scratch.new_file(1e18)

    scratch.close()
    assert "1000000000000 MB that a view needs" in str(raised.value)
    assert refine("render", str(raised.value))[0] == "disk"
