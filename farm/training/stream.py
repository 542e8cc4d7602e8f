"""`Stream`: the views of a job while they are rendered, without PyTorch."""

from __future__ import annotations

import itertools
import json
import secrets
import time
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from os import PathLike, getpid
from typing import Any, Self

from pydantic import JsonValue

from farm.errors import SpecError, StreamError
from farm.feeding.asking import Pull
from farm.spec.job import Job, JobSpec
from farm.spec.passes import PassName
from farm.spec.stream import MOST_QUEUE, MOST_SENT, Sent, StreamState
from farm.stream.batches import Batch, Collator, Memory
from farm.stream.sample import Schema
from farm.training.consumer import LEASE_S, Consumer, Item
from farm.training.place import (
    LOCAL,
    Place,
    attach,
    spec_of,
    start_here,
    start_there,
    wishes_of,
)
from farm.training.record import Recorder, finish_record, record_folder
from farm.training.source import Source
from farm.training.view import HIDDEN, SENT_ID, StreamedView, decoded, number_of, opened

QUEUE = 16
TIMEOUT_S = 60.0
FARMS = ("farm:", "http://", "https://")
"""What the addresses of streams begin with."""
RAGGED = ("tracks", "events", "amodal")
"""Passes with a row for each of what they tell of, and not for each pixel."""


