from __future__ import annotations

import asyncio

import pytest

from farm.api.access import guesses
from farm.api.access.guesses import (
    ADDRESSES,
    FORGOTTEN_S,
    FREE,
    LONGEST_S,
    WAITING_EACH,
    Guesses,
    network,
)
from farm.api.problems import ApiProblem


class Clock:
    now_s = 1000.0

    def __call__(self):
        return self.now_s


@pytest.fixture
def clock():
    return Clock()


def waits_of(known, address, count):
    """How long each of so many wrong tokens waits for its answer."""
    waits = []

    async def sleep(seconds):
        waits.append(seconds)

    known.sleep = sleep

    async def guess():
        told = []
        for _ in range(count):
            waits.clear()
            await known.slow_down(address)
            told.append(sum(waits))
        return told

    return asyncio.run(guess())


def test_every_wrong_token_waits_twice_as_long_up_to_a_bound(clock):
    told = waits_of(Guesses(clock=clock), "192.0.2.1", FREE + 20)

    assert told[:FREE] == [0] * FREE, "people mistype"
    assert told[FREE : FREE + 4] == [0.25, 0.5, 1.0, 2.0]
    assert told[-1] == LONGEST_S


def test_an_address_does_not_wait_for_another_one(clock):
    known = Guesses(clock=clock)
    waits_of(known, "192.0.2.1", 50)

    assert waits_of(known, "192.0.2.2", 1) == [0]


def test_who_stops_is_forgotten(clock):
    known = Guesses(clock=clock)
    waits_of(known, "192.0.2.1", 50)
    clock.now_s += FORGOTTEN_S + 1

    assert waits_of(known, "192.0.2.1", 1) == [0]


def test_memory_does_not_grow_with_the_addresses(clock):
    known = Guesses(clock=clock)

    async def guess():
        for number in range(ADDRESSES + 500):
            await known.slow_down(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}")

    asyncio.run(guess())

    assert len(known.known) == ADDRESSES


def test_no_more_than_a_few_of_an_address_wait_at_a_time(clock):
    async def guess():
        go = asyncio.Event()
        known = Guesses(clock=clock, sleep=lambda _seconds: go.wait())
        for _ in range(FREE):
            await known.slow_down("192.0.2.1")
        waiting = [asyncio.create_task(known.slow_down("192.0.2.1")) for _ in range(WAITING_EACH)]
        await asyncio.sleep(0)
        with pytest.raises(ApiProblem) as refused:
            await known.slow_down("192.0.2.1")
        go.set()
        await asyncio.gather(*waiting)
        return refused.value, known

    refused, known = asyncio.run(guess())
    assert refused.status_code == 429
    assert refused.headers == {"Retry-After": "8"}
    assert known.waiting == 0


def test_nor_of_all_addresses(clock, monkeypatch):
    monkeypatch.setattr(guesses, "WAITING", 0)
    known = Guesses(clock=clock)
    waits_of(known, "192.0.2.1", FREE)

    with pytest.raises(ApiProblem, match="too many wrong tokens"):
        waits_of(known, "192.0.2.1", 1)


@pytest.mark.parametrize(
    ("address", "same"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
        ("x" * 500, "x" * 64),
    ],
)
def test_of_ipv6_a_whole_network_is_one(address, same):
    assert network(address) == same
