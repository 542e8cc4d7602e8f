"""Where a stream runs: on a farm that it starts itself, or on one over HTTP."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, Self

from pydantic import ValidationError

from farm import expand
from farm.errors import SpecError, needing
from farm.spec.base import first_reason
from farm.spec.job import Job, JobSpec, make_stream
from farm.spec.load import parse_spec
from farm.spec.stream import Encoding, StreamWishes
from farm.training.record import refuse_pickles
from farm.training.source import FarmSource, LocalSource, Source

if TYPE_CHECKING:
    from farm.client import Client
    from farm.local.stream_farm import StreamAddress, StreamFarm

LOCAL, LOGIN = "local", "farm"
"""Instead of a farm's address: one on this machine; that of `farm login`."""
LOGIN_PATIENT_S = 120.0
"""Longest wait for another `farm login`, where its token expires in the middle of a training."""


class Place(Protocol):
    """Where a stream runs; opened anew by each process of a training."""

    @property
    def job_id(self) -> str: ...

    @property
    def job(self) -> Job | None: ...

    @property
    def encoding(self) -> Encoding: ...

    def open(self) -> Source:
        """Return this process's own way to it."""

    def sent(self) -> Place:
        """Return it as another process may have it: without what only its owner can end."""

    def close(self) -> None:
        """End what was started for it."""


@dataclass(frozen=True)
class LocalPlace:
    """A private farm."""

    job: Job | None
    address: StreamAddress
    farm: StreamFarm | None

    @property
    def job_id(self) -> str:
        return self.address.job_id

    @property
    def encoding(self) -> Encoding:
        assert self.job is not None
        assert self.job.stream is not None
        return self.job.stream.encoding

    def open(self) -> Source:
        from farm.feeding.book import StreamBook

        book = StreamBook(self.address.redis_url, bound_bytes=self.address.bound_bytes)
        return LocalSource(book, self.address)

    def sent(self) -> Self:
        return replace(self, farm=None)

    def close(self) -> None:
        if self.farm is not None:
            self.farm.close()


@dataclass(frozen=True)
class FarmPlace:
    """A farm over HTTP; each process logs in as its user has."""

    job_id: str
    encoding: Encoding
    url: str
    job: Job | None = None
    is_ours: bool = False
    """Nobody else knows it: it is cancelled when it is closed."""

    def open(self) -> Source:
        from farm.client.streams import StreamClient

        return FarmSource(StreamClient(client_of(self.url), self.job_id))

    def sent(self) -> Self:
        return replace(self, is_ours=False)

    def close(self) -> None:
        from farm.client.streams import give_up

        if self.is_ours:
            with client_of(self.url) as client:
                give_up(client, self.job_id)


def client_of(farm: str | None) -> Client:
    """Return a client of the farm at an address; of `farm`, or None, of the one of the login."""
    from farm.client import Client

    url = None if farm in (LOCAL, LOGIN, None) else farm
    return Client(url, login_patience_s=LOGIN_PATIENT_S)


def wishes_of(**wishes: Any) -> StreamWishes:
    """Return what is asked for.

    Raises:
        SpecError: It cannot be.
    """
    try:
        return StreamWishes(**wishes)
    except ValidationError as error:
        raise SpecError(first_reason(error)) from None


def spec_of(
    spec: JobSpec | Mapping[str, Any] | str | PathLike[str], passes: Sequence[str] | None
) -> tuple[JobSpec, Path]:
    """Return the spec with the passes that are wanted, and where its paths start from.

    Raises:
        SpecError: It is not a spec.
    """
    from farm.client.prepared_job import read_spec

    if isinstance(spec, (str, PathLike)):
        refuse_pickles("spec", spec)
        spec = Path(spec)
    read, base = read_spec(spec)
    if passes is None:
        return read, base
    return parse_spec(read.model_dump(mode="json") | {"passes": list(passes)}), base


def start_here(
    spec: JobSpec, wishes: StreamWishes, *, base: Path, device: str, workers: str
) -> LocalPlace:
    """Begin a stream on a farm of its own, which comes up while the spec's files are read.

    Raises:
        FarmError: The spec is wrong, or the machine cannot do it.
    """
    from farm.devices import choose_devices
    from farm.local.plan.prepare import prepare

    with needing("rendering needs", "pip install 'viewfarm[worker]' on Python 3.13"):
        from farm.local.stream_farm import StreamFarm
    farm = StreamFarm(choose_devices(device, workers))
    try:
        made, _remarks = prepare(spec, base=base)
        plan = wishes.plan(views=expand.count(made).views)
        job = make_stream(made, plan, views_per_task=wishes.views_per_task)
        return LocalPlace(job, farm.add(job), farm)
    except BaseException:
        farm.close()
        raise


def start_there(
    spec: JobSpec, wishes: StreamWishes, *, base: Path, farm: str, is_ours: bool
) -> FarmPlace:
    """Begin a stream on a farm over HTTP.

    Raises:
        FarmError: The farm does not take it, or cannot be reached.
    """
    from farm.client.streams import begin

    with client_of(farm) as client:
        found, job = begin(client, spec, wishes, base=base)
        return FarmPlace(found.job_id, found.encoding, client.url, job, is_ours)


def attach(address: str, farm: str) -> FarmPlace:
    """Take part in a stream of a farm: `farm:JOB`, or its address.

    Raises:
        FarmError: It is not there, or cannot be reached.
    """
    from farm.client.streams import address_of, find

    url, name = address_of(address)
    with client_of(url or farm) as client:
        found = find(client, name).info()
        return FarmPlace(found.job_id, found.encoding, client.url)
