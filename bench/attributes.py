"""How often what is measured of things is what they are: 200 whose colours and materials are known.

    python -m bench.attributes [--side 256] [--samples 4]

Each is written by this program, as glTF or OBJ: matt and varnished paints of the eleven basic
terms, textures, stripes, metals, glass, clear plastic, things that glow. They stand on tables under
three environments, one of them coloured, and are looked at from two sides. What is said of each is
compared with the truth.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from farm.spec.asset import Asset
from farm.spec.label import Attributes
from farm.spec.recipes.tabletop import Surface
from farm.spec.render import ResolvedRender
from farm.storage import FolderStorage
from tests.support.blender.scenes import write_sky
from tests.support.blender.tabletops import (
    Standing,
    a_tabletop_task,
    a_view_of_it,
    camera_from,
    render_tabletop,
)
from tests.support.known_things import Known, write_known_things
from worker.blender.session import BlenderSession

COLUMNS, ROWS = 5, 4
SPACING_M = 0.19
CAMERAS = ((0.0, -0.75, 1.05), (0.6, 0.55, 1.1))
LEAST_PX = 100
"""Pixels that must be seen of what sentences would name."""
MATERIALS = ("metal", "glass", "shiny", "see-through")


class Seen(NamedTuple):
    """A thing in a view."""

    thing: Known
    said: Attributes


class Agreement(NamedTuple):
    """How often what is said of something is true."""

    asked: int
    """Times at which there was something true to say."""
    said: int
    """Times at which something was said."""
    right: int
    """Of these, it was true."""

    def __str__(self) -> str:
        share = self.right / self.said if self.said else 1.0
        return f"{self.right} of {self.said} that were said are true ({share:.1%}); of {self.asked}"


def main() -> None:
    """Print how often it is so."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--side", type=int, default=256, help="pixels of a picture")
    parser.add_argument("--samples", type=int, default=4)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        session = BlenderSession("cpu", Path(folder))
        try:
            seen = list(look(session, Path(folder), side=given.side, samples=given.samples))
        finally:
            session.close()
    report(seen)


def report(seen: Sequence[Seen]) -> None:
    """Print what was said rightly, and each thing that was not."""
    things = {each.thing.file for each in seen}
    print(f"{len(things)} things, seen {len(seen)} times")
    print(f"colour: {colours(seen)}")
    for name in MATERIALS:
        print(f"{name}: {material(seen, name)}")
    for each in seen:
        wrong = [name for name in MATERIALS if is_wrong(each, name)]
        if each.said.colour != each.thing.colour or wrong:
            print(f"  {each.thing.file.name}: {each.thing.colour} {sorted(each.thing.materials)}, "
                  f"said {each.said.colour} {list(each.said.materials)}")  # fmt: skip


def colours(seen: Iterable[Seen]) -> Agreement:
    """Return how often the colour that is said is that of the thing."""
    pairs = [(each.thing.colour, each.said.colour) for each in seen]
    return Agreement(
        asked=sum(truth is not None for truth, _ in pairs),
        said=sum(said is not None for _, said in pairs),
        right=sum(said is not None and truth == said for truth, said in pairs),
    )


def material(seen: Iterable[Seen], name: str) -> Agreement:
    """Return how often a material that is said is that of the thing."""
    pairs = [(name in each.thing.materials, name in each.said.materials) for each in seen]
    return Agreement(
        asked=sum(truth for truth, _ in pairs),
        said=sum(said for _, said in pairs),
        right=sum(truth and said for truth, said in pairs),
    )


def is_wrong(seen: Seen, name: str) -> bool:
    """Say whether a material was said that is not the thing's, or was not said."""
    return (name in seen.thing.materials) != (name in seen.said.materials)


def look(session: BlenderSession, folder: Path, *, side: int, samples: int) -> Iterator[Seen]:
    """Yield each thing as often as enough of it is seen."""
    things = write_known_things(folder / "things")
    skies = [write_sky(folder / f"sky{number}.exr", sky) for number, sky in enumerate(some_skies())]
    each = COLUMNS * ROWS
    for number in range(0, len(things), each):
        sky = skies[number // each % len(skies)]
        table = things[number : number + each]
        yield from look_at(
            session, folder / f"scene{number}", table, sky, side=side, samples=samples
        )


def look_at(  # noqa: PLR0913 - a scene has so many sides
    session: BlenderSession,
    folder: Path,
    things: Sequence[Known],
    sky: Asset,
    *,
    side: int,
    samples: int,
) -> Iterator[Seen]:
    """Yield what is seen of the things on one table."""
    standing = [
        Standing(thing.file, at_m=place) for thing, place in zip(things, places(), strict=False)
    ]
    views = [a_view_of_it(index, camera_from(at)) for index, at in enumerate(CAMERAS)]
    task = a_tabletop_task(
        folder / "settled",
        standing,
        views,
        resolution_px=(side, side),
        surface=Surface(size_m=(1.1, 0.9)),
    )
    lit = (*task.assets, sky.model_copy(update={"role": "hdrs"}))
    task = task.model_copy(
        update={
            "assets": lit,
            "views": tuple(view.model_copy(update={"hdr": len(lit) - 1}) for view in views),
            "render": with_samples(task.render, samples),
        }
    )
    for view in render_tabletop(session, task, FolderStorage(folder / "out")):
        for thing, label in zip(things, view.record.objects[1:], strict=True):
            if label.area_px >= LEAST_PX:
                assert label.attributes is not None
                yield Seen(thing, label.attributes)


def with_samples(render: ResolvedRender, samples: int) -> ResolvedRender:
    """Return the same settings with other samples."""
    return render.model_copy(update={"samples": samples})


def places() -> Iterator[tuple[float, float, float]]:
    """Yield where things stand, in rows."""
    for row in range(ROWS):
        for column in range(COLUMNS):
            x = (column - (COLUMNS - 1) / 2) * SPACING_M
            y = (row - (ROWS - 1) / 2) * SPACING_M
            yield (x, y, 0.06)


def some_skies() -> Iterator[np.ndarray]:
    """Yield environments: even light, a small bright sun, and one side red, the other blue."""
    even = np.ones((32, 64, 3), np.float32)
    sun = np.full((32, 64, 3), 0.3, np.float32)
    sun[6:9, 20:23] = 60.0
    coloured = np.full((32, 64, 3), 0.2, np.float32)
    coloured[:, :24] = (2.0, 0.3, 0.2)
    coloured[:, 32:56] = (0.2, 0.4, 2.5)
    yield from (even, sun, coloured)


if __name__ == "__main__":
    main()
