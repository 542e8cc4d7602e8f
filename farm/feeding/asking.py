"""What consumers ask for and are told."""

from __future__ import annotations

from typing import NamedTuple

from pydantic import Field

from farm.spec.base import Spec
from farm.spec.stream import MOST_QUEUE

IN_REDIS, IN_MEMORY = b"B", b"F"
"""First byte of what is kept of a sample: the sample follows, or the name of its file."""
PREFIX = 64
"""Bytes before a sample, so that its arrays stay aligned."""
MOST_NUMBERS = 100_000
CONSUMER_PATTERN = r"^[0-9a-z]{1,32}$"


class Pull(Spec):
    """What a consumer asks for."""

    consumer: str = Field(pattern=CONSUMER_PATTERN)
    group: str = Field(default="", max_length=32)
    """Consumers of one training: they live and die together."""
    queue: int = Field(ge=0, le=MOST_QUEUE)
    """Samples that it has room for, those in its hands included; 0 for one that only
    acknowledges."""
    lease_s: float = Field(gt=0.0, le=3600.0)
    """Silence after which what it was lent goes to others."""
    holds: tuple[int, ...] = Field(default=(), max_length=MOST_NUMBERS)
    """Numbers of the samples in its hands."""
    acks: tuple[int, ...] = Field(default=(), max_length=MOST_NUMBERS)
    """Numbers of samples that were used, by whomever."""
    leaves: bool = False
    """It wants no more: what it holds and has not acknowledged is for others."""
    wait_s: float = Field(default=0.0, ge=0.0, le=60.0)
    """How long it waits for a sample."""


class Lent(NamedTuple):
    """A sample on its way to a consumer."""

    number: int
    """Its place in the stream, by which it is acknowledged."""
    data: bytes


class Pulled(NamedTuple):
    """What a consumer is told."""

    samples: tuple[Lent, ...] = ()
    drop: tuple[int, ...] = ()
    """Numbers that it holds no longer: its lease had expired, or they were acknowledged."""
    over: bool = False
    """Nothing more comes for it."""
    short: bool = False
    """... though not all samples were handed out."""
    gone: bool = False
    """There is no such stream."""
    freed: tuple[str, ...] = ()
    """Files in memory whose samples were acknowledged just now."""

    @property
    def is_news(self) -> bool:
        """There is something in it."""
        return bool(self.samples or self.drop or self.over or self.gone)
