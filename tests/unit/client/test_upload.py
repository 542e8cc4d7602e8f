import os

import pytest

from farm.client import upload as module
from farm.client.upload import upload, upload_all
from farm.errors import SpecError, TransferError, UnreachableError
from tests.unit.client.small_farm import sha256_of

DATA = os.urandom(10_000)


@pytest.fixture
def big(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "CHUNK_BYTES", 4096)
    path = tmp_path / "big.blend"
    path.write_bytes(DATA)
    return path


def test_a_file_arrives_in_pieces(small, client, big):
    sent = []
    upload(client.connection, sha256_of(DATA), big, sent=sent.append)

    assert small.blobs == {sha256_of(DATA): DATA}
    assert sent == [4096, 4096, 10_000 - 8192]


def test_an_empty_file_arrives(small, client, tmp_path):
    (tmp_path / "empty.bin").touch()
    upload(client.connection, sha256_of(b""), tmp_path / "empty.bin", sent=print)

    assert small.blobs == {sha256_of(b""): b""}


def test_a_cut_connection_goes_on_where_it_broke(small, client, big):
    small.cut_after = [1000, 2000, 100]
    upload(client.connection, sha256_of(DATA), big, sent=lambda _: None)

    assert small.blobs == {sha256_of(DATA): DATA}
    assert small.received == len(DATA), "nothing was sent that the farm had kept"


def test_what_an_earlier_run_brought_is_not_sent_again(small, client, big):
    small.partial[sha256_of(DATA)] = DATA[:9000]
    upload(client.connection, sha256_of(DATA), big, sent=lambda _: None)

    assert small.received == 1000


def test_somebody_else_may_send_the_same_file(small, client, big):
    """The farm is further than we know: it says so, and we ask."""

    def elsewhere(_sent: int) -> None:
        small.partial.pop(sha256_of(DATA), None)
        small.blobs[sha256_of(DATA)] = DATA

    upload(client.connection, sha256_of(DATA), big, sent=elsewhere)

    assert small.blobs == {sha256_of(DATA): DATA}


def test_a_busy_farm_is_tried_again(small, client, big):
    small.trouble = [(502, {}), (503, {})]
    upload(client.connection, sha256_of(DATA), big, sent=lambda _: None)

    assert small.blobs


def test_a_file_that_changed_after_it_was_hashed_is_named(small, client, big):
    with pytest.raises(TransferError, match=r"big\.blend: the bytes have another hash"):
        upload(client.connection, sha256_of(b"other"), big, sent=lambda _: None)

    assert small.blobs == {}


def test_a_file_that_shrinks_on_the_way_is_named(client, big):
    with pytest.raises(TransferError, match="changed while it was uploaded"):
        upload(client.connection, sha256_of(DATA), big, sent=lambda _: big.write_bytes(b"short"))


def test_the_first_failure_ends_all(client, tmp_path):
    files = {sha256_of(bytes([n])): tmp_path / f"gone-{n}" for n in range(20)}

    with pytest.raises(TransferError, match="cannot be read"):
        upload_all(client.connection, files, sent=lambda _: None)


def test_a_submission_brings_models_textures_and_lights(small, client, models):
    spec = {"models": [str(models)], "hdrs": [str(models)], "dataset_name": "{model}"}
    job = client.submit(spec)

    assert {data[:4] for data in small.blobs.values()} >= {b"wood", b"tabl", b"skys", b"map_"}
    (submission,) = small.submissions
    chair = submission.assets[0]
    assert chair.in_library
    assert chair.path == chair.name == "chair.obj"
    assert [file.path for file in chair.dependencies] == ["chair.mtl", "tex/wood.png"]
    assert str(models) not in submission.model_dump_json(), "where files lie here stays here"
    assert client.job("last").job_id == job.job_id


def test_the_same_request_again_uploads_nothing_and_is_the_same_job(small, client, models):
    first = client.submit({"models": str(models), "hdrs": str(models)})
    received = small.received
    second = client.submit({"models": str(models / "*.*"), "hdrs": str(models / "sky.hdr")})

    assert second.job_id == first.job_id
    assert small.received == received


def test_a_specs_file_names_files_beside_it(small, client, models):
    (models / "spec.yaml").write_text("models: '*.obj'\nhdrs: sky.hdr\ndataset_name: chairs\n")
    job = client.submit(models / "spec.yaml")

    assert job.name == "chairs"
    with pytest.raises(SpecError, match=r"gone\.yaml: cannot be read"):
        client.submit("gone.yaml")


def test_paths_on_shared_storage_are_submitted_as_they_are(small, client, models):
    spec = {"models": str(models), "hdrs": str(models)}
    client.submit(spec, on_shared_storage=True, priority=7)

    (submission,) = small.submissions
    assert small.blobs == {}
    assert submission.priority == 7
    assert submission.assets[0].path == str(models / "chair.obj")
    assert not submission.assets[0].in_library


def test_a_priority_out_of_its_range_is_refused_here(small, client, models):
    with pytest.raises(SpecError, match="priority: 101 is not between"):
        client.submit({"models": str(models), "hdrs": str(models)}, priority=101)

    assert small.requests == []


def test_a_farm_that_stays_away_ends_the_upload(small, client, big):
    client.connection.patience_s = 0.05
    small.trouble = [(503, {})] * 1000

    with pytest.raises(UnreachableError, match=r"is not ready \(HTTP 503\)"):
        upload(client.connection, sha256_of(DATA), big, sent=lambda _: None)
