"""What of an export is done: one small file per part, written after all that the part is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from pydantic import JsonValue, ValidationError

from farm.dataset.export.base import ExportOptions, Part, Written
from farm.dataset.export.outbox import STATE_FOLDER, Outbox
from farm.errors import SetupError, SpecError
from farm.spec.base import Spec, digest

OPTIONS_FILE = f"{STATE_FOLDER}/options.json"
PARTS_FOLDER = f"{STATE_FOLDER}/parts"
SHARED_FILE = f"{STATE_FOLDER}/shared.json"
STALE_FOLDER = f"{STATE_FOLDER}/stale"
"""Parts whose files have not been looked through since something else took their place."""


class DonePart(Spec):
    """A part that is there."""

    digest: str
    """Of all that it follows from."""
    views: int
    files: tuple[str, ...]


class Checkpoints:
    """The parts of an export that are done."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox
        self._kept: dict[str, list[str]] = {}
        """Names of the parts of this run, by split."""

    def begin(self, options: ExportOptions) -> None:
        """Take over what an earlier run left.

        Raises:
            SpecError: It was another export, or no export at all.
        """
        self._outbox.clear()
        path = self._outbox.folder / OPTIONS_FILE
        if path.is_file():
            check_same(path, options)
        else:
            self._outbox.put_text(OPTIONS_FILE, options.model_dump_json(indent=2) + "\n")

    def is_done(self, part: Part, wanted: str) -> bool:
        """Say whether a part is there with all its files, made from the same."""
        self._kept.setdefault(part.split, []).append(part.name)
        done = read_part(self._mark(part.name))
        return (
            done is not None
            and done.digest == wanted
            and self._outbox.has(f"{PARTS_FOLDER}/{part.name}.jsonl")
            and all(self._outbox.has(file) for file in done.files)
        )

    def set_aside(self, name: str) -> None:
        """Count a part as not done, and remember its files: some may be of no use any more."""
        done = read_part(self._mark(name))
        if done is not None:
            stale = f"{STALE_FOLDER}/{name}-{done.digest}.json"
            self._outbox.put_text(stale, done.model_dump_json() + "\n")
        self._outbox.remove(f"{PARTS_FOLDER}/{name}.json")

    def keep(self, part: Part, wanted: str, written: Written) -> None:
        """Note that a part is done."""
        lines = "".join(json.dumps(line) + "\n" for line in written.lines)
        self._outbox.put_text(f"{PARTS_FOLDER}/{part.name}.jsonl", lines)
        done = DonePart(digest=wanted, views=len(part.views), files=tuple(written.files))
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


def check_same(path: Path, options: ExportOptions) -> None:
    """Look that an export in hand is the one that is asked for.

    Raises:
        SpecError: It is another one.
    """
    folder = path.parent.parent
    try:
        before = ExportOptions.model_validate_json(path.read_bytes()).model_dump(mode="json")
    except ValidationError:
        raise SpecError(f"{path}: is broken: delete {folder} or take another --out") from None
    now = options.model_dump(mode="json")
    for name, value in now.items():
        if before[name] != value:
            raise SpecError(
                f"{folder} holds an export with {name} {before[name]!r}, not {value!r}: "
                "take another --out, or delete the folder"
            )


def check_folder(folder: Path) -> None:
    """Look that an export may be written into a folder.

    Raises:
        SetupError: Something else is there.
    """
    if folder.exists() and not folder.is_dir():
        raise SetupError(f"{folder}: is a file: take another --out")
    if folder.is_dir() and not (folder / OPTIONS_FILE).is_file():
        others = [path.name for path in folder.iterdir() if path.name != STATE_FOLDER]
        if others:
            raise SetupError(f"{folder}: holds something else ({min(others)}): take another --out")


def part_digest(part: Part, common: str) -> str:
    """Return the hash of all that a part's files follow from.

    Args:
        part: Its views.
        common: Hash of the options, and of what is numbered across all views.
    """
    views = [(view.number, view.stem, view.record.model_dump_json()) for view in part.views]
    return digest(common, part.split, part.number, views)
