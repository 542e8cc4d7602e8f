import os
import sys

import pytest

import farm.dataset
from farm.client.download import safe_path
from farm.client.folders import MARK
from farm.errors import TransferError
from farm.spec.wire import DatasetFile, ViewLine
from tests.support.table_views import write_table_views
from tests.unit.client.small_farm import a_job_info, sha256_of

JOB = "0123456789ab"


@pytest.fixture
def dataset(small):
    small.jobs[JOB] = a_job_info()
    for number in range(5):
        small.add_file(f"a_b/images/view {number} #?.png", os.urandom(5000 + number))
    small.add_file("a_b/views.jsonl", b"")
    return small


def fetched(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != MARK
    }


def listed(path: str, data: bytes) -> DatasetFile:
    return DatasetFile(path=path, size_bytes=len(data), sha256=sha256_of(data))


def test_names_that_windows_cannot_write_are_left_out(dataset, client, tmp_path):
    summary = client.download(JOB, tmp_path / "out")

    assert len(summary.failures) == 5
    assert all("is not a name that can be written" in sentence for sentence in summary.failures)


@pytest.fixture
def plain(dataset):
    dataset.files = {path.replace(" #?", ""): data for path, data in dataset.files.items()}
    return dataset


def test_a_dataset_comes_whole(plain, client, tmp_path):
    sizes, whole = [], []
    summary = client.download(
        JOB, tmp_path / "out", received=sizes.append, listed=whole.append, threads=3
    )

    assert fetched(tmp_path / "out") == plain.files
    assert (summary.fetched, summary.there, summary.failures) == (6, 0, [])
    assert sum(sizes) == sum(whole) == summary.size_bytes == sum(map(len, plain.files.values()))


def test_what_is_there_and_right_is_not_fetched_again(plain, client, tmp_path):
    client.download(JOB, tmp_path)
    plain.sent = 0
    damaged = tmp_path / "a_b/images/view 3.png"
    damaged.write_bytes(b"x" * damaged.stat().st_size)
    (tmp_path / "a_b/images/view 4.png").unlink()

    summary = client.download(JOB, tmp_path)

    assert (summary.fetched, summary.there) == (2, 4)
    assert plain.sent == 5003 + 5004
    assert fetched(tmp_path) == plain.files


def test_a_cut_connection_goes_on_where_it_broke(plain, client, tmp_path):
    plain.files = {"one.png": os.urandom(20_000)}
    plain.cut_after = [7000, 3000]

    summary = client.download(JOB, tmp_path)

    assert summary.failures == []
    assert plain.sent == 20_000
    assert fetched(tmp_path) == plain.files


def test_a_part_of_an_earlier_run_is_gone_on_with(plain, client, tmp_path):
    data = plain.files["a_b/images/view 0.png"]
    (tmp_path / "a_b/images").mkdir(parents=True)
    (tmp_path / "a_b/images/view 0.png.part").write_bytes(data[:4000])

    client.download(JOB, tmp_path)

    assert plain.sent == sum(map(len, plain.files.values())) - 4000
    assert fetched(tmp_path) == plain.files


@pytest.mark.parametrize("left", [b"of another file", b"longer" * 2000])
def test_a_part_of_something_else_is_fetched_anew(plain, client, tmp_path, left):
    (tmp_path / "a_b/images").mkdir(parents=True)
    (tmp_path / "a_b/images/view 0.png.part").write_bytes(left)

    assert client.download(JOB, tmp_path).failures == []
    assert fetched(tmp_path) == plain.files


def test_a_file_with_other_bytes_than_listed_is_not_kept(plain, client, tmp_path):
    data = plain.files["a_b/images/view 0.png"]
    plain.files["a_b/images/view 0.png"] = bytes(len(data))
    plain.listed = [listed("a_b/images/view 0.png", data), *plain.listing()[1:]]

    summary = client.download(JOB, tmp_path)

    (sentence,) = summary.failures
    assert sentence.startswith("a_b/images/view 0.png: arrived with a different size or SHA-256")
    assert summary.fetched == 5
    assert "a_b/images/view 0.png" not in fetched(tmp_path)
    assert not list(tmp_path.rglob("*.part"))


