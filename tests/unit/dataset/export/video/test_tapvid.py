"""TAP-Vid's arrays, against where the geometry of the scene says that points go."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import farm.dataset
from farm.dataset.export.formats.video.tapvid import shares
from farm.errors import SpecError
from farm.projection import rays
from tests.support.datasets import give_lens
from tests.support.lenses import LENSES
from tests.support.sequences import camera_at, carried, cast
from tests.support.sequences import write_sequences as write_all
from tests.unit.dataset.export.pictures import run

SIZE = (64, 64)
POSED = ("rgb", "depth", "index")


def write_sequences(folder: Path, **options: Any) -> None:
    """Without tracks of their own."""
    write_all(folder, **{"passes": POSED} | options)


def read(out: Path, name: str) -> dict[str, np.ndarray]:
    """What TAP-Vid's readers do: points are shares of width and height."""
    with np.load(out / f"train/{name}.npz") as file:
        data = dict(file)
    assert data["video"].dtype == np.uint8
    assert data["points"].dtype == np.float32
    assert data["occluded"].dtype == bool
    count, frames = data["occluded"].shape
    assert data["points"].shape == (count, frames, 2)
    assert data["video"].shape == (frames, SIZE[1], SIZE[0], 3)
    return data | {"px": data["points"] * SIZE}


def looking_at(px: np.ndarray, which: int, place: int):
    """What the ray through each place of a frame meets."""
    camera = camera_at(which, place, SIZE)
    across = (px - (camera.cx_px, camera.cy_px)) / camera.fx_px
    return cast(
        which, place, camera, np.stack([across[:, 0], -across[:, 1], -np.ones(len(px))], -1)
    )


@pytest.mark.parametrize(("which", "name"), [(0, "street"), (1, "harbour")])
def test_points_stay_on_their_surface_and_are_hidden_where_rays_say(tmp_path: Path, which, name):
    write_sequences(tmp_path / "d", frames=6)
    views = list(farm.dataset.open(tmp_path / "d"))[6 * which :]

    run(tmp_path / "d", tmp_path / "out", "tapvid", points=2000)

    data = read(tmp_path / "out", f"{name}-001-00001-00006")
    np.testing.assert_array_equal(data["video"][2], views[2]["rgb"])
    assert set(data["objects"]) == {"Wall", "Square"}
    assert [np.count_nonzero(data["objects"] == name) for name in ("Wall", "Square")] == [1000] * 2
    told, right, fairs = [], [], []
    for at, numbered in ((1, data["objects"] == "Wall"), (2, data["objects"] == "Square")):
        px, hidden = data["px"][numbered], data["occluded"][numbered]
        first = (~hidden).argmax(axis=1)
        for start in range(6):
            chosen = first == start
            shot = looking_at(px[chosen, start], which, start)
            fair = shot.index == at
            fairs.append(fair)
            for place in range(6):
                target, ahead = carried(which, place, shot, SIZE)
                there = px[chosen, place]
                np.testing.assert_allclose(there[fair], target[fair], atol=0.01)
                seen = looking_at(target, which, place)
                inside = ((target >= 0) & (target < SIZE)).all(axis=-1)
                shows = (seen.index == at) & (np.abs(seen.depth - ahead) < 1e-4) & inside
                told.append(~hidden[chosen, place][fair])
                right.append(shows[fair])
    told, right = np.concatenate(told), np.concatenate(right)
    assert np.concatenate(fairs).mean() > 0.98  # others are seen by less than half a pixel
    assert (~right).mean() > 0.01
    assert (told & right).sum() / told.sum() >= 0.99  # precision
    assert (told & right).sum() / right.sum() >= 0.99  # recall


def test_the_same_points_are_drawn_each_time_and_no_more_than_asked_for(tmp_path: Path):
    write_sequences(tmp_path / "d", sequences=1)

    for name in ("one", "two"):
        run(tmp_path / "d", tmp_path / name, "tapvid", points=10)

    path = "train/street-001-00001-00004.npz"
    assert (tmp_path / "one" / path).read_bytes() == (tmp_path / "two" / path).read_bytes()
    assert len(read(tmp_path / "one", "street-001-00001-00004")["points"]) == 10


