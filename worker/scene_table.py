"""A table of scenes for people, or the same as JSON."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from pydantic import RootModel
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from farm.library import describe, discover
from farm.library.survey import survey
from farm.spec.asset import Asset
from farm.spec.scene_facts import SceneFacts

COLUMNS = ("scene", "fps", "frames", "cameras", "animations", "simulations", "problems")


def show_scenes(patterns: Sequence[str], *, fps: float | None, json: bool) -> bool:
    """Look into scenes and print what they have; return whether all of them can be used."""
    files = discover(patterns, "scene", base=Path.cwd())
    console = Console(stderr=True, highlight=False)
    status = console.status("looking into scenes")
    with status:
        found = survey(
            describe(files, "scene")[0],
            fps=fps,
            watch=lambda done, total, name: status.update(escape(f"{done + 1}/{total} {name}")),
        )
    facts = {asset.path: asset.scene for asset in found if asset.scene is not None}
    if json:
        sys.stdout.write(RootModel(facts).model_dump_json(indent=2) + "\n")
    else:
        Console(highlight=False).print(table(found))
    return not any(each.refused for each in facts.values())


def table(scenes: Iterable[Asset]) -> Table:
    """Lay out what is known of scenes."""
    made = Table(box=None, pad_edge=False)
    for name in COLUMNS:
        made.add_column(name, overflow="fold")  # else it cuts names off
    for asset in scenes:
        assert asset.scene is not None
        made.add_row(*map(escape, row(asset.name, asset.scene)))
    return made


def row(name: str, facts: SceneFacts) -> tuple[str, ...]:
    """Return what a scene has, as the columns have it."""
    if facts.refused and not facts.cameras:
        return (name, "", "", "", "", "", problems(facts))
    cameras = [f"{each}*" if each == facts.camera else each for each in facts.cameras]
    cuts = [f"{cut.camera} from {cut.frame}" for cut in facts.cuts]
    clips = [f"{clip.name} ({clip.frame_start} to {clip.frame_end})" for clip in facts.clips]
    return (
        name,
        f"{facts.fps:g}",
        f"{facts.frame_start} to {facts.frame_end}",
        "\n".join([*cameras, *cuts]),
        "\n".join(clips),
        "\n".join(facts.simulations),
        problems(facts),
    )


def problems(facts: SceneFacts) -> str:
    """Return what stands in the way of a scene's frames, one thing a line."""
    unfit = [f"camera {name}: {reason}" for name, reason in facts.unfit_cameras.items()]
    dark = ["nothing gives light: it is lit evenly"] if facts.is_dark else []
    short = [
        f"{each.name} moves things in frames {each.frame_start:g} to {each.frame_end:g} alone"
        for each in facts.caches
        if each.frame_start > facts.frame_start or each.frame_end < facts.frame_end
    ]
    driven = [f"{name} is driven by Python" for name in facts.python_drivers]
    return "\n".join([*facts.refused, *dark, *short, *unfit, *driven])
