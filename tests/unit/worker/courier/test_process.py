"""The courier, as a process of its own, and the channel through which it is asked."""

from __future__ import annotations

import hashlib
import os
import signal
from concurrent.futures import ThreadPoolExecutor

import pytest

from farm import products
from farm.errors import AssetError, ProductError, SetupError, StorageError, TaskError
from farm.job_store import JobStore
from farm.library import Library
from farm.settings import load_settings
from farm.spec.asset import Asset, AssetFile
from farm.spec.task import Addition, Need, product_key
from farm.storage import open_storage
from tests.builders import a_task
from tests.support.waiting import wait_for

pytest.importorskip("celery", reason="the worker's parts are not installed")
channel = pytest.importorskip("worker.courier.channel")
shared = pytest.importorskip("worker.courier.shared_folder")


@pytest.fixture
def storage(place):
    """A farm's, in a folder or in a bucket."""
    storage = open_storage(place)
    storage.put("jobs/one/spec.json", b"{}")
    return storage


@pytest.fixture
def open_channel(tmp_path):
    opened = []

    def start(place):
        ours = shared.new_shared_folder(tmp_path / "cache")
        settings = load_settings(storage=place, cache=tmp_path / "cache")
        environment = os.environ | settings.environment()
        arguments = [str(ours.folder), str(ours.lock), "links"]
        opened.append(channel.CourierChannel(arguments, environment=environment, keep=[ours.lock]))
        return opened[-1]

    yield start
    for each in opened:
        each.close()


@pytest.fixture
def ours(open_channel, storage):
    return open_channel(storage.place)


def keep(storage, tmp_path, data):
    path = tmp_path / "upload"
    path.write_bytes(data)
    sha256 = hashlib.sha256(data).hexdigest()
    Library(storage).add(sha256, path)
    return sha256


def an_asset(storage, tmp_path):
    wood = AssetFile(path="../wood.png", sha256=keep(storage, tmp_path, b"wood"), size_bytes=4)
    return Asset(
        kind="model", id="vase", name="vase.blend", path="vase.blend", size_bytes=4,
        sha256=keep(storage, tmp_path, b"vase"), in_library=True, dependencies=(wood,),
    )  # fmt: skip


def test_an_asset_is_brought_with_what_it_needs(ours, storage, tmp_path):
    asset = an_asset(storage, tmp_path)

    [path] = ours.hold([asset])

    assert path.read_bytes() == b"vase"
    assert (path.parent / "../wood.png").read_bytes() == b"wood"
    assert not any(each.is_symlink() for each in (path, path.parent / "../wood.png"))
    assert asset.content in path.parts, "by which it is known whose files are whose"
    assert ours.hold([asset]) == [path]


def test_what_the_library_lacks_is_told_as_it_was(ours, storage, tmp_path):
    asset = an_asset(storage, tmp_path)
    Library(storage).remove(asset.sha256)

    with pytest.raises(AssetError, match=r"vase\.blend: its file .* is not in the library"):
        ours.hold([asset])


def test_a_file_of_this_machine_is_not_brought(ours, tmp_path):
    asset = Asset(kind="model", id="v", name="v", path="/etc/passwd", sha256="0" * 64, size_bytes=1)

    with pytest.raises(TaskError, match="'/etc/passwd' is not in the library"):
        ours.hold([asset])


def test_results_records_and_logs_go_to_the_storage(ours, storage):
    record = "datasets/one/vases/.records/task.jsonl"
    ours.put("datasets/one/vases/rgb.png", b"p" * 3_000_000)
    ours.put(record, b"line\n")
    ours.put("jobs/one/log/task.1.log", b"words")

    assert storage.get("datasets/one/vases/rgb.png") == b"p" * 3_000_000
    assert storage.get("jobs/one/log/task.1.log") == b"words"
    assert ours.size("datasets/one/vases/rgb.png") == 3_000_000
    assert ours.size("datasets/one/vases/gone.png") is None
    assert ours.get(record) == b"line\n"
    assert ours.get(f"{record}.gone") is None
    ours.put("datasets/one/vases/.records/task/2.jsonl", b"")
    assert ours.keys("datasets/one/vases/.records/task") == [
        "datasets/one/vases/.records/task/2.jsonl"
    ]


