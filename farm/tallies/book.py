"""The sums of each job, kept in Redis for a month after its last view."""

from __future__ import annotations

import contextlib
import json
import logging
from collections.abc import Mapping
from importlib import resources
from typing import Any

import redis

from farm.errors import FarmError
from farm.ledger.stores.redis_store import connect, reaching
from farm.tallies.model import STAGES, LinePoint, NodeTime, Share, Tally

log = logging.getLogger(__name__)

KEPT_S = 30 * 86_400
MOST_POINTS = 120
"""Most steps of time of which the views are known; when there are more, each becomes longer."""
FIRST_STEP_S = 5
MOST_WORKERS = 200
"""Most workers whose time is known; that of others is one sum, of the worker ""."""
MOST_TEXTURES = 50
"""Most assets of which lacking textures are known."""
PARTS = ("", ":line", ":workers", ":views", ":textures")


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
        """Add what a worker did; where Redis is away, it is not counted: nothing depends on it.

        Sums that somebody has damaged begin anew.
        """
        with contextlib.suppress(FarmError, redis.RedisError):
            try:
                self._add(job_id, share)
            except redis.ResponseError:
                self.forget(job_id)

    @reaching
    def _add(self, job_id: str, share: Share) -> None:
        sizes = [MOST_POINTS, FIRST_STEP_S, MOST_WORKERS, MOST_TEXTURES, KEPT_S]
        self._script(keys=keys_of(job_id), args=[share.model_dump_json(), *sizes])

    def read(self, job_id: str) -> Tally:
        """Return what a job took so far; nothing where somebody has damaged it."""
        try:
            return self._read(job_id)
        except (redis.ResponseError, ValueError) as error:
            log.warning("what was told of a job cannot be read job=%s: %s", job_id, error)
            return Tally()

    @reaching
    def _read(self, job_id: str) -> Tally:
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
