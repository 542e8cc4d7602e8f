"""One warm Blender for all tests, and small assets made with code."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="needs the worker's install (bpy)")

from farm.spec.asset import Asset, Credit  # noqa: E402
from farm.storage import FolderStorage  # noqa: E402
from tests.support.blender import still_life  # noqa: E402
from tests.support.blender.own_session import open_blender  # noqa: E402
from tests.support.blender.scenes import asset_of, blend_file, fill_statue, write_sky  # noqa: E402
from tests.support.blender.shots import Rendered, render_labelled  # noqa: E402
from worker.blender.session import BlenderSession  # noqa: E402

SAMPLE_ASSETS = (Path(__file__).parents[3] / "shared" / "assets").resolve()


@pytest.fixture(scope="session")
def blender(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BlenderSession]:
    """The one Blender of this process."""
    threads = 1 if "PYTEST_XDIST_WORKER" in os.environ else None  # other tests run beside
    session = open_blender(tmp_path_factory.mktemp("scratch"), threads=threads)
    yield session
    session.close()


@pytest.fixture(scope="session")
def sample_assets() -> Path:
    """Real models and HDRIs that are too large for the repository."""
    if not SAMPLE_ASSETS.is_dir():
        pytest.skip("the folder of sample assets (../shared/assets) is not on this machine")
    return SAMPLE_ASSETS


@pytest.fixture(scope="session")
def statue(blender: BlenderSession, tmp_path_factory: pytest.TempPathFactory) -> Asset:
    """A model without light of its own."""
    path = tmp_path_factory.mktemp("statue") / "statue.blend"
    with blend_file(path) as scene:
        fill_statue(scene)
    return asset_of(path)


@pytest.fixture(scope="session")
def lantern(blender: BlenderSession, tmp_path_factory: pytest.TempPathFactory) -> Asset:
    """The same model, but one part of it glows."""
    path = tmp_path_factory.mktemp("lantern") / "lantern.blend"
    with blend_file(path) as scene:
        fill_statue(scene, glow=1.0)
    return asset_of(path)


@pytest.fixture(scope="session")
def sky(tmp_path_factory: pytest.TempPathFactory) -> Asset:
    """An environment with a bright red side, a blue one and a dim rest."""
    pixels = np.full((32, 64, 3), 0.15, dtype=np.float32)
    pixels[6:18, 4:14] = (6.0, 0.6, 0.3)
    pixels[10:20, 40:48] = (0.2, 0.4, 3.0)
    return write_sky(tmp_path_factory.mktemp("sky") / "sky.exr", pixels)


@pytest.fixture
def write_blend(
    blender: BlenderSession, tmp_path: Path
) -> Callable[[Callable[[bpy.types.Scene], None]], Asset]:
    """Make a model of what a function puts into a scene."""

    def write(fill: Callable[[bpy.types.Scene], None]) -> Asset:
        path = tmp_path / "model.blend"
        with blend_file(path) as scene:
            fill(scene)
        return asset_of(path)

    return write


@pytest.fixture(scope="module")
def model_of(blender, tmp_path_factory):
    """Make models of what functions put into scenes, each once."""

    def write(fill: Callable[[bpy.types.Scene], None]) -> Asset:
        path = tmp_path_factory.mktemp("model") / "model.blend"
        blender.free_model()  # whose names it would otherwise not get
        with blend_file(path) as scene:
            fill(scene)
        return asset_of(path)

    return write


@pytest.fixture(scope="session")
def still(blender, tmp_path_factory):
    """The model whose labels are known."""
    path = tmp_path_factory.mktemp("still") / "still.blend"
    blender.free_model()  # whose names it would otherwise not get
    with blend_file(path) as scene:
        still_life.fill_still_life(scene)
    return asset_of(path).model_copy(update={"credit": Credit(name="Still life", category="fruit")})


@pytest.fixture(scope="session")
def labelled(blender: BlenderSession, tmp_path_factory: pytest.TempPathFactory):
    """Render one view with every pass, or some, and read it back."""

    def run(*args, **settings) -> Rendered:
        storage = FolderStorage(tmp_path_factory.mktemp("labelled"))
        return render_labelled(blender, storage, *args, **settings)

    return run
