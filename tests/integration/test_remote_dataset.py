"""A dataset read straight from a farm, also while it is rendered, gone wrong and cut off."""

from __future__ import annotations

import hashlib
import multiprocessing
import pickle
import shutil
from pathlib import Path

import imagecodecs
import numpy as np
import pytest

import farm.dataset
from farm.client import Client
from farm.client.dataset import address
from farm.client.home import Home, Login
from farm.dataset.reader import DatasetError, open_dataset
from farm.dataset.verify.verify import verify
from farm.errors import LoginError, NotFoundError, SetupError, StorageError, UnreachableError
from farm.spec.record import FileRecord, ViewRecord, read_record
from tests.integration.api.test_jobs import ServedFarm
from tests.integration.test_client import Cutter
from tests.support.shards import SUFFIXES, pack_views
from tests.unit.dataset.records.test_snapshot import Corner
from worker.render.writers.packs import new_shard


@pytest.fixture
def served(redis_url, tmp_path):
    with ServedFarm(redis_url, tmp_path) as running:
        yield running


@pytest.fixture
def login(served, tmp_path, monkeypatch):
    """This user has logged in to the farm."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.delenv("FARM_TOKEN", raising=False)
    monkeypatch.delenv("FARM_URL", raising=False)
    Home.of_user().save_login(Login(served.api.url, served.api.tokens["read"]))


def finish(served, **spec):
    job_id = served.submit(**spec)
    served.start_worker()
    served.wait_job(job_id, "completed")
    served.wait_finished(job_id)
    return job_id


@pytest.mark.usefixtures("login")
def test_a_job_reads_as_the_folder_on_the_farm_does(served):
    job_id = finish(served, tasks=2, dataset_name="chairs")
    there = farm.dataset.open(served.storage / "datasets" / job_id)

    for place in ("farm:chairs", f"farm:{job_id[:5]}", f"{served.api.url}/v1/datasets/{job_id}"):
        far = farm.dataset.open(place)
        assert [view.key for view in far] == [view.key for view in there]
        assert [view.record for view in far] == [view.record for view in there]
    np.testing.assert_array_equal(far[3]["rgb"], there[3]["rgb"])
    assert far.summaries == there.summaries
    storage = far.storage
    assert list(storage.keys("chairs/images")) == list(there.storage.keys("chairs/images"))
    key = "chairs/views.jsonl"
    assert storage.size(key) == there.storage.size(key)
    assert b"".join(storage.read(key)) == there.storage.get(key)
    assert b"".join(storage.read(key, start=3, length=5)) == there.storage.get(key)[3:8]
    assert list(storage.read(key, start=1 << 30)) == []
    assert storage.size("chairs/none") is storage.get("chairs/none") is None
    with pytest.raises(StorageError, match="does not exist"):
        list(storage.read("chairs/none"))
    with pytest.raises(StorageError, match="read-only"):
        storage.put(key, b"")


@pytest.mark.usefixtures("login")
def test_a_job_that_runs_reads_as_far_as_it_is(served):
    served.tell("hold-0")
    job_id = served.submit(tasks=2, dataset_name="chairs")
    with pytest.raises(
        DatasetError, match=f"no view is finished yet; follow it with farm watch {job_id}"
    ):
        farm.dataset.open("farm:chairs")
    served.start_worker()
    served.wait_started(0)

    early = farm.dataset.open("farm:chairs")
    served.free("hold-0")
    served.wait_job(job_id, "completed")
    served.wait_finished(job_id)

    assert [early[at]["rgb"].shape for at in range(len(early))] == [(64, 64, 3)] * 2
    assert len(farm.dataset.open("farm:chairs")) == 4


@pytest.mark.usefixtures("login")
def test_a_view_is_named_with_its_dataset(served):
    job_id = finish(served, tasks=1)

    first, second = farm.dataset.open(f"farm:{job_id}")

    assert first.key == f"chair_studio/{first.name}"
    assert second["mask"].shape == (64, 64)


@pytest.mark.usefixtures("login")
@pytest.mark.parametrize("start", ["fork", "spawn"])
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_workers_have_connections_of_their_own(served, start):
    finish(served, tasks=2, dataset_name="chairs")
    far = farm.dataset.open("farm:chairs")
    assert far[0]["mask"][0, 0] == 0, "the connection is open before the fork"

    with multiprocessing.get_context(start).Pool(2) as pool:
        found = pool.map(Corner(far), range(4), chunksize=1)

    assert found == [0, 20, 40, 60]
    assert Corner(pickle.loads(pickle.dumps(far)))(1) == 20


@pytest.mark.usefixtures("login")
def test_a_process_that_begins_after_another_login_uses_that(served):
    """As the workers of a loader do, in every epoch."""
    finish(served, tasks=1, dataset_name="chairs")
    tokens = served.api.services.tokens
    first, info = tokens.create("ann", "read")
    Home.of_user().save_login(Login(served.api.url, first))
    far = farm.dataset.open("farm:chairs")
    tokens.revoke(info.token_id)
    Home.of_user().save_login(Login(served.api.url, served.api.tokens["read"]))

    assert Corner(pickle.loads(pickle.dumps(far)))(1) == 20


def test_what_cannot_be_opened_is_said(served, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setattr("farm.client.dataset.OPENING_S", 0.5)
    with pytest.raises(LoginError, match="there is no login here"):
        farm.dataset.open("farm:chairs")
    Home.of_user().save_login(Login(served.api.url, "nonsense"))
    with pytest.raises(LoginError, match="does not let you in: the token is wrong"):
        farm.dataset.open("farm:chairs")
    Home.of_user().save_login(Login(served.api.url, served.api.tokens["read"]))
    with pytest.raises(NotFoundError, match="there is no job 'chairs'"):
        farm.dataset.open("farm:chairs")
    with pytest.raises(LoginError, match="there is no token for http://127"):
        farm.dataset.open("http://127.0.0.1:1/v1/datasets/chairs")
    monkeypatch.setenv("FARM_TOKEN", "some")
    with pytest.raises(UnreachableError, match="does not answer"):
        farm.dataset.open("http://127.0.0.1:1/v1/datasets/chairs")


@pytest.mark.parametrize("place", ["farm:", "https://farm.example", "https://a/v1/datasets/"])
def test_an_address_without_a_job_is_refused(place):
    with pytest.raises(SetupError, match="is not the address of a dataset, such as https://"):
        farm.dataset.open(place)


@pytest.mark.parametrize(
    ("place", "meant"),
    [
        ("farm:chairs", (None, "chairs")),
        ("https://a.b/c/v1/datasets/0123", ("https://a.b/c", "0123")),
        ("http://a:80/v1/datasets/0123/files/", ("http://a:80", "0123")),
    ],
)
def test_an_address_names_a_farm_and_a_job(place, meant):
    assert address(place) == meant


def test_a_cut_connection_is_made_again(served, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("FARM_TOKEN", served.api.tokens["read"])
    job_id = finish(served, tasks=4, dataset_name="chairs")
    noise = np.random.default_rng(0).integers(256, size=(200, 200, 3), dtype=np.uint8)
    there = list(farm.dataset.open(served.storage / "datasets" / job_id))
    picture = served.storage / "datasets" / job_id / there[5].path("rgb")
    picture.write_bytes(imagecodecs.png_encode(noise))
    listing = served.storage / "datasets" / job_id / "chairs/views.jsonl"
    listing.write_text("{" + " " * 200_000 + listing.read_text()[1:])  # the same, but longer

    with Cutter(served.api.port, [50_000], upwards=False) as cutter:
        far = farm.dataset.open(f"{cutter.url}/v1/datasets/chairs")
        assert cutter.cuts == [], "the records were cut off once"
        assert [view.record for view in far] == [view.record for view in there]
        cutter.cuts.append(50_000)
        np.testing.assert_array_equal(far[5]["rgb"], noise)
        assert cutter.cuts == [], "and so was the picture"


@pytest.mark.usefixtures("login")
def test_a_record_that_is_broken_on_the_farm_is_told_here(served):
    job_id = finish(served, tasks=2, dataset_name="chairs")
    views = served.storage / "datasets" / job_id / "chairs/views.jsonl"
    lines = views.read_bytes().splitlines(keepends=True)
    views.write_bytes(b"".join([lines[0], lines[1][:100] + b"\n", *lines[2:]]))

    with pytest.raises(
        DatasetError, match=rf"{job_id}/chairs/views\.jsonl: line 2 is not a record"
    ):
        farm.dataset.open("farm:chairs")


@pytest.mark.usefixtures("login")
def test_a_job_of_which_a_task_failed_reads_and_downloads_each_view_once(served, tmp_path):
    """What a failed task has kept lies beside the folded records, too."""
    job_id = finish(served, tasks=2, dataset_name="chairs")
    dataset = served.storage / "datasets" / job_id / "chairs"
    lines = (dataset / "views.jsonl").read_bytes().splitlines(keepends=True)
    task = ViewRecord.model_validate_json(lines[0]).task_id
    (dataset / ".records").mkdir(exist_ok=True)
    (dataset / f".records/{task}.jsonl").write_bytes(lines[0])

    with Client() as client:
        summary = client.download(job_id, tmp_path / "here")

    assert summary.failures == []
    assert len(farm.dataset.open(tmp_path / "here")) == len(lines)
    assert len(farm.dataset.open("farm:chairs")) == len(lines)


@pytest.mark.usefixtures("login")
def test_what_verify_says_mends_what_was_downloaded(served, tmp_path):
    job_id = finish(served, tasks=2, dataset_name="chairs")
    here = tmp_path / "here"
    with Client() as client:
        client.download(job_id, here)
        well = verify(farm.dataset.open(here), workers=1)
        views = here / "chairs/views.jsonl"
        views.write_bytes(b"null\n" + views.read_bytes()[:-50])
        (here / "chairs/dataset.json").unlink()
        harmed = next((here / "chairs/images").iterdir())
        harmed.write_bytes(b"x")
        broken: list[str] = []
        verify(open_dataset(here), workers=1, broken=broken.append)
        assert harmed.relative_to(here).as_posix() in broken
        harmed.unlink()

        assert client.download(job_id, here).failures == []

    again = verify(farm.dataset.open(here), workers=1)
    assert (again.wrong, again.views) == (well.wrong, well.views)
    assert [check.found for check in again.checks] == [check.found for check in well.checks]


@pytest.mark.usefixtures("login")
def test_what_verify_says_mends_what_lies_on_the_farm(served):
    job_id = finish(served, tasks=2, dataset_name="chairs")
    place = served.storage / "datasets" / job_id
    whole = len(farm.dataset.open(place))
    next((place / "chairs/images").iterdir()).unlink()

    with Client(token=served.api.tokens["admin"]) as client:
        client.delete(job_id, dry_run=False)
    assert served.submit(tasks=2, dataset_name="chairs") == job_id
    served.wait_job(job_id, "completed")
    served.wait_finished(job_id)

    assert len(farm.dataset.open(place)) == whole
    report = verify(farm.dataset.open(place), workers=1)
    assert next(check.found for check in report.checks if check.check == "missing") == 0


@pytest.mark.usefixtures("login")
@pytest.mark.parametrize("suffix", SUFFIXES.values())
def test_a_dataset_in_shards_is_read_and_downloaded_as_shards(served, tmp_path, suffix):
    job_id = finish(served, tasks=2, dataset_name="chairs")
    dataset = served.storage / "datasets" / job_id / "chairs"
    before = [view["rgb"] for view in farm.dataset.open(dataset)]
    count = pack(dataset, suffix)
    (dataset / "README.md").write_text("the card")

    far = farm.dataset.open("farm:chairs")
    with Client() as client:
        summary = client.download(job_id, tmp_path / "here")

    assert summary.failures == []
    files = sorted(path.name for path in (tmp_path / "here/chairs").rglob(f"*.{suffix}"))
    assert files == [f"{number}.{suffix}" for number in range(count)]
    assert not (tmp_path / "here/chairs/images").exists()
    assert (tmp_path / "here/chairs/README.md").read_text() == "the card"
    for picture, one, other in zip(before, far, farm.dataset.open(tmp_path / "here"), strict=True):
        np.testing.assert_array_equal(one["rgb"], picture)
        np.testing.assert_array_equal(other["rgb"], picture)


def pack(dataset: Path, suffix: str) -> int:
    """Put the files of a dataset into shards of two views; return how many."""
    views = dataset / "views.jsonl"
    records = [read_record(line) for line in views.read_bytes().splitlines()]
    (dataset / "shards").mkdir()
    lines = []
    for number, at in enumerate(range(0, len(records), 2)):
        shard = new_shard(f"shards/{number}.{suffix}")
        data, packed = pack_views(
            shard, records[at : at + 2], lambda path: (dataset / path).read_bytes()
        )
        (dataset / shard.key).write_bytes(data)
        sha256 = hashlib.sha256(data).hexdigest()
        told = FileRecord(path=shard.key, sha256=sha256, size_bytes=len(data))
        lines += [each.model_copy(update={"shard": told}).model_dump_json() for each in packed]
    for folder in ("images", "masks", "previews"):
        shutil.rmtree(dataset / folder, ignore_errors=True)
    views.write_text("\n".join(lines) + "\n")
    return number + 1
