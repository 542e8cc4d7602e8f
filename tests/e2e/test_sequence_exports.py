"""A rendered sequence in every format, and tracks against the flow that Cycles has beside them."""

from __future__ import annotations

import numpy as np
import pytest

import farm.dataset
from farm.dataset.export.registry import SEQUENCE_FORMATS
from tests.e2e.conftest import farm as run
from tests.support.blender.street_scene import write_street
from tests.unit.dataset.export.pictures import run as export

GROWS = (
    "k = ball.shape_key_add(); k = ball.shape_key_add(name='k'); "
    "[setattr(v, 'co', v.co * 1.5) for v in k.data]; key(k, 'value', (1, 0.0), (40, 1.0))"
)


@pytest.fixture(scope="module")
def renders(tmp_path_factory):
    folder = tmp_path_factory.mktemp("rendered")
    write_street(folder / "shapes.blend", GROWS)
    done = run(
        "render", "--recipe", "sequence", "--scenes", folder / "shapes.blend", "--frames", 3,
        "--passes", "rgb,mask,depth,normal,index,flow,foreground",
        "--resolution", 64, "--samples", 4, "--output", folder / "renders",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return folder / "renders"


@pytest.mark.parametrize("to", [*SEQUENCE_FORMATS, "rvm"])
def test_what_was_rendered_is_exported_whole(renders, tmp_path, to):
    done = run("dataset", "export", renders, "--to", to, "--out", tmp_path / to)

    assert done.returncode == 0, done.stderr
    assert f"3 views as {to}" in done.stdout + done.stderr


def test_tracks_go_where_cycles_flow_goes(renders, tmp_path):
    done = export(renders, tmp_path / "out", "tapvid", points=600)

    views = list(farm.dataset.open(renders))
    sample = np.load(tmp_path / "out/train/shapes-001-00001-00003.npz")
    assert "no tracks on Ball: not rigid" in done.notes[0]
    assert set(sample["objects"]) == {"Cube", "Floor", "Wall"}
    px, hidden = sample["points"] * 64.0, sample["occluded"]
    values = {label.name: label.indices[0] for label in views[0].record.objects}
    wanted = np.array([values[name] for name in sample["objects"]])
    errors, lost = [], []
    for at, view in enumerate(views[:2]):
        columns, rows = np.clip(px[:, at], 0, 63).astype(int).T
        own = view["index"][rows, columns] == wanted
        known = own & ~hidden[:, at] & (view["flow_forward_valid"][rows, columns] > 0)
        moved = px[known, at + 1] - px[known, at]
        errors.append(np.abs(moved - view["flow_forward"][rows, columns][known]).max(axis=-1))
        lost.append(hidden[known, at + 1])
    assert len(np.concatenate(errors)) > 800
    assert np.percentile(np.concatenate(errors), 99) < 0.05  # pixels
    assert np.concatenate(lost).mean() < 0.02
