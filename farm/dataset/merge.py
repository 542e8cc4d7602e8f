"""Several datasets as one: files linked or copied, records and summaries put together."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path, PurePosixPath
from typing import NamedTuple
from urllib.parse import unquote

from pydantic import JsonValue

from farm.dataset.finish import PREVIEW_FILE
from farm.dataset.nesting import check_alone
from farm.dataset.parallel import mapped
from farm.dataset.preview.contact_sheet import LIMIT
from farm.dataset.preview.preview import sheet_of
from farm.dataset.reader import Dataset, DatasetError, DatasetView, open_in
from farm.dataset.records.attribution import ATTRIBUTION_FILE, attribution
from farm.dataset.records.collect import DATASET_FILE, DatasetSummary, RunFacts, copied, summarise
from farm.dataset.records.newest import short
from farm.dataset.records.read import VIEWS_FILE
from farm.dataset.records.sequences import write_sequences
from farm.dataset.temp_files import scratch
from farm.errors import SetupError, SpecError
from farm.spec.base import digest
from farm.spec.passes import PASS_FOLDERS, PREVIEWS_FOLDER, PassName
from farm.spec.record import FileRecord, ViewRecord
from farm.spec.task import dataset_key
from farm.storage import FolderStorage, Storage, hash_of
from farm.storage.shards import member_of

TRANSFERS = 8
"""Files that are brought at a time."""
MERGED = "merged"
"""Under this name a merged dataset's `spec` has those of its parts, where they differ."""


class MergePart(NamedTuple):
    """A place to merge, and whether its views get the names of their datasets."""

    data: Dataset
    prefix: bool


class ViewMove(NamedTuple):
    """A view on its way: where its files are, and what it is called where they go."""

    storage: Storage
    view: DatasetView
    record: ViewRecord


class MergeSummary(NamedTuple):
    """What a merge did."""

    views: int
    """In the merged dataset."""
    repeated: int
    """Views that are in more than one part, with the same files, under whatever names."""
    linked: int
    copied: int
    there: int
    """Files that an earlier merge had brought."""


def merge(
    parts: Sequence[Dataset],
    out: Storage,
    *,
    prefix: bool = False,
    link: bool = True,
    progress: Callable[[int], None] = lambda _views: None,
) -> MergeSummary:
    """Put the views of all parts into one dataset, after those that it has.

    Names are looked at before anything is written; records are written after all files. The same
    merge again resumes where it was stopped.

    Args:
        parts: What to merge.
        out: Where to.
        prefix: Put the name of a view's dataset before its own.
        link: Let files be the same on disk where both sides are folders of one file system.
        progress: Called with the number of views that are there since it was called.

    Raises:
        SpecError: Two views have one name, there are none, or a dataset holds `out` or lies in it.
        DatasetError: A part's file is gone or of another size.
    """
    for data in parts:
        check_apart(data.storage, out)
    if isinstance(out, FolderStorage):
        check_alone(out, [""], flag="--out")
    all_parts = [MergePart(data, prefix) for data in parts]
    if out.size(VIEWS_FILE) is not None:
        all_parts.insert(0, MergePart(open_in(out), prefix=False))
    new_parts = check_names(all_parts, prefix=prefix)
    if not new_parts:
        places = ", ".join(data.storage.place for data in parts)
        raise SpecError(f"{places}: no views yet: there is nothing to merge")
    out.sweep("")
    counts: Counter[str] = Counter()
    with scratch(), tempfile.NamedTemporaryFile(prefix="farm-views-") as listing:
        moves = planned(all_parts, counts)
        lines = moved(moves, out, counts, link=link, progress=progress)
        summary = summarise(facts_of(new_parts, out), copied(lines, listing))
        listing.flush()
        out.put_file(VIEWS_FILE, Path(listing.name))
    out.put(DATASET_FILE, (summary.model_dump_json(indent=2) + "\n").encode())
    text = attribution(summary.name, summary.assets)
    out.put(ATTRIBUTION_FILE, text.encode())
    if summary.sequences:
        write_sequences(out, "", print_nothing)
    with contextlib.suppress(SetupError):  # the dataset is whole without its sheet
        out.put(PREVIEW_FILE, sheet_of(open_in(out), limit=LIMIT))
    return MergeSummary(
        views=summary.views,
        repeated=counts["repeated"],
        linked=counts["linked"],
        copied=counts["copied"],
        there=counts["there"],
    )


def print_nothing(_sentence: str) -> None:
    """Say nothing of lines that were just written."""


