"""What is said of two hundred things whose colours and materials are known."""

from __future__ import annotations

import pytest

from bench.attributes import MATERIALS, colours, look, material


@pytest.mark.slow
def test_what_is_said_of_known_things_is_true(blender, tmp_path):
    seen = list(look(blender, tmp_path, side=192, samples=2))

    assert len({each.thing.file for each in seen}) == 200
    colour = colours(seen)
    assert colour.right == colour.said, "a colour that is said is the thing's"
    assert colour.said >= 0.9 * colour.asked
    for name in MATERIALS:
        found = material(seen, name)
        assert found.right == found.said == found.asked > 0, name