def test_tracks_that_were_rendered_are_taken_as_they_are(tmp_path: Path):
    write_all(tmp_path / "d", passes=("rgb", "tracks"))
    give_lens(tmp_path / "d", LENSES["fisheye"])  # which does not matter to them
    views = list(farm.dataset.open(tmp_path / "d"))[:4]

    run(tmp_path / "d", tmp_path / "out", "tapvid")
    run(tmp_path / "d", tmp_path / "some", "tapvid", points=10)

    data = read(tmp_path / "out", "street-001-00001-00004")
    for at, view in enumerate(views):
        np.testing.assert_allclose(data["px"][:, at], view["tracks"]["px"], atol=1e-4)
        np.testing.assert_array_equal(data["occluded"][:, at], ~view["tracks"]["visible"])
    some = read(tmp_path / "some", "street-001-00001-00004")
    assert len(some["points"]) == 10
    np.testing.assert_array_equal(some["points"], data["points"][np.isin(data["id"], some["id"])])


def change(dataset: Path, at: int, edit) -> None:
    lines = (dataset / "views.jsonl").read_text().splitlines(keepends=True)
    record = json.loads(lines[at])
    edit(record["objects"])
    lines[at] = json.dumps(record) + "\n"
    (dataset / "views.jsonl").write_text("".join(lines))


def grow(objects: list[dict]) -> None:
    objects[1]["size"] = [1.3, 0.0, 1.2]


def come_nearer(objects: list[dict]) -> None:
    """Its pose says so, but its surface is where it was: it bends."""
    objects[1]["camera_from_object"][2][3] += 0.5


def go_away(objects: list[dict]) -> None:
    del objects[1]


def shrink_its_box(objects: list[dict]) -> None:
    """Parts of it are seen where its box is not."""
    objects[1]["size"] = [0.5, 0.0, 0.5]


@pytest.mark.parametrize(
    ("edit", "why"),
    [
        (grow, "not rigid"),
        (come_nearer, "not rigid"),
        (shrink_its_box, "not rigid"),
        (go_away, "not there in all frames"),
    ],
)
def test_what_poses_cannot_carry_is_named_and_has_no_tracks(tmp_path: Path, edit, why):
    write_sequences(tmp_path / "d", sequences=1)
    for at in range(4) if edit is shrink_its_box else [2]:
        change(tmp_path / "d", at, edit)

    done = run(tmp_path / "d", tmp_path / "out", "tapvid")

    note = f"street-001-00001-00004: no tracks on Square: {why}, so poses cannot carry its points; "
    note += "render with --tracks 256 to follow them"
    assert done.notes == (note,)
    assert set(read(tmp_path / "out", "street-001-00001-00004")["objects"]) == {"Wall"}
    assert run(tmp_path / "d", tmp_path / "out", "tapvid").notes == (note,)


def test_where_nothing_can_be_carried_the_export_is_refused(tmp_path: Path):
    write_sequences(tmp_path / "d", sequences=1)
    change(tmp_path / "d", 1, lambda objects: objects.clear())

    with pytest.raises(SpecError, match=r"nothing here can be tracked: street-\S+: no tracks on"):
        run(tmp_path / "d", tmp_path / "out", "tapvid")


@pytest.mark.parametrize(
    ("there", "wanted", "taken"),
    [
        ([9, 9], 10, [5, 5]),
        ([2, 9, 9], 10, [2, 4, 4]),
        ([1, 2], 10, [1, 2]),
        ([5, 5, 5], 1, [1, 0, 0]),
    ],
)
def test_points_are_spread_evenly_over_things(there, wanted, taken):
    assert shares(there, wanted) == taken


def test_rays_of_the_builder_meet_what_the_passes_show(tmp_path: Path):
    write_sequences(tmp_path / "d", sequences=1, frames=1)
    [view] = farm.dataset.open(tmp_path / "d")
    camera = camera_at(0, 0, SIZE)

    shot = cast(0, 0, camera, rays(camera, SIZE).directions)

    np.testing.assert_array_equal(shot.index, view["index"])
