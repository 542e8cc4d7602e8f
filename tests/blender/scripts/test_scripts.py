"""Scripts change scenes, view by view; what they return is in the records."""

import numpy as np
import pytest

from tests.support.blender.scripted import ORBIT, a_script_job, render, script_asset


def test_a_script_turns_the_cube_and_tells_where_its_corners_are(blender, tmp_path):
    job = a_script_job(script_asset(tmp_path, ORBIT))

    views = render(blender, tmp_path / "out", job)

    assert [view.record.fields["index"] for view in views] == [0, 1, 2]
    assert not np.array_equal(views[0]["index"], views[1]["index"])
    for view in views:
        inside = np.argwhere(view["index"] > 0)
        corners = np.array(view.record.fields["xy"])
        [thing] = view.record.objects
        assert thing.name == "Cube"
        assert corners.min(axis=0) == pytest.approx(inside.min(axis=0)[::-1], abs=1.5)
        assert corners.max(axis=0) == pytest.approx(inside.max(axis=0)[::-1] + 1, abs=1.5)
