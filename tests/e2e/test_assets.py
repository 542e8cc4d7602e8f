"""From a site to a dataset: what is fetched is rendered, and its makers are named."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from farm.spec.record import ViewRecord
from tests.e2e.conftest import Assets, farm
from tests.support.sites import FakeBlenderKit, FakePolyHaven

SHARED = Path(__file__).resolve().parents[3] / "shared" / "assets"
TINY = ("--resolution", 64, "--samples", 2, "--yaw", 2, "--pitch", 1, "--device", "cpu",
        "--workers", 1)  # fmt: skip


def real_files(assets: Assets, tmp_path: Path) -> tuple[bytes, bytes, bytes]:
    """A .blend, an .exr and a Radiance picture: those that are kept for tests, else made here."""
    hdr = next(iter(sorted(assets.hdrs.glob("*.hdr")))).read_bytes()
    blend, exr = SHARED / "models" / "zeyu_vase.blend", SHARED / "hdrs" / "lab_512_dwab.exr"
    if not (blend.is_file() and exr.is_file()):
        blend, exr = tmp_path / "made.blend", tmp_path / "made.exr"
        subprocess.run([sys.executable, "-c", MAKE, blend, exr], check=True)
    return blend.read_bytes(), exr.read_bytes(), hdr


MAKE = """
import sys, bpy
bpy.ops.wm.read_factory_settings()
bpy.ops.wm.save_as_mainfile(filepath=sys.argv[1])
image = bpy.data.images.new("sky", 16, 8, float_buffer=True)
image.file_format = "OPEN_EXR"
image.save(filepath=sys.argv[2])
"""


@pytest.fixture
def sites(monkeypatch):
    for name in [name for name in os.environ if name.upper().endswith("_PROXY")]:
        monkeypatch.delenv(name)
    blenderkit, polyhaven = FakeBlenderKit(), FakePolyHaven()
    monkeypatch.setenv("BLENDERKIT_SERVER", blenderkit.address)
    monkeypatch.setenv("POLYHAVEN_SERVER", polyhaven.address)
    monkeypatch.setenv("FARM_ASSETS_SPACING_S", "0")
    with blenderkit.running(), polyhaven.running():
        yield blenderkit, polyhaven


def test_from_a_search_to_a_dataset_that_names_every_maker(sites, assets, tmp_path):
    blenderkit, polyhaven = sites
    blend, exr, hdr = real_files(assets, tmp_path)
    vase = blenderkit.add("Tall vase", {"blend": (".blend", blend)})
    lab = blenderkit.add("Lab", {"resolution_2K": (".exr", exr)}, kind="hdr", license="cc_zero")
    sky = {"2k": {"hdr": polyhaven.put("/sky_2k.hdr", hdr)}}
    polyhaven.add("evening_sky", {"hdri": sky}, kind=0)

    for command in (
        ("scrape", "-o", "models.json"),
        ("scrape", "--type", "hdr", "-o", "hdrs.json"),
        ("scrape", "--source", "polyhaven", "--type", "hdr", "-o", "more.json"),
        ("download", "models.json", "hdrs.json", "more.json", "--yes"),
    ):
        done = farm("assets", *command, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
    done = farm("render", "--models", "downloads/model", "--hdrs", "downloads/hdr",
                "--output", "datasets", *TINY, cwd=tmp_path)  # fmt: skip
    assert done.returncode == 0, done.stderr

    told = [(path / "ATTRIBUTION.md").read_text() for path in (tmp_path / "datasets").iterdir()]
    assert len(told) == 2
    assert all("Tall vase" in text and "Ada Love" in text for text in told)
    assert all(vase["assetBaseId"] in text and "Royalty Free" in text for text in told)
    by_hdr = {"Lab" if "[Lab]" in text else "evening sky": text for text in told}
    assert lab["id"] in by_hdr["Lab"]
    assert "[CC0 1.0](<https://creativecommons.org/publicdomain/zero/1.0/>)" in by_hdr["Lab"]
    assert "by Greg Zaal" in by_hdr["evening sky"]
    assert "https://polyhaven.com/a/evening_sky" in by_hdr["evening sky"]
    assert all("not known" not in text for text in told)
    for dataset in (tmp_path / "datasets").iterdir():
        records = (dataset / "views.jsonl").read_text().splitlines()
        credit = ViewRecord.model_validate_json(records[0]).assets[0].credit
        assert (credit.source, credit.source_id) == ("blenderkit", vase["assetBaseId"])
        summary = json.loads((dataset / "dataset.json").read_text())
        assert summary["assets"][0]["credit"]["licence"] == "royalty_free"
