"""A view as a consumer gets it: its passes as arrays, its record, what its script told."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any, cast

from farm.dataset.images import decode_pass
from farm.spec.expression import Expression
from farm.spec.passes import PassName
from farm.spec.record import ViewRecord, read_record
from farm.stream.sample import Encoded, Kind, Sample, kind_of
from farm.stream.wire import unpack

RECORD, SENT_ID, DATASET = "record", "sent_id", "dataset"
"""Fields that are not for training: the record and the sender's id, as JSON, and its dataset."""
HIDDEN = (RECORD, SENT_ID, DATASET)


class StreamedView(Mapping[str, Any]):
    """One sample: `view["rgb"]`, with all that the stream tells of it."""

    def __init__(self, number: int, sample: Sample) -> None:
        self.number = number
        """Its place in the stream."""
        self.sample = sample
        self.encoded = {n: v for n, v in sample.fields.items() if isinstance(v, Encoded)}
        """Passes as they were rendered, where they came as files."""
        self._fields = {n: v for n, v in sample.fields.items() if n not in HIDDEN}

    @property
    def id(self) -> str:
        """The view's id: equal ids are equal pictures. It is acknowledged by it."""
        return f"{self.number}:{self.sample.id}"

    @property
    def name(self) -> str:
        """Stem of the view's files."""
        return self.record.view.name

    @cached_property
    def record(self) -> ViewRecord:
        """The facts about the view, as in `views.jsonl`."""
        return read_record(str(self.sample.fields[RECORD]))

    @property
    def expressions(self) -> tuple[Expression, ...]:
        """Sentences about it; none where its recipe makes none."""
        return self.record.expressions

    @property
    def sent_id(self) -> Any:
        """What `send` called the parameters that it shows; None where there were none."""
        told = self.sample.fields.get(SENT_ID)
        return None if told is None else json.loads(str(told))

    @property
    def dataset(self) -> str:
        """Folder of its dataset, where a job has several."""
        return str(self.sample.fields.get(DATASET, ""))

    @property
    def kinds(self) -> dict[str, Kind]:
        """What must be alike in all views of a stream."""
        return {name: kind_of(value) for name, value in self._fields.items()}

    def __getitem__(self, name: str) -> Any:
        value = self._fields[name]
        return decoded(name, value) if isinstance(value, Encoded) else value

    def __iter__(self) -> Iterator[str]:
        return iter(self._fields)

    def __len__(self) -> int:
        return len(self._fields)


def decoded(name: str, value: Encoded) -> Any:
    """Return a pass as an array.

    Raises:
        DecodeError: It is broken.
    """
    return decode_pass(bytes(value.data), f"{name}.{value.form}", cast(PassName, name))


def opened(number: int, data: memoryview) -> StreamedView:
    """Return what came as a view.

    Raises:
        StreamError: It is damaged.
    """
    return StreamedView(number, unpack(data))


def number_of(view_id: str) -> int:
    """Return the place in the stream that a view's id tells.

    Raises:
        ValueError: It is not the id of a streamed view.
    """
    number, _, rest = view_id.partition(":")
    if not rest or not number.isdecimal():
        raise ValueError(f"{view_id[:60]!r} is not the id of a streamed view")
    return int(number)