@pytest.mark.parametrize(
    ("verb", "key"),
    [
        ("get", "datasets/one/vases/rgb.png"),
        ("get", "assets/aa/blob"),
        ("get", "jobs/one/.records/x"),
        ("get", "datasets/../assets/.records/x"),
        ("size", "assets/aa/blob"),
        ("keys", "datasets/one/vases"),
        ("keys", "assets/.records/x"),
        ("put", "assets/aa/blob"),
        ("put", "jobs/one/spec.json"),
        ("put", "jobs/one/log/../spec.json"),
        ("put", "tokens.json"),
    ],
)
def test_nothing_else_of_a_farm_is_read_or_written(ours, storage, verb, key):
    storage.put("datasets/one/vases/rgb.png", b"picture")

    with pytest.raises(TaskError, match=f"does not belong to a renderer: {verb} is refused"):
        getattr(ours, verb)(key, *([b""] if verb == "put" else []))


def test_what_proves_a_view_is_read_of_the_dataset_that_the_server_named(ours, storage):
    """A renderer may say anything; where tasks that add passes lie, it cannot write."""
    adds = Addition(passes=("depth",), proof=("rgb",))
    task = a_task(job_id="2" * 12, dataset="datasets/one/vases", adds=adds)
    JobStore(storage).save_added_task(task.job_id, task)
    for name in ("one/vases", "one/others", "two/vases"):
        storage.put(f"datasets/{name}/rgb.png", name.encode())
    other = task.model_copy(update={"index": 1, "dataset": "datasets/two/vases"})

    ours.read_back(task)

    assert ours.get("datasets/one/vases/rgb.png") == b"one/vases"
    for key in ("one/others/rgb.png", "two/vases/rgb.png", "one/vases/.hidden", "one/vases/../o"):
        with pytest.raises(TaskError, match="get is refused"):
            ours.get(f"datasets/{key}")
    with pytest.raises(StorageError, match=r"tasks/0000000001\.json: is missing"):
        ours.read_back(other)
    ours.read_back(task)
    ours.read_back(a_task())
    with pytest.raises(TaskError, match="get is refused"):
        ours.get("datasets/one/vases/rgb.png")


def test_files_are_linked_within_a_job_alone(ours, storage):
    """Else a renderer that a model has taken over could show another's pictures as its own."""
    storage.put("datasets/mine/depth/a.exr", b"depth")
    storage.put("datasets/other/images/b.png", b"theirs")

    ours.link("datasets/mine/depth/b.exr", "datasets/mine/depth/a.exr")

    assert storage.get("datasets/mine/depth/b.exr") == b"depth"
    for source in (
        "datasets/other/images/b.png",
        "datasets/mine/../other/images/b.png",
        "jobs/one/spec.json",
    ):
        with pytest.raises(TaskError, match="link is refused"):
            ours.link("datasets/mine/images/b.png", source)
    assert storage.get("datasets/mine/images/b.png") is None


def test_a_key_that_leads_away_is_refused_as_the_storage_does(ours):
    with pytest.raises(StorageError, match="leads out of"):
        ours.get("../.records/x")


def test_a_folder_of_ones_own_has_datasets_of_any_name(open_channel, tmp_path):
    ours = open_channel(str(tmp_path / "out"))

    ours.put("vases/rgb.png", b"p")
    assert ours.size("vases/rgb.png") == 1


def test_many_threads_ask_at_once(ours):
    with ThreadPoolExecutor(20) as pool:
        list(pool.map(lambda n: ours.put(f"datasets/{n}/x.png", b"p" * n * 1000), range(60)))

    assert [ours.size(f"datasets/{n}/x.png") for n in range(60)] == [n * 1000 for n in range(60)]


def test_a_storage_that_cannot_be_opened_is_told_at_once(open_channel):
    with pytest.raises(SetupError, match=r"ftp:// is not a storage"):
        open_channel("ftp://x/y").greet()


def test_a_porter_that_is_gone_is_noticed(ours):
    ours.greet()
    os.kill(ours._process.pid, signal.SIGKILL)

    with pytest.raises(StorageError, match="another is being started"):
        ours.size("datasets/x")
    assert not ours.is_open


def test_a_porter_ends_with_its_renderer_and_takes_the_tray_along(ours, storage, tmp_path):
    [path] = ours.hold([an_asset(storage, tmp_path)])
    ours._process.stdin.close()

    wait_for(lambda: ours._process.poll() is not None, "the courier ends")
    assert not path.exists()


KEY = "0123456789abcdef-lit1"


@pytest.fixture
def outbox(tmp_path, monkeypatch):
    """Where a renderer writes."""
    monkeypatch.setattr("tempfile.tempdir", None)
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    made = tmp_path / "temporary" / "made"
    made.mkdir()
    (made / "picture.exr").write_bytes(b"picture")
    return made


