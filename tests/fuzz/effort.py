"""How much is tried: a little and always the same, or as much as `FUZZ_EXAMPLES` says."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

LONG = "FUZZ_EXAMPLES" in os.environ
EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "40"))


def fuzz(share: float = 1.0) -> settings:
    """Return how to try a property; `share` is less than 1 where one example takes long."""
    return settings(
        max_examples=max(round(EXAMPLES * share), 3),
        derandomize=not LONG,  # a short run never fails by chance
        print_blob=LONG,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
