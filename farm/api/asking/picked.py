"""Files that somebody picked to upload: which are assets, and what those need of the others.

The files lie in a folder as they lay on their owner's disk: those that name others with their
contents, which were uploaded first, all others empty. So the same code looks at them that looks at
files on a laptop.
"""

from __future__ import annotations

import contextlib
import os
import posixpath
import re
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath

from pydantic import Field

from farm.api.problems import SEND_AGAIN, ApiProblem
from farm.api.services import Services
from farm.api.submission.checks import is_dependency_path
from farm.api.uploads import check_hash
from farm.errors import SpecError
from farm.library import Library, discover, read_credit
from farm.library.dependencies.data_suffixes import DATA_SUFFIXES
from farm.library.dependencies.imports import modules_beside
from farm.library.dependencies.trace import READERS, trace
from farm.spec.asset import KINDS, MOST_UPS, Credit
from farm.spec.base import Spec
from farm.spec.counted import counted
from farm.spec.recipes import AssetRole, all_roles
from farm.spec.wire import TokenInfo

MOST_FILES = 10_000
MOST_ASSETS = 2000
MOST_BLENDS = 200
"""Each takes a process of its own, and about a second."""
MOST_READ_BYTES = 32 << 30
SIDECAR = ".json"
SENTENCES_TOLD = 100
ROUNDS = 4
"""Most times that a model is looked at again, with files that were picked without their folders."""
ELSEWHERE = (
    "needs files that lie outside of the folder that was picked: pick the folder above, or pack "
    "them into it (File > External Data > Pack Resources)"
)
LOOKING = threading.Semaphore(2)
"""So many requests look at files at once."""
MISSING = re.compile(r"needs (.+), which does not exist$")


class PickedFile(Spec):
    """A file that somebody picked."""

    path: str = Field(min_length=1, max_length=1024)
    """From the folder that was picked, with `/`; of files without a folder just the name."""
    sha256: str | None = None
    """Of one that is uploaded: it is looked into."""


class PickedFiles(Spec):
    """Files that somebody picked for a role."""

    role: str = Field(max_length=100)
    files: tuple[PickedFile, ...] = Field(max_length=MOST_FILES)


class NeededFile(Spec):
    """A file that an asset needs beside its own."""

    path: str
    """Relative to the folder of the asset's own file, as a submission has it."""
    of: str
    """Which of the picked files it is."""


class FoundAsset(Spec):
    """A picked file that is an asset, and what it needs."""

    path: str
    needs: tuple[NeededFile, ...] = ()
    credit: Credit = Credit()


class FoundAssets(Spec):
    """What picked files are."""

    assets: tuple[FoundAsset, ...]
    remarks: tuple[str, ...]
    """What is missing, a sentence each."""


def read_suffixes(role: AssetRole) -> tuple[str, ...]:
    """Return what those files end in that are looked into for a role: they are uploaded first."""
    own = KINDS[role.kind].suffixes
    if role.kind == "script":
        return own
    sidecars = tuple(f"{suffix}{SIDECAR}" for suffix in own)
    return (*READERS, *sidecars) if role.kind in ("model", "scene") else sidecars


def find_assets(services: Services, caller: TokenInfo, picked: PickedFiles) -> FoundAssets:
    """Return which of the picked files are assets, and what each needs.

    Raises:
        ApiProblem: The files cannot lie beside each other, or are not all here that are looked
            into.
    """
    role = all_roles().get(picked.role)
    if role is None:
        raise ApiProblem(422, f"role: {picked.role!r} is not known here", SEND_AGAIN)
    check_picked(services, caller, picked, role)
    with LOOKING, tempfile.TemporaryDirectory(prefix="picked-", dir=spool(services)) as folder:
        root = Path(folder).resolve() / "files"
        lay_out(services.library, picked.files, root)
        return Look(role, root).assets()


def spool(services: Services) -> Path:
    """Return the folder for what is on its way into the library."""
    folder = services.settings.spool_folder
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder


def check_picked(
    services: Services, caller: TokenInfo, picked: PickedFiles, role: AssetRole
) -> None:
    """Raise ApiProblem if files could not be laid out, or may not be looked into."""
    paths = [file.path for file in picked.files]
    for path in paths:
        if not is_dependency_path(path) or path.startswith("../"):
            raise ApiProblem(422, f"{path[:80]!r} is not a plain relative path", SEND_AGAIN)
    if len(set(paths)) != len(paths):
        raise ApiProblem(422, "two files have the same path", SEND_AGAIN)
    assets = [path for path in paths if path.lower().endswith(KINDS[role.kind].suffixes)]
    blends = sum(path.lower().endswith(".blend") for path in assets)
    if len(assets) > MOST_ASSETS or blends > MOST_BLENDS:
        raise ApiProblem(
            422,
            f"{role.name}: {counted(len(assets), 'file')} are more than a form takes: "
            f"{MOST_ASSETS:,}, {MOST_BLENDS} of them .blend",
            "submit them from a laptop: farm submit",
        )
    suffixes = read_suffixes(role)
    read = [file for file in picked.files if file.path.lower().endswith(suffixes)]
    for file in read:
        check_hash(file.sha256 or "")
    missing = set(services.uploads.missing([file.sha256 or "" for file in read], caller))
    for file in read:
        if file.sha256 in missing:
            raise ApiProblem(422, f"{file.path} is not in the library", "upload it first")


