"""How soon `farm` is done with little, against another checkout.

    python -m bench.start --baseline FOLDER [--rounds 5] [--model FILE] [--hdr FILE]

`one` and `four` render so many views of a model at 256 pixels with 4 samples, each time into an
empty folder; `again` gives the command of `one` a second time; `help` is `farm --help`. This
checkout and the one in FOLDER take turns; each round begins with the other one. Times are those of
whole commands, by the clock and of all their processes.

The code of both is compiled before, as pip does with what it installs.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from bench.checkouts import OURS, run_farm
from bench.paired_jobs import cpu_s
from bench.small_models import write_models
from bench.tabletop_speed import sky

CODE = ("farm", "worker", "scraper")
YAWS = {"one": 1, "four": 4}
MEASURED = ("one", "again", "four", "help")


class Took(NamedTuple):
    """What a command took."""

    wall_s: float
    cpu_s: float


def main() -> None:
    """Measure, and print medians and ratios."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--baseline", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--hdr", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="farm-bench-") as name:
        folder = Path(name)
        write_models(folder / "models", "glb", 1)
        model = options.model or next((folder / "models").iterdir())
        assets = [f"--models={model}", f"--hdrs={options.hdr or sky()}"]
        checkouts = {"baseline": options.baseline, "ours": OURS}
        compile_code(checkouts.values())
        report(in_turns(assets, checkouts, options.rounds, folder))


def compile_code(checkouts: Iterable[Path]) -> None:
    """Compile the code of checkouts beside it."""
    for checkout in checkouts:
        places = [str(checkout.resolve() / name) for name in CODE]
        subprocess.run([sys.executable, "-m", "compileall", "-q", *places], check=True)


def in_turns(
    assets: Sequence[str], checkouts: Mapping[str, Path], rounds: int, folder: Path
) -> dict[str, dict[str, list[Took]]]:
    """Return what each command took each checkout, round by round, after one to warm up."""
    found: dict[str, dict[str, list[Took]]] = {
        name: {checkout: [] for checkout in checkouts} for name in MEASURED
    }
    for number in range(rounds + 1):
        turns = list(checkouts.items())[:: 1 if number % 2 else -1]
        for name, checkout in turns:
            with tempfile.TemporaryDirectory(dir=folder) as own:
                took = measure(assets, checkout, Path(own))
            for command, each in took.items():
                found[command][name] += [each] if number else []
    return found


def measure(assets: Sequence[str], checkout: Path, folder: Path) -> dict[str, Took]:
    """Give each command once."""

    def take(*arguments: str) -> Took:
        began_s, used_s = time.monotonic(), cpu_s()
        run_farm(arguments, checkout, cache=folder / "cache")
        return Took(time.monotonic() - began_s, cpu_s() - used_s)

    def render(name: str) -> Took:
        yaws = ("--yaw", str(YAWS[name]), "--pitch", "1")
        size = ("--resolution", "256", "--samples", "4", "--device", "cpu")
        return take("render", *assets, *yaws, *size, "--output", str(folder / name))

    one, again = render("one"), render("one")
    return {"one": one, "again": again, "four": render("four"), "help": take("--help")}


def report(found: Mapping[str, Mapping[str, Sequence[Took]]]) -> None:
    """Print medians, and ratios pair by pair."""
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores; medians of whole commands")
    for command, runs in found.items():
        print(command)
        for name, each in runs.items():
            wall_s = statistics.median(took.wall_s for took in each)
            used_s = statistics.median(took.cpu_s for took in each)
            print(f"  {name:9} {wall_s:6.2f} s, {used_s:6.2f} s of CPU")
        for field in Took._fields:
            pairs = zip(runs["baseline"], runs["ours"], strict=True)
            ratios = sorted(getattr(old, field) / getattr(new, field) for old, new in pairs)
            spread = f"({ratios[0]:.2f} to {ratios[-1]:.2f})"
            print(f"  {field:9} {statistics.median(ratios):.2f} x {spread}")


if __name__ == "__main__":
    main()
