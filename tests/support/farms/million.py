"""A job of a million tasks: 1,000 models x 50 HDRIs x 20 batches, of which no file exists."""

from __future__ import annotations

from typing import Any

from farm.spec.asset import Asset
from farm.spec.base import digest
from farm.spec.job import JobSpec
from farm.spec.wire import Submission
from farm.storage import FolderStorage

MODELS, HDRS, BATCHES, VIEWS = 1000, 50, 20, 10
SIZE_BYTES = 1000


class FakedAssets(FolderStorage):
    """Storage whose library has every file, so that a million tasks need no gigabytes."""

    def size(self, key: str) -> int | None:
        return SIZE_BYTES if key.startswith("assets/") else super().size(key)


def a_million_tasks(**spec: Any) -> Submission:
    """Return what a laptop sends for such a job."""
    fields = {
        "models": ("models/*.blend",),
        "hdrs": ("hdrs/*.exr",),
        "recipe": {"mode": "augmented", "pitch": 10, "yaw_per_pitch": BATCHES},
        "views_per_task": VIEWS,
    }
    return Submission(
        spec=JobSpec.model_validate(fields | spec),
        assets=(
            *(_asset("model", f"model{at:05d}.blend") for at in range(MODELS)),
            *(_asset("hdr", f"sky{at:05d}.exr") for at in range(HDRS)),
        ),
    )


def _asset(kind: Any, name: str) -> Asset:
    return Asset(
        kind=kind,
        role=f"{kind}s",
        id=name.partition(".")[0],
        name=name,
        path=name,
        sha256=digest(name),
        size_bytes=SIZE_BYTES,
        in_library=True,
    )
