"""What jobs tell of assets: read once each, forgotten with them, and whom to believe."""

from __future__ import annotations

import pytest

from farm.api.shelf.index import ShelfIndex
from farm.job_store import JobStore
from farm.ledger import Ledger
from farm.ledger.stores.memory_store import MemoryStore
from farm.spec.asset import Credit
from farm.storage import FolderStorage
from tests.builders import an_asset, the_job

HDR = an_asset("sky.exr", kind="hdr")


class Shelf:
    """An index over jobs in memory; reading a job takes a second of its clock."""

    def __init__(self, folder):
        self.now_s = 0.0
        self.ledger = Ledger(MemoryStore())
        self.book = JobStore(FolderStorage(folder))
        self.index = ShelfIndex(self.ledger, self.book, lambda: self.now_s)
        load = self.book.load
        self.book.load = lambda job_id: (self.tick(), load(job_id))[1]

    def tick(self):
        self.now_s += 1.0

    def submit(self, *models, owner="ann", seed=0):
        spec = {"models": ["m"], "hdrs": ["h"], "seed": seed, "recipe": {"yaw": 4, "pitch": 1}}
        job = the_job(spec, models=list(models), hdrs=[HDR])
        self.book.save(job)
        self.ledger.add_job(job.job_id, tasks=len(models), views=4, owner=owner)
        return job

    def names(self, sees=lambda _owner: True):
        self.index.refresh()
        return [held.name for held in self.index.assets(sees)]


@pytest.fixture
def shelf(tmp_path):
    return Shelf(tmp_path)


def test_no_request_reads_jobs_for_long_and_the_next_one_continues(shelf):
    for number in range(5):
        shelf.submit(an_asset(f"cup{number}.glb"), seed=number)

    left = [shelf.index.refresh(patience_s=1.5) for _ in range(3)]
    assert left == [3, 1, 0]
    assert len(shelf.index.assets(lambda _owner: True)) == 6


def test_what_only_deleted_jobs_had_is_forgotten(shelf):
    cup, box = an_asset("cup.glb"), an_asset("box.glb")
    gone = shelf.submit(cup, box)
    stays = shelf.submit(cup, seed=1)
    assert sorted(shelf.names()) == ["box.glb", "cup.glb", "sky.exr"]

    shelf.ledger.cancel(gone.job_id)
    shelf.ledger.settle(gone.job_id)
    shelf.ledger.forget(gone.job_id)
    assert sorted(shelf.names()) == ["cup.glb", "sky.exr"]
    assert shelf.index.asset(cup.sha256, lambda _owner: True).job_ids == [stays.job_id]


def test_a_job_that_cannot_be_read_keeps_no_other_from_being_listed(shelf):
    job = shelf.submit(an_asset("cup.glb"))
    shelf.ledger.add_job("0123456789ab", tasks=1, views=1)
    shelf.book.storage.put("jobs/0123456789ab/spec.json", b"{}")

    assert "cup.glb" in shelf.names()
    assert shelf.index.refresh() == 0
    assert list(shelf.index.jobs) == [job.job_id]


def test_who_knows_the_licence_is_believed_among_those_that_may_be_seen(shelf):
    cup = an_asset("cup.glb")
    known = cup.model_copy(update={"credit": Credit(licence="cc0"), "name": "mug.glb"})
    shelf.submit(known, owner="ann")
    shelf.submit(cup, owner="bob", seed=1)
    shelf.index.refresh()

    both = shelf.index.asset(cup.sha256, lambda _owner: True)
    assert (both.name, both.licence, len(both.job_ids)) == ("mug.glb", "CC0 1.0", 2)
    bobs = shelf.index.asset(cup.sha256, lambda owner: owner == "bob")
    assert (bobs.name, bobs.licence, len(bobs.job_ids)) == ("cup.glb", "", 1)
    assert shelf.index.asset(cup.sha256, lambda owner: owner == "eve") is None


@pytest.mark.parametrize(
    ("cause", "sentence", "blamed"),
    [
        pytest.param("asset", "cup.glb has no face", {"cup.glb"}, id="named"),
        pytest.param("memory", "it took too much memory", {"cup.glb", "sky.exr"}, id="not named"),
        pytest.param("device", "the GPU is lost", set(), id="not theirs"),
    ],
)
def test_failures_are_told_at_the_assets_that_they_have_to_do_with(shelf, cause, sentence, blamed):
    job = shelf.submit(an_asset("cup.glb"), an_asset("box.glb"))
    shelf.index.refresh()
    for _ in range(3):  # as often as it is tried
        for ticket in shelf.ledger.take_these(job.job_id, [0]):
            shelf.ledger.claim(ticket, "w0")
            shelf.ledger.fail(ticket, cause, sentence)
    shelf.index.refresh()

    found = {
        held.name for held in shelf.index.assets(lambda _owner: True) if shelf.index.blame(held)
    }
    assert found == blamed
