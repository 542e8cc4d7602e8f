"""The finished parts of an export: one small file for each, written after the part's own files."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from pydantic import JsonValue, ValidationError

from farm.dataset.export.base import ExportOptions, ExportPart, Written
from farm.dataset.export.output_folder import STATE_FOLDER, OutputFolder, Stamp
from farm.errors import SetupError, SpecError
from farm.spec.base import Spec, digest

OPTIONS_FILE = f"{STATE_FOLDER}/options.json"
PARTS_FOLDER = f"{STATE_FOLDER}/parts"
SHARED_FILE = f"{STATE_FOLDER}/shared.json"
STALE_FOLDER = f"{STATE_FOLDER}/stale"
"""Parts whose files have not been looked through since something else took their place."""


class Exported(ExportOptions):
    """What a folder holds an export of."""

    source: str | None = None
    """Where the dataset lies; not known of exports of before."""


class DonePart(Spec):
    """A finished part."""

    digest: str
    """Of all that it follows from."""
    views: int
    files: tuple[str, ...]
    stamps: tuple[Stamp | None, ...] = ()
    """Of each file, as it was written."""
    damaged: int = 0
    """Views that are left out, since their files are not what was recorded."""


class Checkpoints:
    """The parts of an export that are done."""

    def __init__(self, outbox: OutputFolder) -> None:
        self._outbox = outbox
        self._kept: dict[str, list[str]] = {}
        """Names of the parts of this run, by split."""

    def begin(self, wanted: Exported, *, replace: bool = False) -> int:
        """Take over what an earlier run left; return how many views of the same export it wrote.

        Args:
            wanted: What the folder is to hold.
            replace: Whatever export it held.

        Raises:
            SpecError: It was another export.
        """
        self._outbox.clear()
        path = self._outbox.folder / OPTIONS_FILE
        if path.is_file() and not replace:
            check_same(path, wanted)
        text = wanted.model_dump_json(indent=2) + "\n"
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            self._outbox.put_text(OPTIONS_FILE, text)
        if replace:
            return 0
        marks = (self._outbox.folder / PARTS_FOLDER).glob("*.json")
        return sum(done.views for done in map(read_part, marks) if done)

    def is_done(self, part: ExportPart, wanted: str) -> bool:
        """Say whether a part is whole, made from the same, with its files as they were written."""
        self._kept.setdefault(part.split, []).append(part.name)
        done = read_part(self._mark(part.name))
        return (
            done is not None
            and done.digest == wanted
            and not done.damaged
            and self._outbox.has(f"{PARTS_FOLDER}/{part.name}.jsonl")
            and self._stamps(done.files) == done.stamps
        )

    def set_aside(self, name: str) -> None:
        """Count a part as not done, and remember its files: some may no longer be needed."""
        done = read_part(self._mark(name))
        if done is not None:
            stale = f"{STALE_FOLDER}/{name}-{done.digest}.json"
            self._outbox.put_text(stale, done.model_dump_json() + "\n")
        self._outbox.remove(f"{PARTS_FOLDER}/{name}.json")

    def keep(self, part: ExportPart, wanted: str, written: Written, *, damaged: int) -> None:
        """Note that a part is done, but for views that are damaged."""
        lines = "".join(json.dumps(line) + "\n" for line in written.lines)
        self._outbox.put_text(f"{PARTS_FOLDER}/{part.name}.jsonl", lines)
        done = DonePart(
            digest=wanted,
            views=len(part.views) - damaged,
            files=tuple(written.files),
            stamps=self._stamps(written.files),
            damaged=damaged,
        )
        self._outbox.put_text(f"{PARTS_FOLDER}/{part.name}.json", done.model_dump_json() + "\n")

    def keep_shared(self, files: list[str]) -> None:
        """Note what all parts share; delete what they no longer do, such as a split's listing."""
        before = files_of(self._outbox.folder / SHARED_FILE)
        done = DonePart(digest="", views=0, files=tuple(files))
        for file in before.difference(files):
            self._outbox.remove(file)
        self._outbox.put_text(SHARED_FILE, done.model_dump_json() + "\n")

    def tidy(self) -> None:
        """Delete the files that an earlier state of the dataset had and this one has not.

        It is done last, since a view's files may have come to belong to another part.
        """
        kept = {name for names in self._kept.values() for name in names}
        for path in list((self._outbox.folder / PARTS_FOLDER).glob("*.json")):
            if path.stem not in kept:
                self.set_aside(path.stem)
                self._outbox.remove(f"{PARTS_FOLDER}/{path.stem}.jsonl")
        aside = list((self._outbox.folder / STALE_FOLDER).glob("*.json"))
        stale = {file for path in aside for file in files_of(path)}
        if stale:
            for name in kept:
                stale.difference_update(files_of(self._mark(name)))
        for file in stale:
            self._outbox.remove(file)
        for path in aside:
            path.unlink()

    def lines(self, split: str) -> Iterator[JsonValue]:
        """Yield what was kept of the parts of a split, in order."""
        for name in self._kept.get(split, ()):
            path = self._outbox.folder / PARTS_FOLDER / f"{name}.jsonl"
            with path.open(encoding="utf-8") as file:
                for line in file:
                    yield json.loads(line)

    def _stamps(self, files: Iterable[str]) -> tuple[Stamp | None, ...]:
        return tuple(self._outbox.stamp(file) for file in files)

    def _mark(self, name: str) -> Path:
        return self._outbox.folder / PARTS_FOLDER / f"{name}.json"


def read_part(path: Path) -> DonePart | None:
    """Return what is noted of a part; None where that is nothing, or broken."""
    try:
        return DonePart.model_validate_json(path.read_bytes())
    except (FileNotFoundError, ValidationError):
        return None


def files_of(path: Path) -> set[str]:
    """Return the files of the part that is noted at `path`."""
    done = read_part(path)
    return set(done.files) if done else set()


def check_same(path: Path, wanted: Exported) -> None:
    """Make sure that the export in a folder is the one that is asked for.

    Raises:
        SpecError: It is another one.
    """
    folder = path.parent.parent
    remedy = "choose another --out, or --replace it"
    try:
        before = Exported.model_validate_json(path.read_bytes())
    except ValidationError:
        raise SpecError(f"{path}: is broken: {remedy}") from None
    if before.source is not None and before.source != wanted.source:
        raise SpecError(
            f"{folder} holds an export of {before.source}, not of {wanted.source}: {remedy}"
        )
    now = wanted.model_dump(mode="json", exclude={"source"})
    for name, value in before.model_dump(mode="json", include=set(now)).items():
        if value != now[name]:
            raise SpecError(
                f"{folder} holds an export with {name} {value!r}, not {now[name]!r}: {remedy}"
            )


def check_folder(folder: Path) -> None:
    """Make sure that an export may be written into a folder.

    Raises:
        SetupError: Something else is there.
    """
    if folder.exists() and not folder.is_dir():
        raise SetupError(f"{folder}: is a file: choose another --out")
    if folder.is_dir() and not (folder / OPTIONS_FILE).is_file():
        others = [path.name for path in folder.iterdir() if path.name != STATE_FOLDER]
        if others:
            raise SetupError(
                f"{folder}: already holds other files ({min(others)}): choose another --out"
            )


def part_digest(part: ExportPart, common: str) -> str:
    """Return the hash of all that a part's files follow from.

    Args:
        part: Its views.
        common: Hash of the options, and of what is numbered across all views.
    """
    views = [(view.number, view.stem, view.record.model_dump_json()) for view in part.views]
    return digest(common, part.split, part.number, views)
