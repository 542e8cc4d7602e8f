"""Tasks of a job, rendered by a process of its own: `python -m ... JOB.json FOLDER INDEX...`."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from farm.expand.recipe import expand
from farm.spec.job import Job
from tests.support.blender.films import Film, film_of, shoot_film


def shoot_elsewhere(job: Job, folder: Path, indices: Iterable[int]) -> Film:
    """Render tasks of a job in another process, which knows nothing of this one."""
    folder.mkdir()
    file = folder / "job.json"
    file.write_text(job.model_dump_json())
    arguments = [str(file), str(folder), *map(str, indices)]
    subprocess.run([sys.executable, "-m", __name__, *arguments], check=True, capture_output=True)
    return film_of(folder)


def main(file: Path, folder: Path, indices: list[int]) -> None:
    from tests.support.blender.own_session import open_blender

    job = Job.model_validate_json(file.read_text())
    with tempfile.TemporaryDirectory() as scratch:
        session = open_blender(Path(scratch), threads=1)
        tasks = list(expand(job))
        shoot_film(session, job, folder, [tasks[index] for index in indices])
        session.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), [int(each) for each in sys.argv[3:]])
