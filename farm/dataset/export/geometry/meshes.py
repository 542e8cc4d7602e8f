"""Meshes of models in millimetres, where their files and licences allow it."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path, PurePath
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from farm.dataset.records.attribution import licence
from farm.errors import SpecError
from farm.library import read_credit
from farm.library.meshes.mesh import Mesh, NoMeshError, check_suffix, read_mesh
from farm.spec.asset import Asset
from farm.spec.label import ObjectLabel, Point3
from farm.spec.record import ViewRecord

CHANGED = "its file is missing, or has changed since it was rendered"
MOST_BYTES = 256 << 20
"""Of a file that is read."""
SLACK = 2e-3
"""Largest distance of a mesh from the box that was rendered, as a share of its longest side."""
FREE = re.compile(r"CC0 .*|MIT|CC BY(-NC)?(-SA)? .*")
"""Licences under which a model may be passed on in another form; `ND` forbids that."""


class Origin(NamedTuple):
    """Where an object comes from."""

    asset: Asset
    object_from_file: NDArray[np.float64] | None
    """(4, 4), from the coordinates of the asset's file to millimetres around its box's middle; None
    where the record does not say."""
    is_whole: bool
    """It is all that its file shows."""


def origin_of(record: ViewRecord, label: ObjectLabel, mm_per_unit: float) -> Origin:
    """Return where an object of a view comes from."""
    asset = record.asset_of(label)
    is_whole = sum(record.asset_of(each) == asset for each in record.objects) == 1
    if label.world_from_file is None:
        return Origin(asset, None, is_whole)
    camera_from_world = np.linalg.inv(np.array(record.camera.world_from_camera))
    object_from_camera = np.linalg.inv(np.array(label.camera_from_object))
    matrix = object_from_camera @ camera_from_world @ np.array(label.world_from_file)
    scale = np.diag([mm_per_unit, mm_per_unit, mm_per_unit, 1.0])
    return Origin(asset, scale @ matrix, is_whole)


def mesh_of(origin: Origin, size_mm: Point3) -> Mesh:
    """Return the mesh of an object, in millimetres around the middle of its box.

    Raises:
        NoMeshError: It cannot be had, or not passed on; says why.
    """
    asset = origin.asset
    suffix = PurePath(asset.name).suffix
    check_suffix(suffix)
    check_licence(asset)
    if not origin.is_whole:
        raise NoMeshError("its file also has other objects")
    matrix = origin.object_from_file
    if matrix is None:
        raise NoMeshError("its record does not say where it stands in its file")
    mesh = read_mesh(suffix, read_asset(asset))
    points = mesh.points @ matrix[:3, :3].T + matrix[:3, 3]
    half = np.array(size_mm) / 2
    beyond = np.abs(np.stack([points.min(axis=0) + half, points.max(axis=0) - half])).max()
    if beyond > SLACK * max(size_mm):
        raise NoMeshError("its triangles do not fill the box that was rendered")
    return Mesh(points, mesh.triangles)


def check_licence(asset: Asset) -> None:
    """Hold that a model may be passed on in another form.

    Raises:
        NoMeshError: It may not, or nobody knows.
    """
    name = asset.credit.licence
    if name is None:
        try:
            name = read_credit(Path(asset.path)).licence
        except SpecError as error:
            raise NoMeshError(str(error)) from error
    if name is None:
        raise NoMeshError(
            "its licence is not known (a sidecar, its name with .json after it, can state it: "
            '{"licence": "CC0-1.0"})'
        )
    if not FREE.fullmatch(licence(name).title):
        raise NoMeshError(f"its licence, {licence(name).title}, does not allow it")


def read_asset(asset: Asset) -> bytes:
    """Return the bytes of a model's file, if it is still where it was rendered from.

    Raises:
        NoMeshError: It is not, or another one.
    """
    path = Path(asset.path)
    if asset.size_bytes > MOST_BYTES:
        raise NoMeshError(f"its file has more than {MOST_BYTES >> 20} MiB")
    if not path.is_absolute() or not path.is_file() or path.stat().st_size != asset.size_bytes:
        raise NoMeshError(CHANGED)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise NoMeshError(f"its file cannot be read: {error.strerror}") from error
    if hashlib.sha256(data).hexdigest() != asset.sha256:
        raise NoMeshError(CHANGED)
    return data


def ply_text(mesh: Mesh) -> str:
    """Return a mesh as BOP has it: a PLY in words, with normals."""
    head = ["ply", "format ascii 1.0", f"element vertex {len(mesh.points)}"]
    head += [f"property float {name}" for name in ("x", "y", "z", "nx", "ny", "nz")]
    head += [f"element face {len(mesh.triangles)}", "property list uchar int vertex_indices"]
    rows = np.hstack([mesh.points, normals(mesh)]).tolist()
    lines = [" ".join(f"{number:.7g}" for number in row) for row in rows]
    faces = [f"3 {a} {b} {c}" for a, b, c in mesh.triangles.tolist()]
    return "\n".join([*head, "end_header", *lines, *faces, ""])


def normals(mesh: Mesh) -> NDArray[np.float64]:
    """Return the normal of each point, (N, 3): of its triangles, weighted by their angles there."""
    corners = mesh.points[mesh.triangles]
    ahead = unit(np.roll(corners, -1, axis=1) - corners)
    behind = unit(np.roll(corners, 1, axis=1) - corners)
    angles = np.arccos(np.clip((ahead * behind).sum(axis=2), -1, 1))
    faces = unit(np.cross(ahead[:, 0], behind[:, 0]))
    found = np.zeros_like(mesh.points)
    np.add.at(found, mesh.triangles, faces[:, None, :] * angles[..., None])
    return unit(found)


def unit(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return vectors, (..., 3), with length 1; those of length 0 as they are."""
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / np.where(lengths > 0, lengths, 1.0))