def lay_out(library: Library, files: Sequence[PickedFile], root: Path) -> None:
    """Write files as they lay on their owner's disk; those without a hash are empty.

    Raises:
        ApiProblem: They cannot lie beside each other, or are too large to be looked into.
    """
    left = MOST_READ_BYTES
    root.mkdir()
    try:
        for file in files:
            target = root / file.path
            target.parent.mkdir(parents=True, exist_ok=True)
            if file.sha256 is None:
                target.touch(exist_ok=False)
                continue
            bring(library, file.sha256, target)
            left -= target.stat().st_size
            if left < 0:
                raise ApiProblem(
                    413, "the files are too large to be looked into here", "use farm submit"
                )
    except OSError as error:
        reason = f"the files cannot lie beside each other: {error.strerror}"
        raise ApiProblem(422, reason, SEND_AGAIN) from None


def bring(library: Library, sha256: str, target: Path) -> None:
    """Put a file of the library at `target`, without its bytes being copied where that can be."""
    kept = library.local_path(sha256)
    if kept is not None:
        with contextlib.suppress(OSError):
            target.hardlink_to(kept)
            return
    library.fetch(sha256, target)


class Look:
    """Looks at files that are laid out below `root`."""

    def __init__(self, role: AssetRole, root: Path) -> None:
        self.role = role
        self.root = root
        self.of: dict[Path, str] = {}
        """Files that stand in for those that were picked without their folders."""
        self.alone = {path.name: path for path in root.iterdir() if path.is_file()}

    def assets(self) -> FoundAssets:
        """Return which files are assets, and what each needs."""
        suffixes = KINDS[self.role.kind].suffixes
        if not any(path.name.lower().endswith(suffixes) for path in self.root.rglob("*")):
            return FoundAssets(assets=(), remarks=())
        left: list[str] = []
        name = self.role.name
        files = discover(["."], self.role.kind, base=self.root, field=name, note=left.append)
        with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
            found = list(pool.map(self.asset, files))
        sentences = (sentence for _, some in found for sentence in some)
        remarks = dict.fromkeys([*left, *sentences])
        told = list(remarks)
        if len(told) > SENTENCES_TOLD:
            told = [*told[:SENTENCES_TOLD], f"... and {len(told) - SENTENCES_TOLD} more"]
        return FoundAssets(assets=tuple(asset for asset, _ in found), remarks=tuple(told))

    def asset(self, path: Path) -> tuple[FoundAsset, list[str]]:
        """Return what is known of one asset, and sentences on what it lacks."""
        remarks: list[str] = []
        needed = tuple(self.needs(path, remarks.append))
        credit = Credit()
        try:
            credit = read_credit(path)
        except SpecError as error:
            remarks.append(self.plain(str(error)))
        return FoundAsset(path=self.name(path), needs=needed, credit=credit), remarks

    def needs(self, path: Path, remark: Callable[[str], None]) -> Iterator[NeededFile]:
        """Yield the files that an asset needs and that were picked; tell of all others."""
        if self.role.kind == "script":
            for module in modules_beside(path, lambda _file: ""):
                yield NeededFile(path=module.path, of=self.name(path.parent / module.path))
            return
        if self.role.kind not in ("model", "scene"):
            return
        for file in sorted(self.traced(path, remark)):
            if file != path and self.may_come(file, path, remark):
                relative = Path(os.path.relpath(file, path.parent)).as_posix()
                yield NeededFile(path=relative, of=self.of.get(file) or self.name(file))

    def traced(self, path: Path, remark: Callable[[str], None]) -> set[Path]:
        """Return the files that a model names, where they would lie."""
        files: set[Path] = set()
        for _ in range(ROUNDS):
            found = trace(path, within=self.root)
            files = {Path(os.path.normpath(file)) for file in found.files}
            told = [(each, MISSING.search(each)) for each in found.remarks]
            files |= {Path(os.path.normpath(missing[1])) for _, missing in told if missing}
            if not [file for file in files if self.stand_in(file)]:
                for sentence, missing in told:
                    if missing is None:
                        remark(self.plain(sentence))
                break
        return files

    def stand_in(self, file: Path) -> bool:
        """Let a file that was picked without its folder stand where a model looks for it."""
        alone = self.alone.get(file.name)
        if alone is None or file.exists() or not file.is_relative_to(self.root):
            return False
        with contextlib.suppress(FileExistsError):  # another model needs it, too
            file.parent.mkdir(parents=True, exist_ok=True)
            file.hardlink_to(alone)
        self.of[file] = alone.name
        return True

    def may_come(self, file: Path, model: Path, remark: Callable[[str], None]) -> bool:
        """Say whether a file comes along with a model; tell why not."""
        who = self.name(model)
        shown = posixpath.relpath(file, model.parent) if self.is_near(file) else str(file)
        if model.suffix.lower() == ".blend" and not file.is_relative_to(self.root):
            remark(f"{who} {ELSEWHERE}")  # whether they are there is nobody's to know
            return False
        if not file.is_relative_to(self.root) or not file.is_file():
            remark(f"{who} needs {shown}, which was not picked")
            return False
        if shown.count("..") > MOST_UPS:
            remark(f"{who} needs {shown}, which is more than {MOST_UPS} folders above it")
            return False
        if file.suffix.lower() not in DATA_SUFFIXES:
            remark(f"{who} names {shown}, which is not a texture or a model; it is left out")
            return False
        return True

    def is_near(self, file: Path) -> bool:
        """Say whether a path means something on the disk of whoever picked the files."""
        return file.is_relative_to(self.root.parent)

    def name(self, file: Path) -> str:
        """Return the path of a file as it was picked."""
        return PurePosixPath(file.relative_to(self.root)).as_posix()

    def plain(self, sentence: str) -> str:
        """Return a sentence without the folder in which we look."""
        return sentence.replace(f"{self.root}/", "")
