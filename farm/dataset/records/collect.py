"""From the records of many tasks to `views.jsonl`, `dataset.json` and `ATTRIBUTION.md`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO, Any

from pydantic import Field, JsonValue, model_validator

from farm.dataset.records.assets import AssetCounter, AssetSummary
from farm.dataset.records.attribution import ATTRIBUTION_FILE, attribution
from farm.dataset.records.newest import Fold
from farm.dataset.records.read import VIEWS_FILE, Report, attempts, parse_record, read_records
from farm.dataset.temp_files import scratch
from farm.spec import release_0_1
from farm.spec.base import Spec
from farm.spec.left_out import is_empty
from farm.spec.record import IllLit, ViewRecord
from farm.spec.task import dataset_key
from farm.storage import Storage

DATASET_FILE = "dataset.json"
MOST_NAMED = 20
"""Views that a summary names, where there may be any number of a kind."""


class RunFacts(Spec):
    """Facts that only the run itself knows."""

    name: str
    """What a person calls the dataset: its folder."""
    spec: dict[str, JsonValue]
    """What was asked for."""
    tasks: int
    """Tasks of the job."""
    failures: tuple[str, ...] = ()
    """One sentence for each task that failed."""
    left_out: tuple[str, ...] = ()
    """One sentence for each task that somebody left out of the job."""
    seconds: float
    """From start to end."""


@dataclass(frozen=True)
class FinishedRun:
    """A run that renders no more, as those see it who finish its datasets."""

    facts: RunFacts
    is_complete: Callable[[str], bool]
    """Says of a task id whether all of its views are done; only the record files of such tasks
    are deleted."""
    report: Report
    """Takes a sentence for each line that is not a record."""


class IllLitViews(Spec):
    """Views in which nothing of a model can be made out."""

    views: int
    names: tuple[str, ...]
    """Of the first of them."""


class DatasetSummary(Spec):
    """What `dataset.json` says."""

    name: str
    views: int
    empty_views: int
    """Of these, the views in which nothing is seen: their masks are black."""
    ill_lit: dict[IllLit, IllLitViews] = Field(default_factory=dict, exclude_if=is_empty)
    """Views of which nearly all of the model is black, or clipped."""
    missing_textures: dict[str, tuple[str, ...]]
    """First asset of a view -> the files that its materials want and that were not there: magenta
    parts."""
    unread: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """First asset of a view -> what of its file could not be read and is not shown as it says."""
    notes: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """Asset -> what was corrected of it, and what was found."""
    tasks: int
    failures: tuple[str, ...]
    left_out: tuple[str, ...] = Field(default=(), exclude_if=is_empty)
    """One sentence for each task that somebody left out: the dataset is whole without it."""
    seconds: float
    size_bytes: int
    """Of all pictures and masks."""
    resolutions_px: tuple[tuple[int, int], ...]
    """(width, height), the most frequent first."""
    formats: tuple[str, ...]
    passes: tuple[str, ...]
    assets: tuple[AssetSummary, ...]
    sequences: tuple[str, ...] = ()
    """Folders of its sequences, each with a `transforms.json`."""
    versions: dict[str, str]
    """Of `viewfarm` and of what it renders with, as the last view says."""
    spec: dict[str, JsonValue]

    @model_validator(mode="before")
    @classmethod
    def _of_any_release(cls, data: Any) -> Any:
        return release_0_1.summary_of(data)


def facts_again(summary: DatasetSummary | None, *, name: str) -> RunFacts:
    """Return what the run that made a dataset knew, as its summary has it."""
    if summary is None:
        return RunFacts(name=name, spec={}, tasks=0, seconds=0.0)
    return RunFacts(**{field: getattr(summary, field) for field in RunFacts.model_fields})


def collect(storage: Storage, dataset: str, run: FinishedRun) -> DatasetSummary:
    """Fold all records into `views.jsonl`, write what sums them up, and return the summary.

    Args:
        storage: Where the dataset lives.
        dataset: Its key prefix.
        run: What wrote the records.
    """
    with scratch(), Fold() as fold, NamedTemporaryFile(prefix="farm-views-") as whole:
        fold.extend(read_records(storage, dataset, run.report))
        summary = summarise(run.facts, copied(fold.lines(), whole))
        whole.flush()
        storage.put_file(dataset_key(dataset, VIEWS_FILE), Path(whole.name))
    text = summary.model_dump_json(indent=2) + "\n"
    storage.put(dataset_key(dataset, DATASET_FILE), text.encode())
    text = attribution(summary.name, summary.assets)
    storage.put(dataset_key(dataset, ATTRIBUTION_FILE), text.encode())
    delete_records(storage, dataset, run.is_complete)
    return summary


def copied(lines: Iterable[bytes], file: IO[bytes]) -> Iterator[ViewRecord]:
    """Write `lines` to `file`, and pass them on as records."""
    for line in lines:
        file.write(line + b"\n")
        yield parse_record(line)


def delete_records(storage: Storage, dataset: str, is_complete: Callable[[str], bool]) -> None:
    """Delete the record files of complete tasks: `views.jsonl` has their lines."""
    for task_id, keys in attempts(storage, dataset).items():
        for key in keys if is_complete(task_id) else ():
            storage.delete(key)


def summarise(facts: RunFacts, records: Iterable[ViewRecord]) -> DatasetSummary:
    """Count what is in `records`, in one pass."""
    size_bytes = empty_views = 0
    resolutions: Counter[tuple[int, int]] = Counter()
    formats: Counter[str] = Counter()
    passes: Counter[str] = Counter()
    assets = AssetCounter()
    versions: dict[str, str] = {}
    missing: dict[str, tuple[str, ...]] = {}
    unread: dict[str, tuple[str, ...]] = {}
    notes: dict[str, tuple[str, ...]] = {}
    sequences: dict[str, None] = {}
    ill_lit: dict[IllLit, list[str]] = {}
    ill_lit_views: Counter[IllLit] = Counter()
    for record in records:
        if record.ill_lit is not None:
            ill_lit_views[record.ill_lit] += 1
            names = ill_lit.setdefault(record.ill_lit, [])
            names += [record.view.name] if len(names) < MOST_NAMED else []
        if record.view.moment is not None:
            sequences[record.view.moment.sequence] = None
        versions |= record.versions
        empty_views += record.coverage == 0.0
        if record.missing_textures:
            missing[record.assets[0].name] = record.missing_textures
        if record.unread:
            unread[record.assets[0].name] = record.unread
        notes |= record.notes
        resolutions[record.resolution_px] += 1
        assets.add(record.assets)
        for name, file in record.files.items():
            passes[name] += 1
            formats[file.path.rpartition(".")[2]] += 1
            size_bytes += file.size_bytes
    return DatasetSummary(
        name=facts.name,
        views=resolutions.total(),
        empty_views=empty_views,
        ill_lit={
            how: IllLitViews(views=views, names=tuple(ill_lit[how]))
            for how, views in sorted(ill_lit_views.items())
        },
        missing_textures=missing,
        unread=unread,
        notes=notes,
        tasks=facts.tasks,
        failures=facts.failures,
        left_out=facts.left_out,
        seconds=round(facts.seconds, 3),
        size_bytes=size_bytes,
        resolutions_px=tuple(size for size, _ in resolutions.most_common()),
        formats=tuple(sorted(formats)),
        passes=tuple(sorted(passes, reverse=True)),
        assets=assets.summaries(),
        sequences=tuple(sequences),
        versions=versions,
        spec=facts.spec,
    )
