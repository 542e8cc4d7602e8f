"""What a task costs beside its render are round trips to Redis: they stay few."""

from __future__ import annotations

import pytest
from redis.connection import AbstractConnection

from farm.ledger import Ledger
from farm.ledger.stores.redis_store import RedisStore, connect


@pytest.fixture
def ledger(redis_url):
    client = connect(redis_url)
    yield Ledger(RedisStore(client))
    client.close()


@pytest.fixture
def sent(monkeypatch):
    """What was sent to Redis, a piece for each round trip."""
    pieces = []
    send = AbstractConnection.send_packed_command

    def note(self, command, *args, **kwargs):
        pieces.append(command)
        return send(self, command, *args, **kwargs)

    monkeypatch.setattr(AbstractConnection, "send_packed_command", note)
    return pieces


def test_verbs_of_a_task_take_few_round_trips(ledger, sent):
    ledger.add_job("warm", tasks=1, views=1)
    ledger.add_job("job", tasks=2, views=4)
    first, second = ledger.take("job", 2)
    for ticket in (first,):  # scripts are loaded, connections are made
        ledger.claim(ticket, "gpu0@host#1")
        ledger.progress(ticket, 1)
        ledger.complete(ticket)

    trips = {}
    for name, verb in {
        "claim": lambda: ledger.claim(second, "gpu0@host#1"),
        "confirm": lambda: ledger.confirm(second),
        "progress": lambda: ledger.progress(second, 1),
        "complete": lambda: ledger.complete(second),
    }.items():
        sent.clear()
        assert verb()
        trips[name] = len(sent)

    assert trips == {"claim": 8, "confirm": 1, "progress": 1, "complete": 3}
