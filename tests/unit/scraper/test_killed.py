"""A download that is killed or interrupted goes on where it was."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading

import pytest

from tests.support.asset_bytes import a_blend
from tests.support.sites import Answer, FakeBlenderKit
from tests.support.waiting import wait_for


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGKILL, -signal.SIGKILL), (signal.SIGINT, 130)]
)
def test_a_stopped_download_keeps_what_is_whole_and_goes_on(
    assets, blenderkit: FakeBlenderKit, number, code
):
    small, large = a_blend(1, 9_000), a_blend(2, 3_000_000)
    blenderkit.add("Small", {"blend": (".blend", small)})
    row = blenderkit.add("Large", {"blend": (".blend", large)})
    assert assets("scrape", "-o", "models.json").code == 0
    hold = threading.Event()
    path = blenderkit.paths[row["files"][0]["uuid"]]
    blenderkit.files.faults[path].append(Answer(200, large, cut_at=1_000_000, wait=hold))
    command = [sys.executable, "-m", "farm", "assets", "download", "models.json", "--yes"]
    environment = os.environ | {"FARM_ASSETS_SPACING_S": "0"}
    process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
    part = assets.downloads / "model" / f"{row['assetBaseId']}.part"
    try:
        wait_for(lambda: part.exists() and part.stat().st_size == 1_000_000, "a part")
        process.send_signal(number)
        _, told = process.communicate(timeout=120)
    finally:  # a second communicate() says nothing new, and closes the pipe if the first failed
        hold.set()
        process.kill()
        process.communicate()
    assert process.returncode == code, told
    if number == signal.SIGINT:
        assert "1 fetched" in told
        assert "run the same command again to resume" in told
    assert len([name for name in assets.files() if name.endswith(".blend")]) == 1
    blenderkit.files.requests.clear()

    done = assets("download", "models.json", "--yes")

    assert done.code == 0, done.stderr
    assert [r.headers.get("range") for r in blenderkit.files.requests] == ["bytes=1000000-"]
    assert part.with_suffix(".blend").read_bytes() == large
    assert not part.exists()
