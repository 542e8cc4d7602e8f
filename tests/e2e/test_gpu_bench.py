"""What a machine with a GPU is measured by, run on the CPU."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("bpy", reason="Blender is not installed")


def test_its_parts_run_on_a_cpu(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "bench.gpu", "--device", "cpu", "--small", "--out", str(tmp_path),
         "--parts", "labels", "pictures", "renderer lost"],
        cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False, timeout=400,
    )  # fmt: skip

    found = json.loads((tmp_path / "gpu.json").read_text())
    assert done.returncode == 0, found
    assert found["labels"]["share of pixels off"] == {"mask": 0.0, "depth": 0.0, "index": 0.0}
    assert found["pictures"]["device"] == "cpu"
    assert found["pictures"]["80 px/4: views"] == 4
    assert found["renderer lost"]["killed"] == 1
    assert found["renderer lost"]["views"] == 6
    assert "| pictures | device | cpu |" in (tmp_path / "gpu.md").read_text()
