"""Are sentences about views true? Many scenes are rendered, and every sentence is proven again.

    python -m bench.sentence_proof [--scenes 200] [--views 4] [--sentences 26] [--lies 200]

Things of many shapes, sizes, colours and materials are written by this program, with their words.
`farm render` settles them on tables, looks at them from several sides, and writes sentences;
`farm dataset verify` runs the program of each again, on what the passes of its view show. Then
single facts are changed by chance, in records and passes, to see how many of such lies it finds.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from farm.dataset.images import decode_pass
from farm.dataset.proof.measured import Arrays, Naming
from farm.dataset.records.read import parse_record
from farm.spec.record import ViewRecord
from tests.support.blender.scenes import write_sky
from tests.support.lies import Told, random_lie
from tests.support.tableware import write_tableware

PASSES = ("rgb", "mask", "index", "depth", "albedo", "amodal")
LEAST_PX = 100
"""Pixels that must be seen of what sentences name, in pictures as small as these."""


def main() -> None:
    """Render, verify, lie, and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--scenes", type=int, default=200)
    parser.add_argument("--views", type=int, default=4, help="of each scene")
    parser.add_argument("--sentences", type=int, default=26, help="of each view, at most")
    parser.add_argument("--side", type=int, default=160, help="pixels of a picture")
    parser.add_argument("--samples", type=int, default=4)
    parser.add_argument("--lies", type=int, default=200)
    parser.add_argument("--keep", type=Path, help="keep the dataset in this folder")
    parser.add_argument("more", nargs="*", help="more options of farm render, after --")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        place = given.keep or Path(folder) / "proof"
        render(given, Path(folder), place)
        report(verified(place), given.scenes)
        tell_lies(place, given.lies)


def render(given: argparse.Namespace, folder: Path, place: Path) -> None:
    """Render the scenes."""
    words = write_tableware(folder / "things")
    heights = np.linspace(1.3, 0.3, 32, dtype=np.float32)
    sky = folder / "sky.exr"
    write_sky(sky, np.tile(heights[:, None, None], (1, 64, 3)))
    numbers = {
        "--scenes": given.scenes, "--views": given.views, "--resolution": given.side,
        "--samples": given.samples, "--passes": ",".join(PASSES),
    }  # fmt: skip
    settings = {"expressions.per_view": given.sentences, "visible_px": LEAST_PX}
    farm(
        "render", "--recipe", "tabletop", "--objects", f"{folder / 'things'}/", "--words", words,
        "--hdrs", sky, "--output", place, "--yes",
        *(part for option, value in numbers.items() for part in (option, value)),
        *(part for name, value in settings.items() for part in ("--set", f"recipe.{name}={value}")),
        *given.more,
    )  # fmt: skip


def farm(*arguments: object) -> str:
    """Run a command of the farm; return what it prints."""
    command = [sys.executable, "-m", "farm", *map(str, arguments)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    return done.stdout


def verified(place: Path) -> dict[str, Any]:
    """Return what `verify` says of a dataset."""
    found = json.loads(farm("dataset", "verify", place, "--json"))
    report: dict[str, Any] = found["places"][str(place)]
    return report


def report(found: dict[str, Any], scenes: int) -> None:
    """Print what came of the sentences."""
    sentences = found["sentences"]
    print(f"{sentences['checked']:,} sentences about {found['views']:,} views of {scenes} scenes:")
    names = ("checked", "true", "ambiguous", "false", "unproven")
    print(f"{'':12}" + "".join(f"{name:>11}" for name in names))
    for kind, counts in (*sentences["by_kind"].items(), ("all", sentences)):
        print(f"{kind:12}" + "".join(f"{counts[name]:>11,}" for name in names))
    for check in found["checks"]:
        if check["found"] and not check["is_note"]:
            print(f"{check['title']}: {check['found']} are not, such as {check['examples'][0]}")


def tell_lies(place: Path, count: int) -> None:
    """Print how many random lies are found, and which are not."""
    told = list(lies(list(views(place)), count))
    missed = Counter(each.lie for each in told if not each.noticed)
    print(f"{len(told) - missed.total()} of {len(told)} random lies are found")
    for lie, times in missed.items():
        print(f"  not found: {lie} ({times})")


def lies(looked: Sequence[tuple[ViewRecord, Arrays]], count: int) -> Iterator[Told]:
    """Yield so many lies, about views in turn."""
    seed = 0
    while looked and count:
        record, arrays = looked[seed % len(looked)]
        told = random_lie(record, arrays, Naming(pixels=LEAST_PX), seed)
        seed += 1
        if told is not None:
            count -= 1
            yield told


def views(place: Path, most: int = 50) -> Iterator[tuple[ViewRecord, Arrays]]:
    """Yield some views with what their passes show."""
    lines = (place / "views.jsonl").read_bytes().splitlines()
    for line in lines[:: max(1, len(lines) // most)]:
        record = parse_record(line)
        yield (
            record,
            {
                name: decode_pass((place / file.path).read_bytes(), file.path, name)
                for name, file in record.files.items()
                if name in PASSES[2:]
            },
        )


if __name__ == "__main__":
    main()
