"""FBX files made with code, as text: boxes of size 1 in a row along x, one metre to the unit."""

from __future__ import annotations

from pathlib import Path

from farm.spec.asset import Asset
from tests.support.blender.scenes import asset_of

HEAD = """\
; FBX 7.4.0 project file
FBXHeaderExtension:  {
    FBXHeaderVersion: 1003
    FBXVersion: 7400
}
GlobalSettings:  {
    Version: 1000
    Properties70:  {
        P: "UpAxis", "int", "Integer", "",2
        P: "UpAxisSign", "int", "Integer", "",1
        P: "FrontAxis", "int", "Integer", "",1
        P: "FrontAxisSign", "int", "Integer", "",-1
        P: "CoordAxis", "int", "Integer", "",0
        P: "CoordAxisSign", "int", "Integer", "",1
        P: "UnitScaleFactor", "double", "Number", "",100
    }
}
"""
CORNERS = [(x, y, z) for x in (-0.5, 0.5) for y in (-0.5, 0.5) for z in (-0.5, 0.5)]
SIDES = ((0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3))
SHAPE = 1000
"""Added to the number of an object for that of its mesh."""


class Fbx:
    """A file that grows by boxes and groups, each numbered from 1."""

    def __init__(self) -> None:
        self._objects: list[str] = []
        self._links: list[str] = []
        self._count = 0

    def add_group(self, name: str, *, below: int = 0, visible: bool = True) -> int:
        """Add what only holds others."""
        return self._add_model(name, "Null", below, visible=visible)

    def add_box(
        self, name: str, *, at: float = 0.0, below: int = 0, visible: bool = True, told: str = ""
    ) -> int:
        """Add a box; its mesh also says what is `told`."""
        number = self._add_model(name, "Mesh", below, at=at, visible=visible)
        corners = ",".join(str(part) for corner in CORNERS for part in corner)
        sides = ",".join(f"{a},{b},{c},{-d - 1}" for a, b, c, d in SIDES)
        self._objects.append(
            f'Geometry: {number + SHAPE}, "Geometry::", "Mesh" {{\n'
            f"Vertices: *24 {{\na: {corners}\n}}\n"
            f"PolygonVertexIndex: *24 {{\na: {sides}\n}}\nGeometryVersion: 124\n{told}}}\n"
        )
        self._links.append(f'C: "OO",{number + SHAPE},{number}\n')
        return number

    def _add_model(
        self, name: str, kind: str, below: int, *, at: float = 0.0, visible: bool
    ) -> int:
        self._count += 1
        self._objects.append(
            f'Model: {self._count}, "Model::{name}", "{kind}" {{\nVersion: 232\nProperties70: {{\n'
            f'P: "Lcl Translation", "Lcl Translation", "", "A",{at},0,0\n'
            f'P: "Visibility", "Visibility", "", "A",{int(visible)}\n}}\nShading: Y\n}}\n'
        )
        self._links.append(f'C: "OO",{self._count},{below}\n')
        return self._count

    def write(self, folder: Path) -> Asset:
        """Write the file."""
        path = folder / "boxes.fbx"
        objects, links = "".join(self._objects), "".join(self._links)
        path.write_text(f"{HEAD}Objects:  {{\n{objects}}}\nConnections:  {{\n{links}}}\n")
        return asset_of(path)
