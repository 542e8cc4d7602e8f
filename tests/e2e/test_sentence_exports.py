"""Rendered views of a table, with sentences, in every format of sentences."""

from __future__ import annotations

import numpy as np
import pytest

import farm.dataset
from farm.dataset.export.registry import LANGUAGE_FORMATS, load_format
from tests.e2e.conftest import farm as run
from tests.e2e.conftest import radiance
from tests.unit.dataset.export.language.readers import GRefer

# pycocotools' own, of numpy 2.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
BOX = """\
mtllib {colour}.mtl\nusemtl paint
v -.05 -.04 -.05\nv .05 -.04 -.05\nv .05 .04 -.05\nv -.05 .04 -.05
v -.05 -.04 .05\nv .05 -.04 .05\nv .05 .04 .05\nv -.05 .04 .05
f 1 4 3 2\nf 5 6 7 8\nf 1 2 6 5\nf 2 3 7 6\nf 3 4 8 7\nf 4 1 5 8
"""
COLOURS = {"red": ".6 .02 .02", "green": ".03 .4 .05", "blue": ".02 .05 .6", "yellow": ".8 .65 .02"}


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    """One view of boxes of four colours."""
    folder = tmp_path_factory.mktemp("tables")
    (folder / "things").mkdir()
    words = ""
    for colour, paint in COLOURS.items():
        (folder / f"things/{colour}.obj").write_text(BOX.format(colour=colour))
        (folder / f"things/{colour}.mtl").write_text(f"newmtl paint\nKd {paint}\n")
        words += f"{colour}.obj: {{noun: box, confirmed: true}}\n"
    (folder / "words.yaml").write_text(words)
    (folder / "sky.hdr").write_bytes(radiance((200, 200, 200)))
    done = run(
        "render", "--recipe", "tabletop", "--objects", folder / "things", "--words",
        folder / "words.yaml", "--hdrs", folder / "sky.hdr", "--scenes", 1, "--views", 1,
        "--arrangement", "place", "--passes", "rgb,mask,index,depth", "--resolution", 160,
        "--samples", 4, "--output", folder / "renders",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return folder / "renders"


@pytest.mark.parametrize("to", LANGUAGE_FORMATS)
def test_what_was_said_of_views_is_exported(tables, tmp_path, to):
    (view,) = farm.dataset.open(tables)
    kind = load_format(to)
    taken = [
        said
        for said in view.record.expressions
        if len(said.targets) == 1 or (kind.several if said.targets else kind.nothing)
    ]
    assert any(len(said.targets) == 1 for said in taken)

    done = run("dataset", "export", tables, "--to", to, "--out", tmp_path / to)

    assert done.returncode == 0, done.stderr
    assert f"1 view as {to}" in done.stderr
    assert "pixel's centre" not in done.stderr
    left_out = len(view.record.expressions) - len(taken)
    assert ("left out" in done.stderr) is (left_out > 0)


def test_masks_are_what_the_sentences_mean(tables, tmp_path):
    (view,) = farm.dataset.open(tables)
    assert run("dataset", "export", tables, "--to", "grefcoco", "--out", tmp_path).returncode == 0

    refer = GRefer(tmp_path)
    said = {each["raw"]: ref for ref in refer.refs.values() for each in ref["sentences"]}
    assert set(said) == {each.text for each in view.record.expressions}
    for each in view.record.expressions:
        found = refer.masks(said[each.text])
        for mask, target in zip(found, sorted(each.targets), strict=True):
            np.testing.assert_array_equal(
                mask, np.isin(view["index"], view.record.objects[target].indices)
            )
