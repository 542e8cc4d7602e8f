"""Receipts of runs that rendered all: what a command read and wrote, so that it is known as done.

A command with such a receipt, of which nothing has changed since, has nothing to do. It is to be
told at once, so nothing is imported here that takes time, no model and no library of ours.
"""

from __future__ import annotations

import contextlib
import glob
import hashlib
import json
import os
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

Stamp = list[int] | None
"""Size, times of change and number of a file, as JSON has them; None where there is none."""
Look = tuple[str, str]
"""A folder, and a pattern below it."""

CODE = Path(__file__).parents[1]
VARIABLES = ("HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME")
"""The environment that commands depend on, beside `FARM_*`."""
MOST_FILES = 20_000
"""Files that a run may have read; to look at more takes as long as to make the plan."""
KEPT = 200
"""Receipts that are kept, the newest."""
COARSE_S, FINE_S = 2.0, 0.1
"""Time in which a file may change again without a new time stamp: where these are whole seconds,
and elsewhere."""
LOCK_FILE, RECORDS_FOLDER = ".farm-render", ".records"
"""What a run that has not ended leaves in its folder, and in a dataset."""


def key_of(arguments: Sequence[str]) -> str:
    """Return what a command is known by: its words, where it was given, and the code that runs."""
    known = {name: os.environ[name] for name in sorted(os.environ) if name.startswith("FARM_")}
    known |= {name: os.environ.get(name, "") for name in VARIABLES}
    return digest([list(arguments), str(Path.cwd()), known, sorted(map(list, code(CODE)))])


def code(folder: Path) -> Iterator[tuple[str, int, int]]:
    """Yield the name, size and time of each module below a folder."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir():
                yield from code(Path(entry.path))
            elif entry.name.endswith(".py"):
                found = entry.stat()
                yield entry.path, found.st_size, found.st_mtime_ns


def digest(known: object) -> str:
    """Return a hash of plain data."""
    return hashlib.sha256(json.dumps(known).encode(errors="surrogateescape")).hexdigest()


def stamp(path: str | Path) -> Stamp:
    """Return what changes with a file."""
    try:
        found = os.stat(path)  # noqa: PTH116 - thousands of them
    except (OSError, ValueError):
        return None
    return [found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino]


def is_settled(known: Stamp, at_s: float) -> bool:
    """Say whether a file that changes after the time `at_s` will have another stamp."""
    if known is None:
        return True
    changed_ns = max(known[1], known[2])
    return at_s - changed_ns / 1e9 > (FINE_S if changed_ns % 1_000_000_000 else COARSE_S)


def names_at(look: Look) -> str:
    """Return a hash of the names that a pattern means."""
    folder, pattern = look
    return digest(sorted(glob.glob(pattern, root_dir=folder, recursive=True)))  # noqa: PTH207


@dataclass(frozen=True)
class Receipt:
    """What a run found that rendered all, and what to say of it."""

    inputs: dict[str, Stamp]
    """What was read, as it was before; also what was looked for and was not there."""
    looks: list[tuple[Look, str]]
    """Where files were looked for, with a hash of the names that were there."""
    root: str
    """The folder of the datasets."""
    outputs: dict[str, Stamp]
    """What sums the datasets up."""
    previews: bool
    """Previews count as parts of views."""
    views: int
    said: list[str]
    """The plan, and notes around it, as a run says them that has nothing to do."""
    folders: list[tuple[str, str | None]]
    """Datasets, each with its contact sheet."""

    def holds(self) -> bool:
        """Say whether all is still as it was, and no run is about to change it."""
        return (
            not (Path(self.root) / LOCK_FILE).exists()
            and all(stamp(path) == known for path, known in self.inputs.items())
            and all(stamp(path) == known for path, known in self.outputs.items())
            and all(names_at((folder, pattern)) == known for (folder, pattern), known in self.looks)
            and all(map(self._is_whole, (folder for folder, _ in self.folders)))
        )

    def _is_whole(self, folder: str) -> bool:
        """Say whether all files of a dataset's views are there with the size that was recorded."""
        dataset = Path(folder)
        if (dataset / RECORDS_FOLDER).exists():
            return False
        with (dataset / "views.jsonl").open("rb") as lines:
            return all(self._is_there(folder, json.loads(line)) for line in lines)

    def _is_there(self, folder: str, record: Mapping[str, Any]) -> bool:
        files = [*record["files"].values()]
        files += record.get("previews", {}).values() if self.previews else ()
        if shard := record.get("shard"):  # whose files begin at places in it
            inside = f"{shard['path']}/"
            files = [shard, *(file for file in files if not file["path"].startswith(inside))]
        found = ((stamp(f"{folder}/{file['path']}"), file["size_bytes"]) for file in files)
        return all(known is not None and known[0] == size for known, size in found)


@dataclass
class Draft:
    """What a run reads, as long as nobody knows how it ends."""

    file: Path | None = None
    """Where its receipt belongs; None: none is kept."""
    inputs: dict[str, Stamp] = field(default_factory=dict)
    looks: list[tuple[Look, str]] = field(default_factory=list)
    began_s: float = field(default_factory=time.time)

    def reads(self, path: Path) -> None:
        """Note a file that is about to be read."""
        if len(self.inputs) <= MOST_FILES:
            self.inputs.setdefault(str(path), stamp(path))

    def looks_for(self, look: Look) -> None:
        """Note a pattern that is about to be followed."""
        self.looks.append((look, names_at(look)))

    def keep(  # noqa: PLR0913 - each is a field of the receipt
        self,
        *,
        root: Path,
        outputs: Iterable[Path],
        previews: bool,
        views: int,
        said: Sequence[str],
        folders: Sequence[tuple[Path, Path | None]],
    ) -> None:
        """Keep the receipt of a run that left nothing to do, where one can be written."""
        settled = all(is_settled(known, self.began_s) for known in self.inputs.values())
        if self.file is None or len(self.inputs) > MOST_FILES or not settled:
            return
        receipt = Receipt(
            inputs=self.inputs,
            looks=self.looks,
            root=str(root),
            outputs={str(path): stamp(path) for path in outputs},
            previews=previews,
            views=views,
            said=list(said),
            folders=[(str(folder), str(sheet) if sheet else None) for folder, sheet in folders],
        )
        with contextlib.suppress(OSError):
            write(self.file, receipt)


def draft_of(arguments: Sequence[str], folder: Path) -> Draft:
    """Return the draft of a command's receipt, which notes the files that its words name."""
    draft = Draft(folder / f"{key_of(arguments)}.json")
    for word in arguments:
        path = Path(word.rpartition("=")[2])
        with contextlib.suppress(OSError, ValueError):
            if path.is_file():
                draft.reads(path.absolute())
    return draft


def find(file: Path) -> Receipt | None:
    """Return the receipt of an earlier run of a command, if that command has nothing to do now."""
    try:
        receipt = Receipt(**json.loads(file.read_bytes()))
        return receipt if receipt.holds() else None
    except (OSError, ValueError, TypeError, LookupError, AttributeError, RecursionError):
        return None  # there is none, or what it tells of is gone


def write(file: Path, receipt: Receipt) -> None:
    """Write a receipt, and remove the oldest ones.

    Raises:
        OSError: It cannot be written.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_suffix(f".{os.getpid()}")
    partial.write_text(json.dumps(asdict(receipt)))
    partial.replace(file)
    for old in sorted(file.parent.iterdir(), key=lambda path: -path.stat().st_mtime)[KEPT:]:
        old.unlink(missing_ok=True)
