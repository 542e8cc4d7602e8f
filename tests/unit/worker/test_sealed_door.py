"""What a script's process may tell the farm of its views, whatever it says."""

from __future__ import annotations

import pytest

from farm.storage import FolderStorage
from farm.tallies.model import STAGES, DoneView
from tests.builders import a_task

Door = pytest.importorskip("worker.sealed.door").Door


class Lease:
    def __init__(self) -> None:
        self.told: list[DoneView] = []

    def view_done(self, done: DoneView) -> None:
        self.told.append(done)


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ([1.0, 0.5, 2.0, 0.0, 0.25, 0.0, 0.125], [1.0, 0.5, 2.0, 0.0, 0.25, 0.0, 0.125]),
        ([], []),
        (["nan", "inf", "-3", "1e999", "x"], []),
        ([1.0] * 30, [1.0] * len(STAGES)),
    ],
)
def test_seconds_of_a_stranger_are_taken_where_they_are_some(tmp_path, said, told):
    lease = Lease()
    door = Door(a_task(), FolderStorage(tmp_path), lease, attempt=1)

    door("view_done", said, b"")

    [done] = lease.told
    assert done.stages == dict(zip(STAGES, told, strict=False))
