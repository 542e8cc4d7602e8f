"""Sentences on models without a surface: what they are, and what to do about it."""

from __future__ import annotations

from farm.spec.counted import counted


def point_cloud(points: int) -> str:
    """Say what points without faces are."""
    return (
        f"it is a point cloud ({counted(points, 'point')}, no faces), which has no surface to "
        "render: make a mesh of it first, for example with the surface reconstruction of "
        "MeshLab or Open3D"
    )


def gaussian_splat(splats: int) -> str:
    """Say what points are that hold blurred balls."""
    return (
        f"it is a Gaussian splat ({counted(splats, 'splat')}, no faces), which has no surface "
        "to light or to label: export a mesh from the program that made it, or extract one, as "
        "2DGS and SuGaR do"
    )


def lines(edges: int) -> str:
    """Say what edges without faces are."""
    return (
        f"it has only lines ({counted(edges, 'edge')}, no faces), which have no surface to render: "
        "export faces, or give the lines a thickness and make a mesh of them"
    )


def curves(count: int) -> str:
    """Say what curves without thickness are."""
    return (
        f"it has only curves ({counted(count, 'curve')} without thickness), which have no surface "
        "to render: give them a bevel or a width, or export them as a mesh"
    )


def no_faces() -> str:
    """Say that there is nothing in a mesh."""
    return "nothing to render: its mesh is empty, without points or faces; export it again"
