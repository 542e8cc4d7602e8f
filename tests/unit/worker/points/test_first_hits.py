"""Rays meet what is first on their way, as a look at every triangle has it."""

from __future__ import annotations

import numpy as np
import pytest

from worker.points import first_hits
from worker.points.first_hits import Wanted, aims, weights_of

CHANCE = np.random.default_rng(5)


def soup(count=300, span=4.0, size=1.0):
    """Return triangles anywhere around a camera: (V, 3) and (T, 3)."""
    middles = CHANCE.uniform(-span, span, (count, 1, 3))
    corners = middles + CHANCE.uniform(-size, size, (count, 3, 3))
    return corners.reshape(-1, 3), np.arange(3 * count).reshape(-1, 3)


def nearest(corners, start, along, near):
    """Return the depth of the first triangle on a ray, and its number, by solving for each."""
    best = (np.inf, -1)
    for number, (a, b, c) in enumerate(corners):
        matrix = np.stack([b - a, c - a, -along], axis=1)
        if abs(np.linalg.det(matrix)) < 1e-12:
            continue
        v, w, depth = np.linalg.solve(matrix, start - a)
        if v >= 0 and w >= 0 and v + w <= 1 and near <= depth < best[0]:
            best = (depth, number)
    return best


@pytest.mark.parametrize("parallel", [False, True])
def test_the_first_of_many_triangles_is_met_on_every_side(parallel):
    points, triangles = soup()
    through = CHANCE.normal(size=(200, 3))
    rays = aims(through, 0.3, parallel=parallel)
    hits = rays.nothing()
    rays.cast(hits, 7, points, triangles)
    met = 0
    for ray in range(len(through)):
        depth, number = nearest(
            points[triangles], rays.starts[ray], rays.along[ray % len(rays.along)], 0.3
        )
        assert hits.triangle[ray] == number
        assert hits.surface[ray] == (7 if number >= 0 else -1)
        np.testing.assert_allclose(hits.depth[ray], depth, rtol=1e-9)
        met += number >= 0
    assert 50 < met < 200


def test_surfaces_may_be_looked_at_one_after_the_other():
    points, triangles = soup()
    rays = aims(CHANCE.normal(size=(100, 3)), 0.1, parallel=False)
    whole, parts = rays.nothing(), rays.nothing()
    rays.cast(whole, 0, points, triangles)
    for number in range(10):
        rays.cast(parts, number, points, triangles[number * 30 : number * 30 + 30])
    np.testing.assert_array_equal(parts.depth, whole.depth)
    there = whole.surface >= 0
    np.testing.assert_array_equal(
        (parts.surface * 30 + parts.triangle)[there], whole.triangle[there]
    )


@pytest.mark.parametrize("parallel", [False, True])
def test_what_is_looked_for_is_met_and_not_what_is_before_it(parallel):
    """Of each ray the triangle that was chosen beforehand, among those of the right owner."""
    points, triangles = soup(200)
    owners = np.arange(200) % 2 + 1
    weights = CHANCE.dirichlet([3, 3, 3], size=200)
    wanted = (weights[..., None] * points[triangles]).sum(axis=1)
    ahead = np.flatnonzero(wanted[:, 2] < -0.5)
    rays = aims(wanted[ahead], 0.1, parallel=parallel)
    hits = rays.nothing(Wanted(rays.depths(wanted[ahead]), owners[ahead]))
    for owner in (1, 2):
        mine = np.flatnonzero(owners == owner)
        rays.cast(hits, owner, points, triangles[mine], owner=owner)
    np.testing.assert_array_equal(hits.surface, owners[ahead])
    np.testing.assert_array_equal(hits.triangle * 2 + hits.surface - 1, ahead)
    nearest = rays.nothing()
    rays.cast(nearest, 0, points, triangles)
    assert (nearest.triangle != ahead).mean() > 0.1, "many are behind others"


