"""What is in the scenes of a submission: told by whoever submits, else looked at here."""

from __future__ import annotations

import math
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

from farm.api.problems import SEND_AGAIN, ApiProblem
from farm.api.services import Services
from farm.errors import AssetError
from farm.library import Library, files_of
from farm.library.survey import is_installed, survey
from farm.spec.asset import Asset
from farm.spec.scene_facts import SceneFacts
from farm.spec.wire import Submission, TokenInfo

MOST_AT_ONCE = 20
"""Most scenes of a submission that are looked into here."""
SCENE_S = 60.0
"""Longest time for one of them."""
DEEP = 8
"""Folders in which a scene is laid out, so that its `../` stay within."""
LAST_FRAME = 1_048_574
"""Blender knows no later ones."""
MOST_FPS = 100_000.0
FACTS_BYTES = 1 << 20
ONE_AT_A_TIME = threading.Lock()


def with_facts(services: Services, submission: Submission, caller: TokenInfo) -> Submission:
    """Return a submission all of whose scenes are known, if its recipe needs that.

    Raises:
        ApiProblem: Some are not, and cannot be looked into here.
    """
    unknown = tuple(unknown_scenes(submission))
    if not unknown:
        return submission
    check_within_reach(services, caller, unknown)
    with ONE_AT_A_TIME:
        assets = tuple(
            look_into(services.library, asset, submission) if asset in unknown else asset
            for asset in submission.assets
        )
    return submission.model_copy(update={"assets": assets})


def unknown_scenes(submission: Submission) -> Iterator[Asset]:
    """Yield the scenes of which something must be known and is not."""
    if submission.spec.recipe.needs_facts:
        yield from (each for each in submission.assets if each.kind == "scene" and not each.scene)


def check_within_reach(services: Services, caller: TokenInfo, unknown: tuple[Asset, ...]) -> None:
    """Make sure that this server can look into scenes.

    Raises:
        ApiProblem: It cannot.
    """
    name = unknown[0].name
    elsewhere = (
        "submit from a machine that looks into scenes itself (pip install 'viewfarm[worker]' on "
        "Python 3.13)"
    )
    if not is_installed():
        raise ApiProblem(
            422,
            f"scenes: {name}: its frames and cameras are not known, and this server has no "
            "Blender to look into it",
            f"{elsewhere}, or run the server where the worker is installed, too: the image of the "
            "API has none",
        )
    if len(unknown) > MOST_AT_ONCE:
        reason = f"scenes: {len(unknown)} of them are not known; {MOST_AT_ONCE} are looked into"
        raise ApiProblem(422, f"{reason} here at most", elsewhere)
    needed = [file.sha256 for asset in unknown if asset.in_library for file in files_of(asset)]
    if services.uploads.missing(needed, caller):
        reason = f"scenes: {name}: the server looks into scenes, but does not have all files yet"
        raise ApiProblem(422, reason, f"upload the files first, or {elsewhere}")


def look_into(library: Library, asset: Asset, submission: Submission) -> Asset:
    """Return a scene with what is known of it.

    Raises:
        ApiProblem: Its files cannot lie beside each other.
    """
    fps = submission.spec.recipe.scene_fps
    with tempfile.TemporaryDirectory(prefix="viewfarm-scene-") as folder:
        placed = asset
        if asset.in_library:
            placed = asset.model_copy(update={"path": str(lay_out(library, asset, Path(folder)))})
        (found,) = survey([placed], fps=fps, scene_s=SCENE_S)
    return asset.model_copy(update={"scene": found.scene})


def lay_out(library: Library, asset: Asset, folder: Path) -> Path:
    """Write all files of an asset as they lay on its maker's disk; return the path of its own.

    Raises:
        ApiProblem: They cannot lie beside each other.
    """
    home = folder.joinpath(asset.content, *("up",) * DEEP)
    home.mkdir(parents=True)
    try:
        for file in files_of(asset):
            target = Path(*_within(home, file.path))
            target.parent.mkdir(parents=True, exist_ok=True)
            library.fetch(file.sha256, target)
    except (OSError, AssetError) as error:
        reason = f"scenes: {asset.name}: its files cannot lie beside each other: {error}"
        raise ApiProblem(422, reason, SEND_AGAIN) from None
    return home / asset.name


def _within(home: Path, path: str) -> tuple[str, ...]:
    """Return the parts of where a file lies whose path may begin with `../`, up to `DEEP` times."""
    parts = path.split("/")
    ups = parts.count("..")
    return (*home.parts[: len(home.parts) - ups], *parts[ups:])


def fact_mistakes(place: str, facts: SceneFacts) -> Iterator[str]:
    """Yield what is wrong with what somebody says of a scene."""
    if len(facts.model_dump_json()) > FACTS_BYTES:
        yield f"{place}: has more than {FACTS_BYTES:,} bytes"
        return
    if not math.isfinite(facts.fps) or facts.fps > MOST_FPS:
        yield f"{place}.fps: {facts.fps} is not between 0 and {MOST_FPS:g}"
    spans = [("", facts.frame_start, facts.frame_end)]
    spans += [(f".clips.{at}", clip.frame_start, clip.frame_end)
              for at, clip in enumerate(facts.clips)]  # fmt: skip
    for inner, start, end in spans:
        if not -LAST_FRAME <= start <= end <= LAST_FRAME:
            yield f"{place}{inner}: frames {start} to {end} are not a range up to {LAST_FRAME:,}"
    names = [clip.name for clip in facts.clips]
    if len(set(names)) != len(names):
        yield f"{place}.clips: two have the same name"
    if facts.camera is not None and facts.camera not in facts.cameras:
        yield f"{place}.camera: {facts.camera[:80]!r} is not one of its cameras"
