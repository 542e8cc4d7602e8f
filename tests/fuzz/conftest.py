"""An API that strange things are thrown at."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.fuzz.served import ServedJob


@pytest.fixture(scope="module")
def served(redis_server, tmp_path_factory) -> Iterator[ServedJob]:
    """A real server with one job that is partly rendered."""
    from tests.fuzz.served import serve_a_job  # the farm's server parts, which a laptop has not

    with serve_a_job(redis_server.url, tmp_path_factory.mktemp("api")) as job:
        yield job
