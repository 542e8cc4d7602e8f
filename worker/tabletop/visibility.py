"""Whether a view of a scene shows enough of it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from worker.labels.amodal import Index
from worker.labels.objects import Thing
from worker.points.followed import Flags


class Share(NamedTuple):
    """What a view shows of a thing."""

    visible_px: int
    whole_px: int
    """Of its silhouette in the picture."""

    @property
    def fraction(self) -> float:
        """Of the silhouette, the part that nothing hides."""
        return self.visible_px / self.whole_px if self.whole_px else 0.0


def share_of(thing: Thing, index: Index, whole: Flags) -> Share:
    """Return how much of a thing is seen.

    Args:
        thing: The thing.
        index: (H, W), which object each pixel shows.
        whole: (H, W), its silhouette.
    """
    seen = np.isin(index, thing.indices)
    return Share(int(np.count_nonzero(seen)), int(np.count_nonzero(seen | whole)))


def count_seen(shares: Iterable[Share], *, fraction: float, pixels: int) -> int:
    """Count the things of which that much is seen."""
    return sum(share.visible_px >= pixels and share.fraction >= fraction for share in shares)
