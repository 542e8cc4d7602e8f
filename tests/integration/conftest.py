from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.farms.whole_farm import Farm

pytest.importorskip("celery", reason="the farm's server parts are not installed")


@pytest.fixture
def farm(redis_url: str, tmp_path: Path) -> Iterator[Farm]:
    with Farm(redis_url, tmp_path) as running:
        yield running