def check_apart(part: Storage, out: Storage) -> None:
    """Hold that neither place is in the other.

    Raises:
        SpecError: One is.
    """
    one, other = (PurePosixPath(storage.place) for storage in (part, out))
    if one.is_relative_to(other) or other.is_relative_to(one):
        raise SpecError(
            f"--out {out.place}: lies in {part.place} or around it; choose another place"
        )


def check_names(parts: Sequence[MergePart], *, prefix: bool) -> list[MergePart]:
    """Hold that views with the same name are the same view; return the parts that have new ones.

    Raises:
        SpecError: They are not.
    """
    known: dict[bytes, bytes] = {}
    owners: dict[bytes, str] = {}
    there: set[bytes] = set()
    new: list[MergePart] = []
    for part in parts:
        before = len(known)
        for view in part.data:
            content = contents(view.record)
            if content in there:
                continue
            there.add(content)
            name = name_of(view, part)
            if known.setdefault(short(name), content) != content:
                remedy = (
                    "rename the folder of one of the datasets"
                    if prefix
                    else "--prefix puts the name of its dataset before each"
                )
                where = f"{part.data.storage.place}/{view.key}"
                raise SpecError(f"{where}: another view is also called {name}; {remedy}")
            check_paths(view, name, owners)
        if len(known) > before:
            new.append(part)
    return new


def check_paths(view: DatasetView, name: str, owners: dict[bytes, str]) -> None:
    """Hold that no other view has files of a recipe's own names where those of a view go.

    Raises:
        SpecError: One has.
    """
    before = view.record.view.name
    for file in view.record.files.values():
        if file.path.rpartition("/")[2].startswith(before):
            continue  # views that have other names have other files
        path = path_under(name, file.path, before=before)
        owner = owners.setdefault(short(path), name)
        if owner != name:
            raise SpecError(
                f"{path}: both {owner} and {name} have a file of that name; --prefix puts the "
                "files of each dataset into a folder of its own"
            )


def name_of(view: DatasetView, part: MergePart) -> str:
    """Return what a view is called in the merged dataset."""
    if not part.prefix:
        return view.name
    folder = view.key.removesuffix(view.name).rstrip("/") or part.data.storage.place
    return f"{PurePosixPath(folder).name}_{view.name}"


def contents(record: ViewRecord) -> bytes:
    """Return what a view is, whatever it is called, and what the bytes of its files are."""
    files = sorted((name, file.sha256) for name, file in record.files.items())
    return short(digest(record.view_id, files))


def planned(parts: Sequence[MergePart], counts: Counter[str]) -> Iterator[ViewMove]:
    """Yield all views once, in order, each with its record in the merged dataset."""
    told: set[bytes] = set()
    for part in parts:
        for view in part.data:
            content = contents(view.record)
            if content in told:
                counts["repeated"] += 1
                continue
            record = renamed(view.record, name_of(view, part), index=len(told))
            told.add(content)
            yield ViewMove(part.data.storage, view, record)


def renamed(record: ViewRecord, name: str, *, index: int) -> ViewRecord:
    """Return a record under another name, at another place in the order."""

    def move(of: PassName, file: FileRecord, folder: str = "") -> FileRecord:
        before = unpacked(of, file.path, folder)
        path = path_under(name, before, before=record.view.name)
        return file.model_copy(update={"path": path})

    moment = record.view.moment
    if moment is not None:
        sequence = folder_under(name, moment.sequence, before=record.view.name)
        moment = moment.model_copy(update={"sequence": sequence})
    changes = {"name": name, "index": index, "moment": moment}
    before = name.removesuffix(record.view.name)  # what all views of its dataset are called besides
    siblings = tuple(f"{before}{each}" for each in record.siblings)
    return record.model_copy(
        update={
            "view": record.view.model_copy(update=changes).with_siblings(siblings),
            "siblings": siblings,
            "files": {of: move(of, file) for of, file in record.files.items()},
            "previews": {
                of: move(of, file, PREVIEWS_FOLDER) for of, file in record.previews.items()
            },
            "shard": None,
        }
    )


def unpacked(of: PassName, path: str, folder: str) -> str:
    """Return where a file lies as one by itself, if it is in a shard."""
    member = member_of(path)
    if member is None:
        return path
    stem, _, endings = member.name.partition(".")
    suffix = endings.rpartition(".")[2]
    return dataset_key(folder, PASS_FOLDERS[of], f"{unquote(stem)}.{suffix}")