def test_what_was_made_of_an_asset_is_kept_for_the_next_renderer(outbox, open_channel, storage):
    first, second = open_channel(storage.place), open_channel(storage.place)
    assert first.find_made(KEY) is None

    kept = first.keep_made(KEY, outbox)

    assert (kept / "picture.exr").read_bytes() == b"picture"
    first.hold([])  # the next task's
    assert (kept / "picture.exr").exists()
    (outbox / "picture.exr").write_bytes(b"changed")
    assert (second.find_made(KEY) / "picture.exr").read_bytes() == b"picture"


@pytest.mark.parametrize("key", ["0" * 64, "../x-lit1", f"{KEY}.lock", ".shared-folders", ""])
def test_nothing_is_kept_in_the_place_of_an_asset(outbox, ours, key):
    with pytest.raises(TaskError, match="is not a key of something made"):
        ours.keep_made(key, outbox)
    with pytest.raises(TaskError, match="is not a key of something made"):
        ours.find_made(key)


@pytest.mark.parametrize("kind", ["linked file", "linked folder", "folder", "pipe"])
def test_only_plain_files_that_the_renderer_wrote_are_kept(outbox, ours, tmp_path, kind):
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    (theirs / "picture.exr").write_bytes(b"theirs")
    sent = outbox
    if kind == "linked file":
        (outbox / "notes.json").symlink_to(theirs / "picture.exr")
    elif kind == "linked folder":
        sent = outbox.with_name("link")
        sent.symlink_to(theirs)
    elif kind == "folder":
        (outbox / "inner").mkdir()
    else:
        os.mkfifo(outbox / "pipe")

    with pytest.raises(TaskError):
        ours.keep_made(KEY, sent)

    assert ours.find_made(KEY) is None


PRODUCT = product_key("drop", 7)
NEED = Need(product=PRODUCT, made_by=3)


def test_a_product_is_made_and_found_through_the_channel(outbox, open_channel, storage, tmp_path):
    first, second = open_channel(storage.place), open_channel(storage.place)
    (outbox / "deep" / "er").mkdir(parents=True)
    (outbox / "deep" / "er" / "poses.json").write_bytes(b"[1]")
    with pytest.raises(ProductError, match="is gone; task 3 makes it again") as gone:
        second.hold_product(NEED)
    assert gone.value.made_by == 3

    manifest = first.bring_product(PRODUCT, outbox)
    assert not second.product_is_sound(PRODUCT)
    first.seal_product(PRODUCT, manifest)
    assert second.product_is_sound(PRODUCT)
    found = second.hold_product(NEED)
    assert (found / "deep" / "er" / "poses.json").read_bytes() == b"[1]"
    assert (found / "picture.exr").read_bytes() == b"picture"

    second.hold([an_asset(storage, tmp_path)])
    assert (found / "picture.exr").exists(), "it stays beside the assets of the task"
    assert second.hold_product(None) is None
    assert not found.exists(), "the next task does not see it"


@pytest.mark.parametrize("kind", ["linked file", "linked folder", "deep link", "pipe", "outside"])
def test_no_product_is_made_of_what_a_renderer_may_not_read(outbox, ours, storage, tmp_path, kind):
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    (theirs / "secret").write_bytes(b"theirs")
    sent = outbox
    if kind == "linked file":
        (outbox / "notes.json").symlink_to(theirs / "secret")
    elif kind == "linked folder":
        (outbox / "inner").symlink_to(theirs)
    elif kind == "deep link":
        (outbox / "inner").mkdir()
        (outbox / "inner" / "link").symlink_to(theirs / "secret")
    elif kind == "pipe":
        os.mkfifo(outbox / "pipe")
    else:
        sent = outbox.with_name("..")

    with pytest.raises(TaskError):
        ours.bring_product(PRODUCT, sent)
    assert list(storage.keys(products.FOLDER)) == []


@pytest.mark.parametrize("name", ["products/../jobs", "assets/aa", "products/x", ""])
def test_a_product_is_of_its_own_folder(outbox, ours, name):
    with pytest.raises(TaskError):
        ours.bring_product(name, outbox)
    with pytest.raises(TaskError):
        ours.product_is_sound(name)


def test_a_renderer_changes_no_sound_product(outbox, ours, storage):
    manifest = ours.bring_product(PRODUCT, outbox)
    ours.seal_product(PRODUCT, manifest)
    (outbox / "picture.exr").write_bytes(b"other")

    ours.seal_product(PRODUCT, ours.bring_product(PRODUCT, outbox))

    assert products.read_manifest(storage, PRODUCT) == manifest
    with pytest.raises(TaskError, match="is refused"):
        ours.put(f"{PRODUCT}/product.json", b"{}")