def test_a_file_that_never_ends_is_cut_off(plain, client, tmp_path):
    plain.files = {"x.png": bytes(3_000_000)}
    plain.listed = [listed("x.png", b"small")]

    (sentence,) = client.download(JOB, tmp_path).failures

    assert "different size or SHA-256" in sentence
    assert fetched(tmp_path) == {}


def test_a_file_that_is_gone_does_not_stop_the_others(plain, client, tmp_path):
    plain.listed = [*plain.listing(), listed("gone.png", b"gone")]

    summary = client.download(JOB, tmp_path)

    assert summary.failures == ["gone.png: there is no file gone.png; do otherwise"]
    assert summary.fetched == 6


@pytest.mark.parametrize(
    "path",
    ["../x", "a/../../x", "/etc/passwd", "a//b", "", ".", "a\\..\\x", "C:/x", "a/nul.png",
     "a\x1b[2J", "a\nb", "x.", "x ", "x.png.part", "a/\u202egnp.exe", "COM1", "y" * 2000],
)  # fmt: skip
def test_a_name_that_leads_elsewhere_is_refused(plain, client, tmp_path, path):
    folder = tmp_path / "deep/folder"
    plain.files = {}
    plain.listed = [listed(path, b"evil"), listed("fine.txt", b"")]
    plain.files = {path: b"evil", "fine.txt": b""}

    summary = client.download(JOB, folder)

    assert [file.name for file in tmp_path.rglob("*") if file.is_file()] in (
        ["fine.txt"], ["hashes.sqlite", "fine.txt"],
    )  # fmt: skip
    (sentence,) = summary.failures
    assert sentence.isprintable()
    assert "left out" in sentence
    with pytest.raises(TransferError):
        safe_path(path)


@pytest.mark.skipif(sys.platform == "win32", reason="needs links")
def test_a_link_in_the_folder_does_not_lead_out_of_it(plain, client, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "out/a_b").symlink_to(tmp_path / "elsewhere")

    summary = client.download(JOB, tmp_path / "out")

    assert len(summary.failures) == 6
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_a_file_that_is_listed_twice_is_fetched_once(plain, client, tmp_path):
    plain.listed = plain.listing() * 2

    summary = client.download(JOB, tmp_path)

    assert (summary.fetched, summary.there, summary.failures) == (6, 0, [])


def test_a_list_that_changed_on_the_way_is_read_anew(plain, client, tmp_path):
    plain.stale_cursors = 2

    assert client.download(JOB, tmp_path).fetched == 6
    assert fetched(tmp_path) == plain.files


def test_names_that_differ_in_case_alone_are_written_once(plain, client, tmp_path):
    plain.files = {"A.png": b"one", "a.png": b"two"}

    summary = client.download(JOB, tmp_path, threads=1)

    assert summary.fetched == 1
    assert summary.failures == ["a.png: occurs twice in the farm's list"]


def test_a_folder_that_cannot_be_written_is_said(plain, client, tmp_path):
    (tmp_path / "file").write_text("in the way")

    with pytest.raises(TransferError):
        client.download(JOB, tmp_path / "file")


def test_what_is_said_of_views_comes_along(small, client, tmp_path):
    """Of a job that runs, records come one by one; of one that is over, as a file."""
    pytest.importorskip("imagecodecs")
    small.jobs[JOB] = a_job_info()
    records = write_table_views(tmp_path / "tables", passes=("mask",), size=(24, 18))
    for name, data in fetched(tmp_path / "tables").items():
        small.add_file(f"tables/{name}", data)

    client.download(JOB, tmp_path / "out")

    views = list(farm.dataset.open(tmp_path / "out/tables"))
    assert [view.expressions for view in views] == [record.expressions for record in records]
    line = ViewLine(dataset="", record=records[0])
    assert ViewLine.model_validate_json(line.model_dump_json()).record == records[0]
