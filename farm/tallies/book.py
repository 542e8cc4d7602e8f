"""The sums of each job, kept in Redis for a month after its last view."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from importlib import resources
from typing import Any

from pydantic import Field

from farm.errors import FarmError
from farm.ledger.stores.redis_store import connect, reaching
from farm.spec.base import Spec

STAGES = ("load", "build", "sample", "read", "develop", "encode", "write")
"""Where the time of a view goes, in order: assets are loaded, Cycles builds its scene and traces
paths, passes are read, pictures developed and labels made, all is encoded and written."""
KEPT_S = 30 * 86_400
MOST_POINTS = 120
"""Most steps of time of which the views are known; when there are more, each becomes longer."""
FIRST_STEP_S = 5
MOST_WORKERS = 200
"""Most workers whose time is known; that of others is one sum, of the worker ""."""
MOST_TEXTURES = 50
"""Most assets of which lacking textures are known."""
PARTS = ("", ":line", ":workers", ":views", ":textures")


class DoneView(Spec):
    """What is told of a view when it is done."""

    stages: dict[str, float] = Field(default_factory=dict)
    """Seconds by stage, see `STAGES`; empty where nobody knows."""
    asset: str = ""
    """File name of its first asset."""
    missing: tuple[str, ...] = ()
    """Textures of it that lack."""

    @property
    def sample_s(self) -> float:
        """Seconds for which Cycles traced paths."""
        return self.stages.get("sample", 0.0)


class Share(Spec):
    """What a worker did for a job since it said so last."""

    node: str
    views: int = 0
    timed: int = 0
    """Views whose stages are known."""
    stages: dict[str, float] = Field(default_factory=dict)
    """Seconds of all of these, by stage."""
    spent_s: float = 0.0
    """For which it had the job's tasks, other views and failures included."""
    missing: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """Asset -> textures that it lacks."""


class LinePoint(Spec):
    """How fast a job was in a step of time."""

    start_s: float
    """Seconds since 1970."""
    seconds: float
    """Length of the step; of the newest, what has passed of it."""
    views: int


class NodeTime(Spec):
    """What a worker did for a job."""

    node: str
    """Its name and host; "" for those that are not told apart."""
    seconds: float
    views: int


class Tally(Spec):
    """What a job took so far."""

    views: int = 0
    timed: int = 0
    stages: dict[str, float] = Field(default_factory=dict)
    workers: tuple[NodeTime, ...] = ()
    """The one with most time first."""
    line: tuple[LinePoint, ...] = ()
    missing: dict[str, tuple[str, ...]] = Field(default_factory=dict)


class TallyBook:
    """The sums of jobs; many processes may use one each."""

    def __init__(self, redis_url: str) -> None:
        self.client: Any = connect(redis_url)
        script = (resources.files("farm.tallies") / "add.lua").read_text(encoding="utf-8")
        self._script = self.client.register_script(script)

    def close(self) -> None:
        """Close the connections."""
        self.client.close()

    def add(self, job_id: str, share: Share) -> None:
        """Add what a worker did; where Redis is away, it is not counted: nothing depends on it."""
        with contextlib.suppress(FarmError):
            self._add(job_id, share)

    @reaching
    def _add(self, job_id: str, share: Share) -> None:
        sizes = [MOST_POINTS, FIRST_STEP_S, MOST_WORKERS, MOST_TEXTURES, KEPT_S]
        self._script(keys=keys_of(job_id), args=[share.model_dump_json(), *sizes])

    @reaching
    def read(self, job_id: str) -> Tally:
        """Return what a job took so far."""
        with self.client.pipeline(transaction=True) as pipe:
            for name in keys_of(job_id):
                pipe.hgetall(name)
            pipe.time()
            sums, line, workers, views, textures, now = pipe.execute()
        return Tally(
            views=int(sums.get("views", 0)),
            timed=int(sums.get("timed", 0)),
            stages={name: float(sums.get(f"stage {name}", 0.0)) for name in STAGES},
            workers=tuple(
                sorted(
                    (
                        NodeTime(node=node, seconds=float(spent), views=int(views.get(node, 0)))
                        for node, spent in workers.items()
                    ),
                    key=lambda each: -each.seconds,
                )
            ),
            line=points(line, now[0]),
            missing={asset: tuple(json.loads(files)) for asset, files in textures.items()},
        )

    @reaching
    def forget(self, job_id: str) -> None:
        """Keep nothing of a job."""
        self.client.delete(*keys_of(job_id))


def points(line: Mapping[str, str], now_s: float) -> tuple[LinePoint, ...]:
    """Return the views of each step from the first one on, steps without any included."""
    if "step" not in line:
        return ()
    step, first = float(line["step"]), int(line["first"])
    counts = {int(place): int(count) for place, count in line.items() if place.isdigit()}
    found = []
    for place in range(first, max(counts, default=first) + 1):
        start_s = place * step
        passed_s = min(max(now_s - start_s, 1.0), step)
        found.append(LinePoint(start_s=start_s, seconds=passed_s, views=counts.get(place, 0)))
    return tuple(found)


def keys_of(job_id: str) -> list[str]:
    """Return the names under which the sums of a job are kept."""
    return [f"farm:tally:{job_id}{part}" for part in PARTS]
