"""The samples open, are what they claim to be, and say whose they are."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from farm.spec.asset import Credit

bpy = pytest.importorskip("bpy")

from worker.blender.samples.things import THINGS  # noqa: E402  needs bpy

MODELS = {"cup": {"body", "handle", "coffee"}, "chair": {"shell", "legs", "cushion"}}
MODELS["goblet"] = {"vessel", "wine"}
HDRIS = {"forest", "interior", "sunset"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """What `farm samples` writes, in a process of its own: it resets Blender."""
    folder = tmp_path_factory.mktemp("samples")
    write_samples(folder)
    return folder


def test_there_are_three_models_and_three_hdris(folder):
    assert {path.stem for path in folder.glob("models/*.blend")} == set(MODELS)
    assert {path.stem for path in folder.glob("hdrs/*.exr")} == HDRIS


def test_nothing_but_assets_and_sidecars_is_written(folder):
    assets = [*folder.glob("models/*.blend"), *folder.glob("hdrs/*.exr")]
    sidecars = [path.with_name(f"{path.name}.json") for path in assets]

    assert {path for path in folder.rglob("*") if path.is_file()} == {*assets, *sidecars}


@pytest.mark.parametrize("asset", ["models/cup.blend", "hdrs/forest.exr"])
def test_each_asset_has_a_credit(folder, asset):
    credit = Credit.model_validate_json((folder / f"{asset}.json").read_bytes())

    assert credit.licence == "CC0-1.0"
    assert credit.author
    assert credit.name


def test_writing_them_again_changes_no_file(folder):
    assets = [*folder.glob("models/*.blend"), *folder.glob("hdrs/*.exr")]
    before = {path: path.stat().st_mtime_ns for path in assets}

    write_samples(folder)

    assert {path: path.stat().st_mtime_ns for path in before} == before


@pytest.mark.parametrize("name", sorted(MODELS))
def test_a_model_opens_with_its_parts(folder, name):
    with bpy.data.libraries.load(str(folder / "models" / f"{name}.blend")) as (source, _):
        assert set(source.objects) == MODELS[name]
        assert len(source.scenes) == 1


@pytest.mark.parametrize("name", sorted(MODELS))
def test_a_model_is_closed_and_light_enough(folder, name):
    path = str(folder / "models" / f"{name}.blend")
    with bpy.data.libraries.load(path) as (source, target):
        target.meshes = list(source.meshes)

    faces = sum(len(mesh.polygons) for mesh in target.meshes)
    solid = [mesh for mesh in target.meshes if mesh.name.partition(".")[0] != "coffee"]

    assert 1000 < faces < 12_000
    assert all(open_edges(mesh) == 0 for mesh in solid)
    assert all(mesh.materials for mesh in target.meshes)


def test_things_for_a_table_are_solid_of_real_size_and_of_one_colour(tmp_path):
    write_samples(tmp_path, things=True)

    files = sorted(tmp_path.glob("things/*.blend"))
    assert len(files) == len(THINGS) == 14
    assert not (tmp_path / "models").exists()
    for path, thing in zip(
        files, sorted(THINGS, key=lambda each: f"{each.colour}_{each.noun}"), strict=False
    ):
        with bpy.data.libraries.load(str(path)) as (_source, target):
            target.meshes = list(_source.meshes)
        [mesh] = target.meshes
        assert path.stem == f"{thing.colour}_{thing.noun}"
        assert open_edges(mesh) == 0
        points = [tuple(vertex.co) for vertex in mesh.vertices]
        sides = [max(axis) - min(axis) for axis in zip(*points, strict=False)]
        assert 0.05 < max(sides) < 0.25
        assert min(point[2] for point in points) == pytest.approx(0.0, abs=1e-6)
        assert [material.name.partition(".")[0] for material in mesh.materials] == [thing.colour]
        credit = Credit.model_validate_json(path.with_name(f"{path.name}.json").read_bytes())
        assert (credit.name, credit.category) == (
            f"{thing.colour} {thing.noun}".capitalize(), thing.noun
        )  # fmt: skip


def open_edges(mesh) -> int:
    """Count the edges that have not exactly two faces."""
    uses: dict[tuple[int, int], int] = {}
    for face in mesh.polygons:
        for edge in face.edge_keys:
            uses[edge] = uses.get(edge, 0) + 1
    return sum(count != 2 for count in uses.values())


def write_samples(folder: Path, *, things: bool = False) -> None:
    code = "import sys; from pathlib import Path; from worker.cli import samples"
    call = f"samples(Path(sys.argv[1]), things={things})"
    command = [sys.executable, "-c", f"{code}; {call}", str(folder)]
    subprocess.run(command, check=True, capture_output=True, text=True)
