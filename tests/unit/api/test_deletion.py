"""What goes with a job, and what stays for others."""

from __future__ import annotations

import threading
from types import SimpleNamespace

import pytest

from farm import expand, products
from farm.api.deletion import delete_job, delete_unused
from farm.expand import recipe
from farm.holdings import Holdings
from farm.job_store import JobStore
from farm.ledger import Ledger
from farm.ledger.stores.memory_store import MemoryStore
from farm.library import Library
from farm.storage import FolderStorage
from tests.builders import a_job
from tests.support.baking import BakingExpansion, keep

MODELS = 2


@pytest.fixture
def services(tmp_path, monkeypatch):
    expansion = BakingExpansion()
    monkeypatch.setattr(recipe, "expansion_of", lambda name: expansion)
    storage = FolderStorage(tmp_path / "storage")
    return SimpleNamespace(
        ledger=Ledger(MemoryStore()),
        storage=storage,
        library=Library(storage),
        book=JobStore(storage),
        holdings=Holdings(storage),
        settings=SimpleNamespace(asset_grace_s=-60.0),
        library_lock=threading.Lock(),
        tallies=None,
    )


@pytest.fixture
def jobs(services, tmp_path):
    """Two jobs that are over and share one of the products that they have made."""
    jobs = a_job(models=MODELS), a_job(models=MODELS - 1)
    for at, job in enumerate(jobs):
        services.book.save(job)
        for product in expand.products(job):
            folder = tmp_path / f"made-{at}"
            folder.mkdir(exist_ok=True)
            (folder / "poses.json").write_text("[1]")
            keep(services.storage, product, folder)
    return jobs


def there(services) -> set[str]:
    return {products.product_of(entry) for entry in services.storage.entries(products.FOLDER)}


def test_what_a_job_has_made_goes_with_the_last_job_that_needs_it(services, jobs):
    shared, own = expand.products(jobs[0])
    would = delete_job(services, jobs[0].job_id, dry_run=True)
    assert there(services) == {shared, own}
    assert {name for name in would.names if name.startswith("products/")} == {
        entry.key for entry in services.storage.entries(own)
    }

    assert delete_job(services, jobs[0].job_id, dry_run=False) == would.model_copy(
        update={"dry_run": False}
    )
    assert there(services) == {shared}
    delete_job(services, jobs[1].job_id, dry_run=False)
    assert there(services) == set()


def test_a_product_that_no_job_needs_goes_with_the_unused_assets(services, jobs):
    services.book.delete(jobs[0].job_id)
    shared, own = expand.products(jobs[0])
    would = delete_unused(services, dry_run=True)
    assert {name.rpartition("/")[0] for name in would.names} == {own}
    assert there(services) == {shared, own}

    delete_unused(services, dry_run=False)
    assert there(services) == {shared}


def test_a_product_that_is_new_stays_for_a_while(services, jobs):
    services.settings.asset_grace_s = 3600.0
    for job in jobs:
        services.book.delete(job.job_id)

    assert delete_unused(services, dry_run=False).files == 0
    assert len(there(services)) == MODELS


def test_products_stay_where_it_cannot_be_known_who_needs_them(services, jobs):
    services.storage.put("jobs/fedcba987654/spec.json", b"{")

    delete_job(services, jobs[0].job_id, dry_run=False)
    assert len(there(services)) == MODELS
