"""A task that makes something, in the worker's own hands; only Blender is left out."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from farm import products
from farm.errors import (
    AssetError,
    Interrupted,
    ProductError,
    SpecError,
    StaleAttempt,
    StorageError,
)
from farm.ledger import Ledger, TaskState
from farm.ledger.stores.memory_store import MemoryStore
from farm.settings import Settings
from farm.spec.task import Need, RenderMessage, product_key
from farm.storage import FolderStorage
from tests.builders import a_task
from tests.support.full_disks import small_disk

render = pytest.importorskip("worker.render.loading")
tasks = pytest.importorskip("worker.attempt.celery_task")
workers = pytest.importorskip("worker.assets.products")
TimeLimits = pytest.importorskip("worker.supervisor.time_limit").TimeLimits

PRODUCT = product_key("drop", 7)
MAKER = a_task(0, views=0, product=PRODUCT)
FRAME = a_task(1, needs=Need(product=PRODUCT, made_by=0))


class Lease:
    """Ours, unless a test says otherwise."""

    def confirm(self) -> None:
        """It is to go on."""

    def secure(self) -> None:
        """It is ours."""


@pytest.fixture
def storage(tmp_path):
    return FolderStorage(tmp_path / "storage")


@pytest.fixture
def workshop(storage, tmp_path):
    folder = tmp_path / "workshop"
    return workers.Workshop(workers.StoredProducts(storage, folder), folder)


def locate(assets):
    return [f"/here/{asset.name}" for asset in assets]


@pytest.fixture
def make(workshop, monkeypatch):
    """Let a function make the product of a task; return how often it was called."""

    def run(maker, lease=None, task=MAKER):
        monkeypatch.setattr(render, "find_maker", lambda recipe: maker)
        session = SimpleNamespace(configure=lambda render, passes: None)
        render.make_product(task, session, lease=lease or Lease(), locate=locate, workshop=workshop)

    return run


def drop(task, session, folder):
    assert [asset.path for asset in task.assets] == ["/here/vase.blend", "/here/studio.exr"]
    (folder / "poses.json").write_text("[1]")


def test_a_frame_finds_what_was_made(make, workshop):
    make(drop)
    with render.brought(FRAME, locate, workshop) as here:
        first = here.needs.path
        assert (workshop.folder / workers.NEEDED / "poses.json").read_text() == "[1]"
        assert here.needs.product == PRODUCT
    assert list(workshop.folder.iterdir()) == [workshop.folder / workers.NEEDED], (
        "nothing is left of the making"
    )

    products.remove(workshop.products.storage, PRODUCT)
    with render.brought(FRAME, locate, workshop) as here:
        assert here.needs.path == first, "the next frame has it already"


def test_what_is_there_is_not_made_again(make):
    make(drop)
    make(lambda *_: pytest.fail("it is there"))


def test_a_maker_may_need_what_another_has_made(make, workshop):
    make(drop)
    chained = a_task(1, views=0, product=product_key("bake"), needs=FRAME.needs)

    def bake(task, session, folder):
        (folder / "cache").write_text(
            (workshop.folder / workers.NEEDED / "poses.json").read_text() * 2
        )

    make(bake, task=chained)
    assert products.is_sound(workshop.products.storage, product_key("bake"))


def test_files_of_another_product_are_not_taken_for_this_one(make, workshop):
    make(drop)
    workshop.hold(FRAME.needs)
    other = Need(product=product_key("other"), made_by=0)
    with pytest.raises(ProductError):
        workshop.hold(other)
    products.remove(workshop.products.storage, PRODUCT)

    with pytest.raises(ProductError):
        workshop.hold(FRAME.needs)


@pytest.mark.parametrize("verb", ["confirm", "secure"])
@pytest.mark.parametrize("error", [StaleAttempt("taken"), Interrupted("stops")])
def test_an_attempt_that_is_not_to_go_on_leaves_nothing(make, workshop, verb, error):
    lease = Lease()

    def refuse():
        raise error

    setattr(lease, verb, refuse)
    with pytest.raises(type(error)):
        make(drop, lease)
    assert list(workshop.products.storage.keys("")) == []
    assert not (workshop.folder / workers.MADE).exists()


def test_what_fails_while_it_is_made_names_files_as_people_do(make, workshop):
    def fail(task, session, folder):
        (folder / "half").write_text("half")
        raise AssetError(task.assets[0].path, "holds no rigid body")

    with pytest.raises(AssetError, match=r"^/assets/vase.blend: holds no rigid body$"):
        make(fail)
    assert not (workshop.folder / workers.MADE).exists()


def test_a_recipe_that_makes_nothing_says_so():
    with pytest.raises(SpecError, match="recipe 'sod' makes nothing on this worker"):
        render.find_maker("sod")


@pytest.mark.parametrize("full", ["storage", "workshop"])
def test_a_full_disk_holds_the_job_and_charges_nobody(make, tmp_path, full):
    def much(task, session, folder):
        (folder / "cache").write_bytes(bytes(2_000_000))

    with small_disk(tmp_path / full, 1_000_000):
        ledger = Ledger(MemoryStore())
        ledger.add_job("job", tasks=1, views=0)
        [ticket] = ledger.take("job", 1)
        tasks.perform(
            RenderMessage(ticket=ticket, task=MAKER),
            ledger=ledger,
            worker="w",
            render=lambda task, *, attempt, worker, lease: make(much, lease),
        )

    [story] = ledger.failures("job")
    assert (story.state, story.attempts[0].cause) == (TaskState.PENDING, "disk")
    assert story.attempts[0].charge == "free"
    assert ledger.job("job").held_until_s > ledger.now_s()


def a_farm():
    """A maker that is done and a frame that a worker gets."""
    ledger = Ledger(MemoryStore())
    ledger.add_job("job", tasks=2, views=3, done=(0,))
    [ticket] = ledger.take("job", 1)
    return ledger, RenderMessage(ticket=ticket, task=FRAME)


def test_a_product_that_is_gone_puts_its_maker_back(workshop):
    ledger, message = a_farm()

    def bring(task, *, attempt, worker, lease):
        with render.brought(task, locate, workshop):
            pytest.fail("it is not there")

    tasks.perform(message, ledger=ledger, render=bring, worker="w")

    assert ledger.job("job").counts[TaskState.PENDING] == 2
    [story] = ledger.failures("job")
    assert (story.index, story.attempts[0].cause) == (1, "product")
    waits = {1: 0}.get
    assert [ticket.index for ticket in ledger.take("job", 9, waits_for=waits)] == [0]


def test_a_storage_that_is_away_is_not_taken_for_a_lost_product(workshop, monkeypatch):
    ledger, message = a_farm()

    def away(key):
        raise StorageError("Input/output error")

    monkeypatch.setattr(workshop.products.storage, "get", away)

    def bring(task, *, attempt, worker, lease):
        with render.brought(task, locate, workshop):
            pytest.fail("it is away")

    tasks.perform(message, ledger=ledger, render=bring, worker="w")

    assert ledger.store.states("job", 0, 1) == "d"
    assert ledger.failures("job")[0].attempts[0].charge == "free"


def test_what_takes_long_to_set_up_has_longer():
    time_limits = TimeLimits(Settings(redis_url="redis://x", storage="s", device="cpu"))
    slow = MAKER.model_copy(update={"setup_s": 500.0})

    assert time_limits.limit_s(slow) == time_limits.limit_s(MAKER) + 500