def path_under(name: str, path: str, *, before: str) -> str:
    """Return where a file of a view goes whose name becomes `name`.

    A recipe's own path, which the view's name is not part of, stays whole: below a folder of its
    dataset's name where that is part of the new name.
    """
    folder, _, base = path.rpartition("/")
    if base.startswith(before):
        return f"{folder}/{name}{base.removeprefix(before)}"
    return folder_under(name, path, before=before)


def folder_under(name: str, path: str, *, before: str) -> str:
    """Return where a recipe's own path goes: below a folder of its dataset's name, if it has one.

    So frames of one sequence stay together, and those of two with one name apart.
    """
    return path if name == before else f"{name.removesuffix(f'_{before}')}/{path}"


def moved(
    moves: Iterator[ViewMove],
    out: Storage,
    counts: Counter[str],
    *,
    link: bool,
    progress: Callable[[int], None],
) -> Iterator[bytes]:
    """Bring the files of all views, and yield the record of each as a line."""
    for record, how in mapped(partial(bring, out=out, link=link), moves, workers=TRANSFERS):
        counts.update(how)
        progress(1)
        yield record.model_dump_json().encode()


def bring(move: ViewMove, *, out: Storage, link: bool) -> tuple[ViewRecord, Counter[str]]:
    """Bring the files of one view; return its record and how they came."""
    how: Counter[str] = Counter()
    old, new = move.view.record, move.record
    prefix = move.view.key.removesuffix(move.view.name)
    pairs = [(old.files[name], new.files[name]) for name in old.files]
    pairs += [(old.previews[name], new.previews[name]) for name in old.previews]
    for before, after in pairs:
        source = f"{prefix}{before.path}"
        how[bring_file(move.storage, source, out, after, link=link)] += 1
    return new, how


def bring_file(source: Storage, key: str, out: Storage, file: FileRecord, *, link: bool) -> str:
    """Bring one file, if it is not there; say how.

    Raises:
        DatasetError: It is gone, or of another size than was recorded.
        SpecError: Another file has its name.
    """
    path = source.local_path(key)
    if out.size(file.path) is not None:
        if not is_there(out, file, path):
            raise SpecError(f"{out.place}/{file.path}: is another file; choose another --out")
        return "there"
    size = source.size(key)
    if size != file.size_bytes:
        what = "is gone" if size is None else f"has {size} bytes, not {file.size_bytes}"
        raise DatasetError(
            f"{source.place}/{key}: {what}; farm dataset verify {source.place} explains what to do"
        )
    if link and linked(path, out.local_path(file.path)):
        return "linked"
    if path is not None:
        out.put_file(file.path, path)
    else:
        out.put(file.path, source.get(key) or b"")
    return "copied"


def is_there(out: Storage, file: FileRecord, path: Path | None) -> bool:
    """Say whether what lies where a file goes is that file: the one at `path`, or its copy."""
    other = out.local_path(file.path)
    if path is not None and other is not None and path.exists() and other.samefile(path):
        return True
    return hash_of(out, file.path) == file.sha256


def linked(path: Path | None, other: Path | None) -> bool:
    """Let `other` be the very file at `path`; say whether the file system could."""
    if path is None or other is None:
        return False
    try:
        other.parent.mkdir(parents=True, exist_ok=True)
        os.link(path, other)
    except FileExistsError:
        return True  # another merge was quicker
    except OSError:  # another file system, or one without links
        return False
    return True


def facts_of(parts: Sequence[MergePart], out: Storage) -> RunFacts:
    """Return what the runs knew that made the parts."""
    summaries = [
        (prefix or PurePosixPath(part.data.storage.place).name, summary)
        for part in parts
        for prefix, summary in part.data.summaries.items()
    ]
    return RunFacts(
        name=PurePosixPath(out.place).name,
        spec=merged_spec([summary for _name, summary in summaries]),
        tasks=sum(summary.tasks for _name, summary in summaries),
        failures=tuple(
            f"{name}: {failure}" for name, summary in summaries for failure in summary.failures
        ),
        left_out=tuple(
            f"{name}: {told}" for name, summary in summaries for told in summary.left_out
        ),
        seconds=sum(summary.seconds for _name, summary in summaries),
    )


def merged_spec(summaries: Sequence[DatasetSummary]) -> dict[str, JsonValue]:
    """Return the spec of all parts, or, where they differ, each once."""
    found: dict[str, JsonValue] = {}
    for summary in summaries:
        parts = summary.spec.get(MERGED)
        for spec in parts if isinstance(parts, list) else [summary.spec]:
            found[digest(spec)] = spec
    specs = list(found.values())
    if len(specs) == 1 and isinstance(specs[0], dict):
        return specs[0]
    return {MERGED: specs}