def test_no_ray_slips_through_between_two_triangles():
    x, y = np.meshgrid(np.linspace(-1, 1, 21), np.linspace(-1, 1, 21))
    points = np.stack([x, y, -2 - 0.3 * np.sin(5 * x) * np.cos(4 * y)], axis=-1).reshape(-1, 3)
    at = np.arange(21 * 21).reshape(21, 21)
    quads = np.stack([at[:-1, :-1], at[:-1, 1:], at[1:, 1:], at[1:, :-1]], axis=-1).reshape(-1, 4)
    triangles = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])
    inner = points.reshape(21, 21, 3)[3:-3, 3:-3].reshape(-1, 3)  # straight at the corners
    rays = aims(inner, 0.1, parallel=False)
    hits = rays.nothing()
    rays.cast(hits, 0, points, triangles)
    np.testing.assert_allclose(hits.depth, rays.depths(inner), rtol=1e-6)


def test_where_nothing_is_nothing_is_met():
    rays = aims(np.zeros((0, 3)), 0.1, parallel=False)
    rays.cast(rays.nothing(), 0, *soup(3))
    some = aims(np.array([[0.0, 0.0, -1.0]]), 0.1, parallel=True)
    hits = some.nothing()
    some.cast(hits, 0, np.zeros((0, 3)), np.zeros((0, 3), np.int64))
    some.cast(hits, 0, np.full((3, 3), np.nan), np.array([[0, 1, 2]]))
    assert np.isinf(hits.depth).all()


def test_a_floor_that_goes_on_behind_the_camera_costs_no_more_than_what_is_seen_of_it(monkeypatch):
    """Of triangles that reach behind the camera only the part in front of it may be met."""
    x, z = np.meshgrid(np.linspace(-20, 20, 201), np.linspace(-20, 20, 201))
    points = np.stack([x, np.full_like(x, -1.0), z], axis=-1).reshape(-1, 3)
    at = np.arange(201 * 201).reshape(201, 201)
    quads = np.stack([at[:-1, :-1], at[:-1, 1:], at[1:, 1:], at[1:, :-1]], axis=-1).reshape(-1, 4)
    triangles = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])
    u, v = np.meshgrid(np.linspace(-0.9, 0.9, 60), np.linspace(-0.9, 0.9, 60))
    rays = aims(
        np.stack([u, v, np.full_like(u, -1.0)], axis=-1).reshape(-1, 3), 0.01, parallel=False
    )
    looked_at = []
    own = first_hits.met

    def met(corners, uv, *, parallel):
        looked_at.append(len(uv))
        return own(corners, uv, parallel=parallel)

    monkeypatch.setattr(first_hits, "met", met)
    hits = rays.nothing()
    rays.cast(hits, 0, points, triangles)
    below = v.ravel() < -0.06
    np.testing.assert_allclose(hits.depth[below], -1 / v.ravel()[below], rtol=1e-9)
    assert sum(looked_at) < 5 * len(rays.starts)


@pytest.mark.parametrize("parallel", [False, True])
def test_a_point_that_is_nowhere_spoils_no_other_triangle(parallel):
    points = np.array([[-1, -1, -2], [1, -1, -2], [0, 2, -2], [np.nan, 0, -1]], float)
    rays = aims(np.array([[0.0, 0.0, -1.0]]), 0.1, parallel=parallel)
    hits = rays.nothing()
    rays.cast(hits, 0, points, np.array([[0, 1, 3], [0, 1, 2]]))
    assert (hits.depth[0], hits.triangle[0]) == (2.0, 1)


def test_weights_make_the_point_of_a_triangle():
    corners = CHANCE.normal(size=(50, 3, 3))
    wanted = CHANCE.dirichlet([1, 1, 1], size=50)
    points = (wanted[..., None] * corners).sum(axis=1)
    np.testing.assert_allclose(weights_of(corners, points), wanted, atol=1e-9)


@pytest.mark.parametrize("parallel", [False, True])
def test_boxes_that_rays_miss_are_left_out_and_no_others(parallel):
    points, triangles = soup()
    corners = points[triangles]
    low, high = corners.min(axis=1), corners.max(axis=1)
    picks = np.array(list(np.ndindex(2, 2, 2)), bool)
    hulls = np.where(picks[None], high[:, None], low[:, None])
    rays = aims(CHANCE.normal(size=(20, 3)), 0.3, parallel=parallel)
    maybe = rays.may_meet(hulls)
    met = set()
    for number in range(len(triangles)):
        hits = rays.nothing()
        rays.cast(hits, number, points, triangles[[number]])
        met |= set(hits.surface[hits.surface >= 0].tolist())
    assert met <= set(np.flatnonzero(maybe).tolist())
    assert met
    assert maybe.mean() < 0.8
