"""Assets of the library, in a folder and in a bucket, render as those beside their own textures."""

from __future__ import annotations

from pathlib import Path

import bpy
import numpy as np
import pytest
from PIL import Image

from farm.library import Library
from farm.library.files import hash_file
from farm.spec.asset import Asset, AssetFile
from farm.spec.record import ViewRecord
from farm.spec.task import records_key
from farm.storage import open_storage
from tests.blender.test_render_task import Lease
from tests.support.blender.scenes import add_box, asset_of, blend_file
from tests.support.blender.shots import some_view, task_of
from worker.assets.cache import AssetCache
from worker.render.task import render_task

OBJ = "mtllib paint.mtl\nv 0 0 0\nv 1 0 0\nv 0 1 0\nv 0 0 1\nvt 0 0\nvt 1 0\nvt 0 1\nusemtl paint\n"
OBJ += "".join(f"f {a}/1 {b}/2 {c}/3\n" for a, b, c in [(1, 3, 2), (1, 2, 4), (2, 3, 4), (1, 4, 3)])


@pytest.fixture
def home(tmp_path):
    """Where the models are made; gone when they are rendered."""
    for name in ("models", "textures"):
        (tmp_path / "home" / name).mkdir(parents=True)
    Image.new("RGB", (8, 8), (0, 255, 0)).save(tmp_path / "home" / "textures" / "grün 1.png")
    return tmp_path / "home"


def green_blend(home: Path) -> Asset:
    path = home / "models" / "box.blend"
    with blend_file(path) as scene:
        material = bpy.data.materials.new("paint")
        tree = material.node_tree
        picture = tree.nodes.new("ShaderNodeTexImage")
        picture.image = bpy.data.images.load(str(home / "textures" / "grün 1.png"))
        picture.image.filepath = "//../textures/grün 1.png"
        tree.links.new(picture.outputs[0], tree.nodes["Principled BSDF"].inputs["Base Color"])
        add_box(scene, material=material)
    return asset_of(path)


def green_obj(home: Path) -> Asset:
    path = home / "models" / "box.obj"
    path.write_text(OBJ)
    (home / "models" / "paint.mtl").write_text("newmtl paint\nmap_Kd ../textures/grün 1.png\n")
    return asset_of(path)


def into_library(library: Library, asset: Asset) -> Asset:
    folder = Path(asset.path).parent
    names = [f"../textures/{path.name}" for path in folder.parent.glob("textures/*")]
    names += [path.name for path in folder.glob("*.mtl")] if asset.name.endswith("obj") else []
    files = []
    for name in ("./" + asset.name, *names):
        sha256 = hash_file(folder / name)
        library.add(sha256, folder / name)
        files.append(AssetFile(path=name, sha256=sha256, size_bytes=(folder / name).stat().st_size))
    changes = {"path": asset.name, "in_library": True, "dependencies": tuple(files[1:])}
    return asset.model_copy(update=changes)


@pytest.mark.parametrize("make", [green_blend, green_obj])
def test_a_model_of_the_library_comes_with_its_textures(blender, sky, place, tmp_path, home, make):
    storage = open_storage(place)
    library = Library(storage)
    model, hdr = into_library(library, make(home)), into_library(library, sky)
    home.rename(tmp_path / "gone")
    assets = AssetCache(library, tmp_path / "cache", 1 << 30)
    task = task_of(model, hdr.model_copy(update={"dependencies": ()}), some_view(fit=True))

    render_task(
        task,
        session=blender,
        storage=storage,
        attempt=1,
        worker="here",
        lease=Lease(),
        locate=assets.hold,
    )

    record = ViewRecord.model_validate_json(storage.get(records_key(task)))
    assert record.assets[0] == model, "the record knows the asset, not the cache"
    rgb, mask = (
        read_png(tmp_path, storage.get(f"vases/{record.files[name].path}"))
        for name in ("rgb", "mask")
    )
    red, green, blue = rgb[mask > 250].mean(axis=0)
    assert green > 1.4 * max(red, blue)


def read_png(folder: Path, data: bytes) -> np.ndarray:
    (folder / "picture.png").write_bytes(data)
    with Image.open(folder / "picture.png") as picture:
        return np.asarray(picture)
