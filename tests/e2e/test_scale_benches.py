"""What a farm and its tools take at size, measured small."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("imagecodecs")


def run_bench(name: str, out: Path, *flags: str) -> dict:
    done = subprocess.run(
        [sys.executable, "-m", f"bench.{name}", "--small", "--out", str(out), *flags],
        cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False, timeout=500,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    (facts,) = out.glob("*.json")
    return json.loads(facts.read_text())


def test_tools_are_measured_at_two_sizes(tmp_path):
    found = run_bench("tools_at_size", tmp_path, "--tools", "verify,split")

    assert found["verify"].keys() == {"128", "256"}
    assert all(size["here"]["peak_mb"] > 1 for size in found["split"].values())
    assert "| verify |" in (tmp_path / "tools.md").read_text()
    assert (tmp_path / "tools.png").read_bytes().startswith(b"\x89PNG")


def test_the_queue_is_measured_with_messages_and_ledger(tmp_path):
    pytest.importorskip("celery")

    found = run_bench("queue_scale", tmp_path)

    assert found["overhead"]["by step, ms"].keys() >= {"claim", "complete", "confirm", "progress"}
    assert [row["workers"] for row in found["scale"]] == [1, 2]
    assert all(0 < row["efficiency"] <= 1 for row in found["scale"])
    assert found["redis"][-1]["bytes per task, waiting"] < 1.5
    assert [row["kind"] for row in found["celery"]] == ["group", "chord"]
    assert found["dispatcher"]["tasks/s"] > 0
