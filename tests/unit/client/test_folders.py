"""A download writes each dataset into a folder of its own, or that which it had made."""

from __future__ import annotations

import json

import pytest

from farm.client.download import dataset_of, safe_path
from farm.client.folders import MARK, dataset_by_name
from farm.errors import SpecError, TransferError
from farm.spec.wire import DatasetFile
from tests.unit.client.small_farm import a_job_info

JOB, OTHER = "0123456789ab", "ba9876543210"
FLAT = {
    "images/v.png": b"picture",
    "previews/depth/v.png": b"grey",
    "dataset.json": b'{"spec": {"seed": 1}}',
    "views.jsonl": b"",
}


@pytest.fixture
def farm(small):
    small.jobs[JOB] = a_job_info()
    small.jobs[OTHER] = a_job_info(job_id=OTHER)
    small.files = dict(FLAT)
    return small


def within(folder: str) -> dict[str, bytes]:
    return {f"{folder}/{path}": data for path, data in FLAT.items()}


@pytest.mark.parametrize(
    ("path", "dataset"),
    [
        ("views.jsonl", ""),
        ("images/v.png", ""),
        ("previews/depth/v.png", ""),
        ("chairs/views.jsonl", "chairs"),
        ("chairs/depth/v.exr", "chairs"),
        ("a/chairs/previews/normal/v.png", "a/chairs"),
        ("images/images/v.png", "images"),
        ("previews/depth/depth/v.exr", "previews/depth"),
        ("notes.txt", None),
    ],
)
def test_of_which_dataset_a_file_is(path, dataset):
    assert dataset_by_name(safe_path(path)) == dataset


def test_the_same_download_again_continues(farm, client, tmp_path):
    assert client.download(JOB, tmp_path).fetched == 4
    assert (tmp_path / MARK).read_text() == f"{JOB}\n"

    assert client.download(JOB, tmp_path).there == 4


@pytest.mark.parametrize("left", ["whole", "pictures alone"])
def test_another_job_is_not_downloaded_over_it(farm, client, tmp_path, left):
    client.download(JOB, tmp_path)
    if left == "pictures alone":
        (tmp_path / "views.jsonl").unlink()

    with pytest.raises(SpecError, match=f"is of job {JOB}, not of {OTHER}.*take another --output"):
        client.download(OTHER, tmp_path)

    assert (tmp_path / "images/v.png").read_bytes() == b"picture"


def test_what_was_rendered_or_fetched_before_is_continued_by_the_same_request_alone(
    farm, client, tmp_path
):
    """Without the mark that says whose it is, its summary says what was asked for."""
    (tmp_path / "views.jsonl").write_text("")
    (tmp_path / "dataset.json").write_text(json.dumps({"spec": {"seed": 2}}))

    with pytest.raises(SpecError, match="is a different one, not of"):
        client.download(JOB, tmp_path)
    assert json.loads((tmp_path / "dataset.json").read_text()) == {"spec": {"seed": 2}}

    (tmp_path / "dataset.json").write_text(json.dumps({"spec": {"seed": 1}}))
    assert client.download(JOB, tmp_path).failures == []


def test_a_dataset_is_downloaded_neither_into_another_nor_around_one(farm, client, tmp_path):
    (tmp_path / "flat").mkdir()
    (tmp_path / "flat/views.jsonl").write_text("")
    (tmp_path / "several/lamps").mkdir(parents=True)
    (tmp_path / "several/lamps/views.jsonl").write_text("")

    with pytest.raises(SpecError, match=r"holds the dataset .*lamps already"):
        client.download(JOB, tmp_path / "several")
    farm.files = within("chairs")
    with pytest.raises(SpecError, match=r"lies within the dataset .*flat"):
        client.download(JOB, tmp_path / "flat")

    assert not (tmp_path / "flat/chairs").exists()
    assert not (tmp_path / "several/images").exists()
    assert client.download(JOB, tmp_path / "several").fetched == 4, "beside it there is room"


@pytest.mark.parametrize(
    ("path", "told", "dataset"),
    [
        ("street/001/albedo/albedo_000001.exr", "", ""),
        ("street/001/frames/frame_000001.png", None, None),
        ("chairs/images/v.png", "chairs", "chairs"),
        ("chairs/images/v.png", "lamps", None),
        ("chairs/images/v.png", None, "chairs"),
    ],
)
def test_the_farm_tells_of_which_dataset_a_file_is(path, told, dataset):
    file = DatasetFile(path=path, size_bytes=1, sha256="0" * 64, dataset=told)
    assert dataset_of(file) == dataset


def test_what_leads_out_of_the_folder_is_no_dataset():
    file = DatasetFile(path="a/v.png", size_bytes=1, sha256="0" * 64, dataset="../a")
    with pytest.raises(TransferError):
        dataset_of(file)


def test_frames_of_a_sequence_are_not_downloaded_over_another_dataset(farm, client, tmp_path):
    """Their folders tell nothing of the dataset, whose own files come last."""
    client.download(JOB, tmp_path / "old")
    frames = ("frames/frame_000001.png", "albedo/albedo_000001.exr")
    farm.files = {f"street/001/{frame}": b"x" for frame in frames} | FLAT
    farm.datasets = dict.fromkeys(farm.files, "")

    with pytest.raises(SpecError, match=f"is of job {JOB}, not of {OTHER}"):
        client.download(OTHER, tmp_path / "old")

    assert not (tmp_path / "old/street").exists()
    assert client.download(OTHER, tmp_path / "new").failures == []
    assert [path.parent for path in (tmp_path / "new").rglob(MARK)] == [tmp_path / "new"]
