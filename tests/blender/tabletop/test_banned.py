"""What an HDRI shows, too, is not said in its views."""

from __future__ import annotations

import numpy as np
import pytest

from farm.spec.asset import Credit
from farm.spec.expression import ExpressionRules
from farm.spec.words import AssetWords
from farm.storage import FolderStorage
from tests.support.blender.scenes import write_sky
from tests.support.blender.tabletops import (
    Standing,
    a_tabletop_task,
    a_view_of_it,
    camera_from,
    render_tabletop,
)
from tests.support.tabletop import write_things


@pytest.fixture
def said(blender, tmp_path):
    """Return the texts of a view of three boxes and balls under an HDRI with these tags."""
    things = write_things(
        tmp_path / "things", colours=("red", "green", "blue"), shapes=("box", "ball")
    )
    sky = write_sky(tmp_path / "sky.exr", np.ones((8, 16, 3), np.float32))

    def run(*tags):
        standing = [
            Standing(
                file,
                at_m=(0.25 * (number % 3) - 0.25, 0.25 * (number // 3) - 0.12, 0.05),
                words=AssetWords(noun=file.stem.split("_")[1], hypernym="toy", confirmed=True),
            )
            for number, file in enumerate(sorted(things.glob("*.obj")))
        ]
        view = a_view_of_it(0, camera_from((0.0, -0.6, 0.9)))
        task = a_tabletop_task(
            tmp_path / "-".join(("settled", *tags)),
            standing,
            [view],
            resolution_px=(256, 192),
            expressions=ExpressionRules(per_view=40),
        )
        tagged = sky.model_copy(update={"role": "hdrs", "credit": Credit(tags=tags)})
        assets = (*task.assets, tagged)
        views = (view.model_copy(update={"hdr": len(assets) - 1}),)
        task = task.model_copy(update={"assets": assets, "views": views})
        [rendered] = render_tabletop(
            blender, task, FolderStorage(tmp_path / "-".join(("out", *tags)))
        )
        assert "tags" not in rendered.record.model_dump_json(), "records need not repeat them"
        return " ".join(each.text for each in rendered.record.expressions).casefold()

    return run


def test_nouns_that_the_hdri_shows_are_not_said(said):
    plain, tagged = said(), said("Cardboard Boxes", "room")

    assert "box" in plain
    assert "ball" in plain
    assert "box" not in tagged
    assert "ball" in tagged
