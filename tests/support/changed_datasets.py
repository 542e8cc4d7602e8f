"""Datasets that are changed after they were made, as if they had been rendered like that."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np

from farm.dataset.images import decode_pass
from farm.spec.passes import PassName
from tests.support.sequences import encoded

Pixels = np.ndarray[Any, Any]


class ChangedDataset:
    """The records of a dataset, to be changed; the summary is kept in agreement."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.lines: list[dict[str, Any]] = [
            json.loads(line) for line in (folder / "views.jsonl").read_text().splitlines()
        ]

    def change(self, name: PassName, how: Callable[[Pixels], Pixels], *, at: int) -> None:
        """Change the pixels of a pass of a view."""
        entry = self.lines[at]["files"][name]
        path = self.folder / entry["path"]
        pixels = how(decode_pass(path.read_bytes(), entry["path"], name).copy())
        data = encoded(name, pixels)
        path.write_bytes(data)
        entry |= {"sha256": hashlib.sha256(data).hexdigest(), "size_bytes": len(data)}

    def change_all(
        self, names: Iterable[PassName], how: Callable[[Pixels], Pixels], *, of: str = ""
    ) -> None:
        """Change passes of all views whose names contain `of`."""
        for at, line in enumerate(self.lines):
            for name in names if of in line["view"]["name"] else ():
                self.change(name, how, at=at)

    def moment(self, at: int) -> dict[str, Any]:
        """Return where a view stands in its sequence."""
        moment: dict[str, Any] = self.lines[at]["view"]["moment"]
        return moment

    def save(self) -> None:
        """Write the records, and what sums them up."""
        listing = self.folder / "views.jsonl"
        listing.write_text("".join(json.dumps(line) + "\n" for line in self.lines))
        summary = json.loads((self.folder / "dataset.json").read_text())
        files = [file for line in self.lines for file in line["files"].values()]
        summary["size_bytes"] = sum(file["size_bytes"] for file in files)
        summary["views"] = len(self.lines)
        for asset in summary["assets"]:
            asset["views"] = sum(
                asset["sha256"] in {each["sha256"] for each in line["assets"]}
                for line in self.lines
            )
        (self.folder / "dataset.json").write_text(json.dumps(summary))
