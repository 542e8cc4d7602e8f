from __future__ import annotations

from collections.abc import Iterator

import pytest

from farm.ledger import Ledger
from farm.ledger.stores.memory_store import MemoryStore
from farm.ledger.stores.redis_store import RedisStore, connect


@pytest.fixture(params=["memory", "redis"])
def ledger(request: pytest.FixtureRequest) -> Iterator[Ledger]:
    """The ledger and its twin: every promise holds for both."""
    if request.param == "memory":
        yield Ledger(MemoryStore())
        return
    client = connect(request.getfixturevalue("redis_url"))
    yield Ledger(RedisStore(client))
    client.close()
