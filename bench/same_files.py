"""Are the files of a dataset the same bytes as another checkout writes?

    python -m bench.same_files --baseline FOLDER [--models FILE ...] [--hdrs FILE ...] [--jobs ...]

Small jobs of all kinds, each rendered whole by this checkout and by the one in FOLDER; all pictures
and labels are compared by their hashes, and records by all but their times.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from bench.checkouts import run_farm
from bench.small_models import write_models
from bench.tabletop_speed import sky, write_things

SMALL = ("--resolution", "64", "--samples", "4", "--device", "cpu", "--yes", "--format", "png")
LABELS = "rgb,mask,depth,index"
ONE_EACH = ("--augmented", "--pitch", "1", "--yaw-per-pitch", "2", "--dataset-name", "d")
JOBS = {
    "glb": (*ONE_EACH,),
    "glb-labels": (*ONE_EACH, "--passes", f"{LABELS},normal,material"),
    "glb-fit": (*ONE_EACH, "--fit", "--randomise", "lights,materials"),
    "blend": (*ONE_EACH, "--passes", LABELS),
    "obj": (*ONE_EACH, "--passes", LABELS),
    "given": ("--yaw", "2", "--pitch", "1", "--passes", LABELS),
    "tabletop": ("--recipe", "tabletop", "--scenes", "2", "--views", "2", "--per-scene", "4",
                 "--passes", LABELS, "--visible-px", "1", "--dataset-name", "d"),
    "sequence": ("--recipe", "sequence", "--set", "recipe.frames=3", "--passes",
                 f"{LABELS},flow_forward",
                 "--dataset-name", "d"),
}  # fmt: skip


def main() -> None:
    """Render each job twice, and compare."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--baseline", type=Path, required=True)
    parser.add_argument("--models", nargs="*", default=[])
    parser.add_argument("--hdrs", nargs="*", default=[])
    parser.add_argument("--jobs", default=",".join(JOBS))
    options = parser.parse_args()
    alike = True
    with tempfile.TemporaryDirectory(prefix="farm-bench-") as name:
        folder = Path(name)
        for job in options.jobs.split(","):
            alike = compare(job, folder, options) and alike
    sys.exit(0 if alike else 1)


def compare(job: str, folder: Path, options: argparse.Namespace) -> bool:
    """Render a job by both checkouts; print how many files differ."""
    asked = [*inputs(job, folder / "in" / job, options), *JOBS[job], *SMALL]
    found = []
    for place, checkout in enumerate((options.baseline, None)):
        output = folder / "out" / job / str(place)
        run_farm(["render", *asked, "--output", str(output)], checkout, cache=folder / "cache")
        found.append(hashes(output))
    theirs, ours = found
    names = sorted(theirs.keys() | ours.keys())
    differ = [name for name in names if theirs.get(name) != ours.get(name)]
    print(f"{job:12} {len(ours)} files and records, {len(differ)} differ {differ[:5]}", flush=True)
    return not differ and bool(ours)


def inputs(job: str, folder: Path, options: argparse.Namespace) -> list[str]:
    """Write what a job needs; return the flags that name it."""
    folder.mkdir(parents=True)
    hdrs = options.hdrs or [str(sky())]
    if job == "tabletop":
        things, words = write_things(folder), folder / "words.yaml"
        return [f"--objects={things}", f"--words={words}", f"--hdrs={hdrs[0]}"]
    if job == "sequence":
        command = [sys.executable, "-m", "bench.sequence_scenes", str(folder), "--frames", "4"]
        subprocess.run(command, check=True, capture_output=True)
        return ["--scenes", str(folder / "flight.blend")]
    if job == "given":
        return [*[f"--models={model}" for model in options.models], f"--hdrs={hdrs[0]}"]
    if job == "obj":
        return [f"--models={write_things(folder)}", *[f"--hdrs={hdr}" for hdr in hdrs[:2]]]
    kind = "blend" if job == "blend" else "glb"
    write_models(folder, kind, 12)
    return [f"--models={folder}", *[f"--hdrs={hdr}" for hdr in hdrs]]


def hashes(output: Path) -> dict[str, str]:
    """Return the hash of each file of pictures and labels, and of each record without its times."""
    found = {}
    for path in sorted(each for each in output.rglob("*") if each.is_file()):
        if path.parent.parent.parent == output and path.suffix != ".jsonl":
            found[str(path.relative_to(output))] = hashlib.sha256(path.read_bytes()).hexdigest()
    for path in output.glob("*/views.jsonl"):
        for line in path.read_text().splitlines():
            record = json.loads(line)
            found[f"{path.parent.name}/{record['view_id']}"] = told(record)
    return found


def told(record: dict[str, Any]) -> str:
    """Return what a record says, but for times and who made it."""
    left_out = ("timings", "worker", "attempt", "versions", "assets")
    return json.dumps({key: value for key, value in record.items() if key not in left_out})


if __name__ == "__main__":
    main()
