"""What must stay together: assets that one view shows, and those that they are seen with."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable


class Components:
    """Sets of things that are linked to each other, directly or by others (disjoint sets)."""

    def __init__(self) -> None:
        self._parents: dict[str, str] = {}

    def link(self, things: Iterable[str]) -> str:
        """Say that these belong together, one or more; return the least of them all."""
        roots = {self.root(thing) for thing in things}
        for root in roots:
            self._parents[root] = min(roots)
        return min(roots)

    def root(self, thing: str) -> str:
        """Return the least of all that belong together with `thing`."""
        path = [thing]
        while (parent := self._parents.setdefault(path[-1], path[-1])) != path[-1]:
            path.append(parent)
        for passed in path:
            self._parents[passed] = path[-1]
        return path[-1]

    def members(self) -> dict[str, list[str]]:
        """Return the things of each set, by its root."""
        found: defaultdict[str, list[str]] = defaultdict(list)
        for thing in sorted(self._parents):
            found[self.root(thing)].append(thing)
        return dict(found)
