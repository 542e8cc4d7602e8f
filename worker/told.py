"""Numbers by which materials and labels agree how an opacity is written."""

from __future__ import annotations

TOLD_FROM = 1.0
"""What is added to each opacity, so that none is told from nothing written."""
BUMPED = 2.0
"""What is added, too, where normals are those of faces alone."""
