"""Assets of records, found again by their hashes, wherever they are now."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from pathlib import Path

from farm.errors import SpecError
from farm.library.dependencies.trace import trace
from farm.library.files import hash_file
from farm.library.survey import survey
from farm.spec.asset import Asset
from farm.spec.scene_facts import SceneFacts


class Finder:
    """Finds the files of assets: where they were, or in a folder, under any name."""

    def __init__(
        self, folder: Path | None = None, *, hash_file: Callable[[Path], str] = hash_file
    ) -> None:
        """Look where assets were, and in a folder.

        Args:
            folder: Where else to look, in all of its folders.
            hash_file: Returns the SHA-256 of a file.

        Raises:
            SpecError: There is no such folder.
        """
        if folder is not None and not folder.is_dir():
            raise SpecError(f"--assets {folder}: is not a folder")
        self._folder = folder
        self._hash = functools.cache(hash_file)
        self._names_others = functools.cache(lambda path: bool(trace(path).files))
        self._by_size: dict[tuple[int, str], list[Path]] | None = None
        self._known: dict[str, Asset] = {}
        self._looked: dict[str, SceneFacts | None] = {}

    def find(self, asset: Asset) -> Asset:
        """Return an asset with the path that its bytes have now.

        Raises:
            SpecError: They are nowhere, or files that it needs are not beside it.
        """
        if asset.content not in self._known:
            self._known[asset.content] = self._find(asset)
        found = self._known[asset.content]
        return asset.model_copy(update={"path": found.path, "in_library": False})

    def look(self, asset: Asset, *, fps: float | None) -> Asset:
        """Return a scene with what its file says of its time.

        Args:
            asset: The scene.
            fps: Frames per second of files that state none.

        Raises:
            SpecError: It is nowhere.
            SetupError: There is nobody here to look into it.
        """
        if asset.content not in self._looked:
            [found] = survey([self.find(asset)], fps=fps)
            self._looked[asset.content] = found.scene
        return asset.model_copy(update={"scene": self._looked[asset.content]})

    def names_others(self, asset: Asset) -> bool:
        """Say whether an asset needs other files, such as textures, whose hashes are not known."""
        if asset.dependencies:
            return False
        return self._names_others(Path(self.find(asset).path))

    def _find(self, asset: Asset) -> Asset:
        faults: list[str] = []
        for path in self._candidates(asset):
            if fault := self._fault(asset, path):
                faults.append(fault)
                continue
            return asset.model_copy(update={"path": str(path)})
        where = f"is not at {asset.path} any more"
        if not Path(asset.path).is_absolute():  # a farm's own place of it
            where = "was rendered on a farm, and where it is on this machine is not known"
        if self._folder is not None:
            where = f"{where}, nor is it anywhere in --assets {self._folder}"
        remedy = "name a folder that holds it as it was, under any name, with --assets"
        raise SpecError(f"{asset.name}: {faults[0] if faults else where}: {remedy}")

    def _candidates(self, asset: Asset) -> Iterator[Path]:
        """Yield files that may be it: the one at its own path, then those of its size."""
        own = Path(asset.path)
        if own.is_absolute() and own.is_file():
            yield own
        yield from self._sized().get((asset.size_bytes, Path(asset.name).suffix.lower()), ())

    def _fault(self, asset: Asset, path: Path) -> str | None:
        """Say what of a file, or of those beside it, is not as the asset was."""
        if self._hash(path) != asset.sha256:
            return f"{path} has other bytes than when its views were rendered"
        for file in asset.dependencies:
            beside = path.parent / file.path
            if not beside.is_file():
                return f"{beside}, which it needs, is not there"
            if self._hash(beside) != file.sha256:
                return f"{beside}, which it needs, has other bytes than then"
        return None

    def _sized(self) -> dict[tuple[int, str], list[Path]]:
        """Return the files of the folder by their size and suffix, listed once."""
        if self._by_size is None:
            self._by_size = {}
            for path in sorted(self._folder.rglob("*")) if self._folder is not None else ():
                if path.is_file():
                    key = (path.stat().st_size, path.suffix.lower())
                    self._by_size.setdefault(key, []).append(path)
        return self._by_size
