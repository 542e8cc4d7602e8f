"""A silhouette holds the pixels whose rays meet something, as solving for each of them has it."""

from __future__ import annotations

import numpy as np
import pytest

from farm.projection import rays, recorded
from farm.spec.camera import PoseCamera
from farm.spec.record import FisheyeRecord
from tests.support.lenses import LENSES, POSE
from worker.points import silhouettes
from worker.points.bodies import Body, joined
from worker.points.silhouettes import Clip, silhouette
from worker.points.surfaces import Eye, Mesh, Surface

SIZE = (64, 48)
EVERYWHERE = Clip(1e-5, 1e9)
SQUARE = np.array([[-0.5, -0.5, 0], [0.5, -0.5, 0], [0.5, 0.5, 0], [-0.5, 0.5, 0]])
TWO = np.array([[0, 1, 2], [0, 2, 3]])


def surface(points, triangles, matrix=None):
    points = np.array(points, dtype=np.float64)
    mesh = Mesh(
        points=points,
        triangles=np.array(triangles),
        solid=np.ones(len(triangles), bool),
        box=np.array([points.min(axis=0), points.max(axis=0)])[
            np.array(list(np.ndindex(2, 2, 2))), np.arange(3)
        ],
        shape=0,
    )
    return Surface(("it", "", ()), mesh, np.eye(4) if matrix is None else matrix, followed=True)


def soup(seed, count=40, span=3.0, size=1.0):
    """Triangles anywhere around a camera, also behind it and through its plane."""
    chance = np.random.default_rng(seed)
    middles = chance.uniform(-span, span, (count, 1, 3))
    corners = middles + chance.uniform(-size, size, (count, 3, 3))
    return surface(corners.reshape(-1, 3), np.arange(3 * count).reshape(-1, 3))


def eye_of(lens, size=SIZE):
    return Eye(recorded(PoseCamera(world_from_camera=POSE, lens=LENSES[lens]), size), size)


def by_rays(surfaces, eye, clip):
    """Solve for every ray and triangle; return which pixels are met, and which by a hair."""
    looked = rays(eye.camera, eye.size)
    pose = np.array(eye.camera.world_from_camera)
    start = (looked.origins @ pose[:3, :3].T + pose[:3, 3]).reshape(-1, 3)
    along = (looked.directions @ pose[:3, :3].T).reshape(-1, 3)
    per = -looked.directions[..., 2].reshape(-1)
    if isinstance(eye.camera.lens, FisheyeRecord):
        per = np.ones_like(per)
    found, close = np.zeros(len(start), bool), np.zeros(len(start), bool)
    for each in surfaces:
        for a, b, c in each.points()[each.mesh.triangles]:
            one, two = b - a, c - a
            across = np.cross(along, two)
            with np.errstate(divide="ignore", invalid="ignore"):
                scale = 1.0 / (across @ one)
                v = ((start - a) * across).sum(axis=1) * scale
                turned = np.cross(start - a, one)
                w = (along * turned).sum(axis=1) * scale
                far = (turned @ two) * scale * per
            least = np.min([v, w, 1 - v - w, far / clip.near - 1, 1 - far / clip.far], axis=0)
            found |= least >= 0
            close |= np.abs(least) < 1e-6
    return found.reshape(eye.size[::-1]), close.reshape(eye.size[::-1])


@pytest.mark.parametrize("lens", LENSES)
@pytest.mark.parametrize("clip", [EVERYWHERE, Clip(1.0, 3.0)], ids=["all", "a slice"])
def test_a_silhouette_is_what_rays_meet_through_every_lens(lens, clip):
    eye = eye_of(lens)
    for seed in range(3):
        triangles = [soup(seed)]

        found = silhouette(triangles, eye, clip)

        met, close = by_rays(triangles, eye, clip)
        assert (found == met)[~close].all()
        assert close.mean() < 0.02


def test_no_pixel_is_lost_between_the_triangles_of_a_wall():
    """Pixels' centres lie exactly on shared edges, rows and corners."""
    eye = eye_of("orthographic")
    pixel = 2.2 / 64
    pose = np.array(POSE)
    corners = np.array([(x, y, -1.0) for y in range(-9, 10) for x in range(-9, 10)]) * (
        pixel, pixel, 1.0,
    )  # fmt: skip
    corners += (pixel / 2, pixel / 2, 0.0)
    grid = np.arange(19 * 19).reshape(19, 19)
    a, b, c, d = (
        part.ravel() for part in (grid[:-1, :-1], grid[:-1, 1:], grid[1:, 1:], grid[1:, :-1])
    )
    triangles = np.concatenate([np.stack([a, b, c], 1), np.stack([a, c, d], 1)])
    wall = surface(corners, triangles, pose)

    found = silhouette([wall], eye, EVERYWHERE)

    rows, columns = np.nonzero(found)
    inside = found[rows.min() + 1 : rows.max(), columns.min() + 1 : columns.max()]
    assert inside.shape == (17, 17)
    assert inside.all()


def test_parts_and_copies_of_a_thing_make_one_silhouette():
    eye = eye_of("perspective")
    sideways = np.eye(4)
    sideways[0, 3] = 0.6
    left = Body((surface(SQUARE, TWO),))
    right = left.moved(sideways)

    both = silhouette(joined([left, right]).surfaces, eye, EVERYWHERE)

    alone = [silhouette(part.surfaces, eye, EVERYWHERE) for part in (left, right)]
    assert (both == (alone[0] | alone[1])).all()
    assert all(0 < part.sum() < both.sum() for part in alone)
    assert not joined([left, Body(whole=False)]).whole


def test_many_rows_are_looked_at_in_parts(monkeypatch):
    eye, triangles = eye_of("perspective"), [soup(4, count=200)]
    whole = silhouette(triangles, eye, EVERYWHERE)

    monkeypatch.setattr(silhouettes, "AT_ONCE", 37)

    assert (silhouette(triangles, eye, EVERYWHERE) == whole).all()


def test_nothing_has_no_silhouette():
    empty = surface(np.zeros((1, 3)), np.zeros((0, 3), int))
    behind = np.array(POSE)
    behind[:3, 3] += 2 * behind[:3, 2]

    for lens in ("perspective", "orthographic", "bent fisheye"):
        eye = eye_of(lens)
        assert not silhouette([], eye, EVERYWHERE).any()
        assert not silhouette([empty], eye, EVERYWHERE).any()
        assert not silhouette([surface(SQUARE, TWO, behind)], eye, EVERYWHERE).any()
