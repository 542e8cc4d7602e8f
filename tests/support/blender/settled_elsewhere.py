"""A scene settled by a process of its own: `python -m ... TASK.json`."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from farm.spec.task import RenderTask


def settled_elsewhere(task: RenderTask) -> str:
    """Settle a scene in another process, which knows nothing of this one; return it as JSON."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "task.json"
        file.write_text(task.model_dump_json())
        done = subprocess.run(
            [sys.executable, "-m", __name__, str(file)], check=True, capture_output=True, text=True
        )
    return done.stdout.splitlines()[-1]


def main(file: Path) -> None:
    from worker.blender.session import BlenderSession
    from worker.tabletop.settle import settle

    with tempfile.TemporaryDirectory() as scratch:
        session = BlenderSession("cpu", Path(scratch), threads=1)
        print(settle(RenderTask.model_validate_json(file.read_text()), session).model_dump_json())
        session.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