class Stream:
    """Views of a job as they are rendered: iterate over it.

        with Stream("spec.yaml", passes=("rgb", "mask"), length=1000) as views:
            for view in views:
                view["rgb"], view.record

    Each view goes to one consumer, wherever there are several. It is acknowledged when the next one
    is asked for; what was not acknowledged when a consumer dies is given to another.
    """

    def __init__(  # noqa: PLR0913  each is one thing that a training may want otherwise
        self,
        spec: JobSpec | Mapping[str, Any] | str | PathLike[str],
        passes: Sequence[PassName] | None = None,
        *,
        queue: int = QUEUE,
        timeout_s: float = TIMEOUT_S,
        length: int | None = None,
        ordered: bool = False,
        duplex: bool = False,
        record: str | PathLike[str] | None = None,
        by_hand: bool = False,
        lease_s: float = LEASE_S,
        farm: str = "local",
        name: str | None = None,
        encoding: str | None = None,
        device: str = "auto",
        workers: str = "auto",
    ) -> None:
        """Begin a stream, or take part in one.

        Args:
            spec: A spec, its fields, the path of a YAML file, or `farm:JOB`: a stream of a farm
                that somebody began.
            passes: Those of each view; left out: the spec's.
            queue: Samples that a consumer has room for, at most: the credits that it grants.
            timeout_s: Longest time without a sample, after which it is said who is at fault.
            length: Samples in all; left out: as many as the spec has views. If it has fewer, it is
                rendered again with the seeds that follow its own.
            ordered: In the order of the spec's views, rather than as they are rendered.
            duplex: Render only what was sent, a view for each set of parameters.
            record: Folder to write all views to, too, as a dataset.
            by_hand: Nothing is acknowledged but by `ack`.
            lease_s: Silence of a consumer after which what it had goes to others.
            farm: `local` starts a farm on this machine, which ends with the stream; `farm` is the
                one of `farm login`; else the address of one.
            name: The same spec under the same name is the same stream on a farm: who comes back
                continues it. Left out: a new one.
            encoding: `arrays` or `files`, which are smaller; left out: `files` over the network or
                where they are recorded.
            device: That a local farm renders on, as of `farm render`.
            workers: Of a local farm, as of `farm render`.

        Raises:
            FarmError: It cannot begin.
        """
        check_whole("queue", queue, 1, MOST_QUEUE)
        if not timeout_s > 0:
            raise SpecError(f"timeout_s: {timeout_s} is not more than 0")
        self.queue, self.timeout_s, self.by_hand = queue, float(timeout_s), by_hand
        self.lease_s = float(lease_s)
        self.folder = None if record is None else record_folder(record)
        self._since_s = time.monotonic()
        self._owner = getpid()
        self._group = secrets.token_hex(8)
        self._recorded = False
        self._source: tuple[int, Source] | None = None
        if isinstance(spec, str) and spec.startswith(FARMS):
            self._place: Place = attach(spec, farm)
        else:
            wishes = wishes_of(
                name=name or secrets.token_hex(6),
                length=length,
                ordered=ordered,
                duplex=duplex,
                queue=queue,
                encoding=encoding or ("files" if self.folder or farm != LOCAL else "arrays"),
            )
            read, base = spec_of(spec, passes)
            if farm == LOCAL:
                self._place = start_here(read, wishes, base=base, device=device, workers=workers)
            else:
                is_ours = name is None
                self._place = start_there(read, wishes, base=base, farm=farm, is_ours=is_ours)
        if self.folder is not None and self._place.encoding == "arrays":
            self.close()
            raise SpecError("record: this stream sends arrays: begin it with encoding='files'")

    @property
    def job_id(self) -> str:
        """Its job: others take part as `farm:JOB`."""
        return self._place.job_id

    @property
    def job(self) -> Job | None:
        """Its job, where it was begun here."""
        return self._place.job

    def __iter__(self) -> Iterator[StreamedView]:
        """Yield the views that this process gets, until all of the stream are handed out.

        Raises:
            StreamError: None came for too long; or something else is wrong.
        """
        schema = Schema(ragged=RAGGED)
        with self._consuming(self.queue, by_hand=self.by_hand) as (consumer, recorder):
            for number, data in consumer:
                view = opened(number, data)
                schema.check(view.id, view.kinds)
                if recorder is not None:
                    recorder.add(view)
                yield view

    def batches(self, size: int, *, memory: Memory | None = None) -> Iterator[dict[str, Any]]:
        """Yield views side by side, each pass copied once, from where it came into its row.

        Args:
            size: Views of a batch.
            memory: Where its arrays lie; left out: in memory that is used again when you let go.

        Returns:
            By pass an array with a row for each view, (size, ...); of fields whose shape changes,
            and of texts, a list. `id` has the views' ids, `sent_id` what their parameters were
            called. The last batch may be smaller. A batch is acknowledged when the next one is
            asked for.
        """
        check_whole("size", size, 1, MOST_QUEUE // 2)
        collator = Collator(size, ragged=RAGGED, memory=memory, decode=decoded)
        queue = max(self.queue, 2 * size)
        with self._consuming(queue, by_hand=True) as (consumer, recorder):
            items = iter(consumer)
            while numbers := fill(collator, itertools.islice(items, size), recorder):
                yield fields_of(collator.finish(), numbers)
                if not self.by_hand:
                    consumer.ack(*numbers)

    @contextmanager
    def _consuming(
        self, queue: int, *, by_hand: bool
    ) -> Iterator[tuple[Consumer, Recorder | None]]:
        consumer = Consumer(
            self._place.open(),
            self.job_id,
            queue=queue,
            timeout_s=self.timeout_s,
            lease_s=self.lease_s,
            by_hand=by_hand,
            group=self._group,
        )
        try:
            yield consumer, Recorder(self.folder, consumer.name) if self.folder else None
        finally:
            consumer.close()
            if getpid() == self._owner:
                self._finish_record()

    def send(
        self,
        params: Mapping[str, JsonValue] | Iterable[Mapping[str, JsonValue]],
        ids: Any = None,
    ) -> int:
        """Say what the next views are to show; return how many sets of parameters wait.

        Those that are being rendered, and those in consumers' hands, come first: together at most
        the credits that all consumers grant.

        Args:
            params: Of one view, or of several: values of the view's `params`, and of `camera` and
                `light` where its recipe has such.
            ids: What each is called: comes back as `view.sent_id`.

        Raises:
            StreamError: There is no such parameter.
        """
        one = isinstance(params, Mapping)
        many = [params] if isinstance(params, Mapping) else list(params)
        names = [ids] if one else list(ids) if ids is not None else [None] * len(many)
        if len(names) != len(many):
            raise SpecError(f"ids: {len(names)} for {len(many)} sets of parameters")
        check_whole("params", len(many), 1, MOST_SENT)
        sent = [
            Sent(params=dict(each), id=plain(own)) for each, own in zip(many, names, strict=True)
        ]
        return self._own_source().send(sent)

    def ack(self, ids: Iterable[str]) -> None:
        """Acknowledge views by their ids: they are never given again, to anybody."""
        numbers = tuple(number_of(each) for each in ids)
        asked = Pull(consumer="0", queue=0, lease_s=1.0, acks=numbers)
        self._own_source().pull(asked, 0.0)

    def state(self) -> StreamState:
        """Return how it stands.

        Raises:
            StreamError: It is not there any more.
        """
        found = self._own_source().state()
        if found is None:
            raise StreamError(f"stream {self.job_id}: the farm does not know it any more")
        return found

    def close(self) -> None:
        """End it: a farm of its own, or on another farm what nobody can come back to."""
        if self._source is not None and self._source[0] == getpid():
            self._source[1].close()
            self._source = None
        if getpid() == self._owner:
            self._finish_record()
            self._place.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_source": None, "_owner": -1, "_place": self._place.sent()}

    def _own_source(self) -> Source:
        if self._source is None or self._source[0] != getpid():  # a forked process needs its own
            self._source = (getpid(), self._place.open())
        return self._source[1]

    def _finish_record(self) -> None:
        if self.folder is None or not self.folder.is_dir():
            return
        try:
            finish_record(self.folder, self.job, since_s=self._since_s)
        except OSError as error:
            warnings.warn(f"{self.folder}: {error.strerror}", stacklevel=2)


def fill(collator: Collator, items: Iterable[Item], recorder: Recorder | None) -> list[int]:
    """Copy samples into a batch; return their numbers."""
    numbers = []
    for number, data in items:
        if recorder is not None:
            recorder.add(opened(number, data))
        collator.add(data)
        numbers.append(number)
    return numbers


def fields_of(batch: Batch, numbers: Sequence[int]) -> dict[str, Any]:
    """Return a batch as training wants it."""
    ids = [f"{number}:{each}" for number, each in zip(numbers, batch.ids, strict=True)]
    sent_ids = [json.loads(each) for each in batch.fields[SENT_ID]]
    shown = {name: value for name, value in batch.fields.items() if name not in HIDDEN}
    return {"id": ids, "sent_id": sent_ids, **shown}


def check_whole(name: str, value: object, least: int, most: int) -> None:
    """Make sure that a value is a whole number in a range.

    Raises:
        SpecError: It is not.
    """
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise SpecError(f"{name}: {value!r} is not a whole number from {least} to {most:,}")


def plain(value: Any) -> JsonValue:
    """Return a number of NumPy's or PyTorch's as one of Python's."""
    found: JsonValue = value.item() if hasattr(value, "item") else value
    return found
