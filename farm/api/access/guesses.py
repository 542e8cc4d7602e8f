"""Wrong tokens: the more of them come from an address, the longer it waits for the answer."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address

from farm.api.problems import ApiProblem

FREE = 5
"""Wrong tokens that cost nothing: people mistype."""
FIRST_S = 0.25
"""Wait for the answer to the next one; it doubles with each."""
LONGEST_S = 8.0
FORGOTTEN_S = 600.0
"""Time without a wrong token after which an address counts as new."""
ADDRESSES = 10_000
"""Most addresses that are remembered: the one that was silent longest is forgotten."""
WAITING_EACH = 8
"""Most requests of one address that wait at a time; others are refused at once."""
WAITING = 500
"""The same, of all."""
NETWORK_BITS = 64
"""What one subscriber has of IPv6."""


@dataclass
class Guesser:
    """An address that sent wrong tokens."""

    wrong: int = 0
    last_s: float = 0.0
    waiting: int = 0


class Guesses:
    """Remembers who guesses; right tokens of the same address are never held up."""

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.clock = clock
        self.sleep = sleep
        self.known: OrderedDict[str, Guesser] = OrderedDict()
        self.waiting = 0

    async def slow_down(self, address: str) -> None:
        """Note a wrong token, and wait as long as its address has earned.

        Raises:
            ApiProblem: Too many requests wait already.
        """
        guesser = self._note(network(address))
        wait_s = min(FIRST_S * 2.0 ** (guesser.wrong - FREE - 1), LONGEST_S)
        if guesser.wrong <= FREE:
            return
        if guesser.waiting >= WAITING_EACH or self.waiting >= WAITING:
            raise ApiProblem(
                429,
                "too many wrong tokens came from this address",
                f"wait {LONGEST_S:.0f} s; then run `farm login URL` with a token that is right",
                {"Retry-After": f"{LONGEST_S:.0f}"},
            )
        guesser.waiting, self.waiting = guesser.waiting + 1, self.waiting + 1
        try:
            await self.sleep(wait_s)
        finally:
            guesser.waiting, self.waiting = guesser.waiting - 1, self.waiting - 1

    def _note(self, name: str) -> Guesser:
        now_s = self.clock()
        guesser = self.known.pop(name, None)
        if guesser is None or now_s - guesser.last_s > FORGOTTEN_S:
            guesser = Guesser(waiting=guesser.waiting if guesser else 0)
        guesser.wrong, guesser.last_s = min(guesser.wrong + 1, 100), now_s
        self.known[name] = guesser
        while len(self.known) > ADDRESSES:
            self.known.popitem(last=False)
        return guesser


def network(address: str) -> str:
    """Return what counts as one address: of IPv6 everybody has very many."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return address[:NETWORK_BITS]
    if not isinstance(found, IPv6Address):
        return str(found)
    if found.ipv4_mapped:
        return str(found.ipv4_mapped)
    return f"{IPv6Address(int(found) >> NETWORK_BITS << NETWORK_BITS)}/{NETWORK_BITS}"
