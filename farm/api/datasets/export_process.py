"""One export of a dataset into an archive: a process of its own, behind all others in priority.

`python -m farm.api.datasets.export_process PLACE FOLDER OPTIONS` writes `FOLDER/export.tar`, and
tells how far it is as lines of JSON. It ends when whoever started it closes its stdin.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tarfile
import threading
import time
from pathlib import Path
from typing import Any

from farm.dataset.export.base import ExportOptions
from farm.dataset.export.output_folder import STATE_FOLDER
from farm.dataset.export.run import export
from farm.errors import FarmError

TOLD_EVERY_S = 0.5
ARCHIVE = "export.tar"


def main() -> None:
    """Export a dataset."""
    os.nice(15)
    threading.Thread(target=end_with_parent, daemon=True).start()
    place, folder, options = sys.argv[1], Path(sys.argv[2]), sys.argv[3]
    try:
        tell(**write(place, folder, ExportOptions.model_validate_json(options)))
    except FarmError as error:
        tell(fault=str(error))


def end_with_parent() -> None:
    """End when nobody waits for the export any more."""
    sys.stdin.buffer.read()
    os._exit(1)


def write(place: str, folder: Path, options: ExportOptions) -> dict[str, Any]:
    """Write the archive; return what there is to know of it."""
    made = folder / f"{options.format}"
    summary = export(place, made, options, threads=1, report=Reporter())
    archive = folder / f"{ARCHIVE}.partial"
    with tarfile.open(archive, "w", format=tarfile.PAX_FORMAT) as tar:
        for path in sorted(made.rglob("*")):
            if STATE_FOLDER not in path.relative_to(made).parts:
                tar.add(path, arcname=f"{made.name}/{path.relative_to(made)}", recursive=False)
    shutil.rmtree(made)
    archive.rename(folder / ARCHIVE)
    left_out = len(summary.damaged)
    notes = [*summary.notes]
    notes += [f"{left_out:,} views left out: {summary.damaged[0]}"] if left_out else []
    return {"exported": summary.views, "notes": notes}


class Reporter:
    """Tells how far an export is, every now and then."""

    def __init__(self) -> None:
        self._told_s = 0.0

    def __call__(self, done: int, of: int) -> None:
        now_s = time.monotonic()
        if now_s - self._told_s >= TOLD_EVERY_S or done == of:
            self._told_s = now_s
            tell(done=done, of=of)


def tell(**facts: Any) -> None:
    """Print facts as a line of JSON."""
    print(json.dumps(facts), flush=True)  # noqa: T201 - who started this reads it


if __name__ == "__main__":
    main()
