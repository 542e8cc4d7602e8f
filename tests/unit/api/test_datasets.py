from __future__ import annotations

import io
import tarfile

import pytest

from farm.api.datasets.files import file_key, parse_range, tar_stream
from farm.api.datasets.listing import list_files
from farm.api.problems import ApiProblem
from farm.spec.record import FileRecord
from farm.storage import FolderStorage
from tests.builders import a_job, a_record


@pytest.mark.parametrize(
    ("header", "part"),
    [
        (None, None),
        ("", None),
        ("bytes=-", None),
        ("lines=1-2", None),
        ("bytes=0-0,5-6", None),
        ("bytes=0-", (0, 10)),
        ("bytes=0-0", (0, 1)),
        ("bytes=3-5", (3, 3)),
        ("bytes=3-99", (3, 7)),
        ("bytes=-4", (6, 4)),
        ("bytes=-99", (0, 10)),
    ],
)
def test_what_a_range_means(header, part):
    assert parse_range(header, 10) == part


@pytest.mark.parametrize("header", ["bytes=10-", "bytes=5-4", "bytes=-0", "bytes=99-100"])
def test_a_range_outside_of_the_file_is_refused(header):
    with pytest.raises(ApiProblem) as told:
        parse_range(header, 10)

    assert told.value.status_code == 416


def test_an_archive_holds_every_file_but_what_is_not_finished(tmp_path):
    storage = FolderStorage(tmp_path)
    files = {"a.txt": b"", "b/" + "long" * 60 + ".png": b"x" * 512, "c/ü.png": b"y" * 10_000}
    for name, data in files.items():
        storage.put(f"datasets/job/{name}", data)
    storage.put("datasets/job/.records/x.jsonl", b"record")
    storage.put("datasets/other/z.txt", b"z")
    whole = b"".join(tar_stream(storage, "job"))

    assert len(whole) % tarfile.RECORDSIZE == 0
    with tarfile.open(fileobj=io.BytesIO(whole)) as tar:
        found = {member.name: tar.extractfile(member).read() for member in tar}
    assert found == {f"job/{name}": data for name, data in files.items()}


def test_a_file_that_shrinks_meanwhile_ends_the_archive(tmp_path):
    storage = FolderStorage(tmp_path)
    storage.put("datasets/job/a.txt", b"x" * 1000)
    stream = tar_stream(storage, "job")
    next(stream)
    storage.put("datasets/job/a.txt", b"x")

    with pytest.raises(RuntimeError, match="became shorter"):
        list(stream)


@pytest.mark.parametrize("path", ["../x", "a/../../x", "/x", "a//b", "a/./b", "a\\b", "a\0b", ""])
def test_a_path_never_leads_out(tmp_path, path):
    storage = FolderStorage(tmp_path)
    storage.put("datasets/x", b"secret")

    with pytest.raises(ApiProblem):
        file_key(storage, "job", path)


@pytest.mark.parametrize("path", [".records/a.jsonl", "a/.partial-1-x.png"])
def test_what_is_not_finished_is_not_shown(tmp_path, path):
    storage = FolderStorage(tmp_path)
    storage.put(f"datasets/job/{path}", b"half")

    with pytest.raises(ApiProblem) as told:
        file_key(storage, "job", path)
    assert told.value.status_code == 404


def test_a_list_of_files_has_the_previews_of_labels_too(tmp_path):
    storage = FolderStorage(tmp_path)
    shown = FileRecord(path="previews/depth/view_000.png", sha256="0" * 64, size_bytes=7)
    record = a_record(files={"depth": b"far"}, previews={"depth": shown})
    job = a_job(dataset_name="vases").model_copy(update={"prefix": "datasets/job"})
    storage.put("datasets/job/vases/views.jsonl", record.model_dump_json().encode() + b"\n")

    one = list_files(storage, job, cursor=None, limit=1)
    rest = list_files(storage, job, cursor=one.next, limit=9)

    paths = [file.path for file in (*one.items, *rest.items)]
    assert paths[:2] == [f"vases/{record.files['depth'].path}", "vases/previews/depth/view_000.png"]


def test_a_list_of_files_has_the_traces(tmp_path):
    storage = FolderStorage(tmp_path)
    job = a_job(dataset_name="vases").model_copy(update={"prefix": "datasets/job"})
    storage.put("datasets/job/vases/views.jsonl", a_record().model_dump_json().encode() + b"\n")
    for name in ("b.1.json", "a.2.json", "a.1.json"):
        storage.put(f"datasets/job/vases/traces/{name}", b"{}")

    listed, cursor = [], None
    while not listed or cursor:
        page = list_files(storage, job, cursor=cursor, limit=1)
        listed, cursor = [*listed, *(file.path for file in page.items)], page.next

    traces = [path for path in listed if "/traces/" in path]
    assert traces == [f"vases/traces/{name}" for name in ("a.1.json", "a.2.json", "b.1.json")]
