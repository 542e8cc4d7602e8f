"""`python -m tests.support.blender.walled PLAN`: render as a worker's child does, and tell how."""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Callable
from pathlib import Path

from farm.errors import FarmError
from farm.settings import load_settings
from farm.spec.task import RenderTask
from worker.attempt.renderer import open_blender
from worker.courier.shared_folder import SHARED_FOLDERS


class Lease:
    """A task that nobody takes away."""

    def confirm(self) -> None:
        """It is still ours."""

    def secure(self) -> None:
        """Its files may be written."""

    def view_done(self, _done: object = None) -> None:
        """Nobody counts."""

    def views_found(self, count: int) -> None:
        """Nobody counts."""


def say(what: str, verb: Callable[[], object]) -> None:
    """Do something and tell how it went."""
    try:
        verb()
        outcome = "done"
    except PermissionError:
        outcome = "refused"
    except FarmError as error:
        outcome = str(error)
    print("SAID", json.dumps([what, outcome]), flush=True)


def main(plan: Path) -> None:
    logging.basicConfig(level=logging.INFO, stream=sys.stderr)
    told = json.loads(plan.read_text())
    render = open_blender(load_settings(**told["settings"]))
    for task in map(RenderTask.model_validate, told["tasks"]):
        say(task.task_id, lambda task=task: render(task, attempt=1, worker="here", lease=Lease()))
    for path in told["read"]:
        say(path, Path(path).read_bytes)
    shared_folders = [
        path for path in (render.walls.reads or ()) if path.parent.name == SHARED_FOLDERS
    ]
    for path in (path for shared in shared_folders for path in shared.rglob("*.exr")):
        say("read the shared folder", path.read_bytes)
        say("write the shared folder", lambda path=path: path.open("r+b"))
    say(
        "environment", lambda: refuse_if(found=b"s3cret" in Path("/proc/self/environ").read_bytes())
    )
    say("neighbour", Path(f"/proc/{os.getppid()}/environ").read_bytes)
    os._exit(0)  # the renderer's own way out may crash


def refuse_if(*, found: bool) -> None:
    """Tell of what is there and should not be as of a failure."""
    if found:
        raise FarmError("it is there")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
