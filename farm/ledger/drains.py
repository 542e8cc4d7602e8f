"""Nodes that a person has drained: they end what they hold, and take no more tasks."""

from __future__ import annotations

from pydantic import ValidationError

from farm.ledger.model import Drain, node_of
from farm.ledger.stores.store import Store

FORGOTTEN_S = 30 * 86_400.0
"""Age at which the drain of a node that does not live is forgotten, when another one is drained:
containers that are made anew never come back under their name."""


class Drains:
    """Which nodes are drained. A node keeps it when its worker is started again."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def all(self) -> dict[str, Drain]:
        """Return the drained nodes."""
        return {node: read(note) for node, note in self.store.drained().items()}

    def of(self, worker: str) -> Drain | None:
        """Return since when a worker is drained, and by whom; None where it is not."""
        note = self.store.drained_node(node_of(worker))
        return read(note) if note else None

    def drain(self, node: str, *, by: str) -> None:
        """Let a node take no more tasks; twice is once."""
        if self.of(node) is None:
            self._forget_old()
            note = Drain(by=by, since_s=self.store.now_s())
            self.store.set_drained(node, note.model_dump_json())

    def undrain(self, node: str) -> bool:
        """Let a node take tasks again; return whether it was drained."""
        was = self.of(node) is not None
        if was:
            self.store.set_drained(node, "")
        return was

    def _forget_old(self) -> None:
        oldest_s = self.store.now_s() - FORGOTTEN_S
        living = {node_of(worker) for worker in self.store.beating()}
        for node, drain in self.all().items():
            if node not in living and drain.since_s < oldest_s:
                self.store.set_drained(node, "")


def read(note: str) -> Drain:
    """Read a note; one that cannot be read still says that the node is drained."""
    try:
        return Drain.model_validate_json(note)
    except ValidationError:
        return Drain()
