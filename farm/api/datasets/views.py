"""The records of a job's finished views, one after the other."""

from __future__ import annotations

import json
from collections.abc import Iterator

from farm import expand
from farm.api.datasets.listing import inner_path
from farm.dataset.records.current import standing_lines
from farm.spec.job import Job
from farm.storage import Storage


def view_lines(storage: Storage, job: Job) -> Iterator[bytes]:
    """Yield a `ViewLine` as JSON for each view of a job that is finished, in little memory.

    After those of a dataset comes one for each line of its records that is not one.
    """
    for dataset in expand.datasets(job):
        broken: list[str] = []
        name = json.dumps(inner_path(job, dataset).rstrip("/")).encode()
        for line in standing_lines(storage, dataset, broken.append):
            yield b'{"dataset":%b,"record":%b}\n' % (name, line)
        for sentence in broken:
            told = json.dumps(sentence.removeprefix(f"{storage.place}/{job.prefix}/")).encode()
            yield b'{"dataset":%b,"broken":%b}\n' % (name, told)
