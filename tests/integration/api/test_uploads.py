"""Files on their way into the library: cut off, gone on with, sent by two at once."""

from __future__ import annotations

import hashlib
import json
import threading

import pytest

from tests.support.farms.api_server import ApiServer
from tests.support.waiting import wait_for

DATA = bytes(range(256)) * 12_000
"""3 MB."""
SHA256 = hashlib.sha256(DATA).hexdigest()
URL = f"/v1/assets/{SHA256}/upload"


@pytest.fixture
def api(redis_url, tmp_path):
    with ApiServer(redis_url, tmp_path) as server:
        yield server


def send(client, data, *, offset=0, total=None):
    headers = {"Upload-Offset": str(offset), "Upload-Length": str(total or len(DATA))}
    return client.patch(URL, content=data, headers=headers)


def received(client):
    return client.get(URL).json()["received_bytes"]


class Killed(Exception):
    """Stands for a client that is killed in the middle."""


def half(api):
    yield DATA[:2_000_000]
    client = api.client("submit")
    wait_for(lambda: received(client), "something arrived")
    raise Killed


def cut_off(api):
    """Send two thirds of the file, then drop the connection."""
    with pytest.raises(Killed):
        send(api.client("submit"), half(api))
    wait_for(lambda: not api.services.uploads.turns, "the server has noticed")
    return received(api.client("submit"))


def kept(api):
    return b"".join(api.storage.read(f"assets/{SHA256[:2]}/{SHA256}/blob"))


def test_an_upload_that_was_cut_off_goes_on_where_it_was(api, caplog):
    client = api.client("submit")
    there = cut_off(api)
    assert "Traceback" not in caplog.text, "clients leave; that is no mistake"
    assert 0 < there <= 2_000_000
    assert client.post("/v1/assets/missing", json={"sha256s": [SHA256]}).json()["sha256s"]

    told = send(client, DATA)
    assert told.status_code == 409
    assert told.headers["upload-offset"] == str(received(client))
    done = send(client, DATA[there:], offset=there)

    assert done.json() == {"sha256": SHA256, "received_bytes": len(DATA), "complete": True}
    assert kept(api) == DATA
    assert list((api.folder / "spool").iterdir()) == []


def test_an_upload_goes_on_after_the_server_was_started_anew(api, redis_url):
    there = cut_off(api)
    with ApiServer(redis_url, api.folder) as again:
        done = send(again.client("submit"), DATA[there:], offset=there)

        assert done.json()["complete"]
        assert kept(again) == DATA


def test_a_file_comes_in_pieces(api):
    client = api.client("submit")
    for start in range(0, len(DATA), 1_000_000):
        answer = send(client, DATA[start : start + 1_000_000], offset=start)

    assert answer.json()["complete"]
    assert kept(api) == DATA


def test_two_who_send_the_same_file_do_not_harm_each_other(api):
    go, answers = threading.Barrier(4), []

    def slowly():
        go.wait()
        for start in range(0, len(DATA), 100_000):
            yield DATA[start : start + 100_000]

    def upload(client):
        answers.append(send(client, slowly()))

    clients = [threading.Thread(target=upload, args=(api.client("submit"),)) for _ in range(4)]
    for client in clients:
        client.start()
    for client in clients:
        client.join()

    assert {answer.status_code for answer in answers} == {200}, [one.text for one in answers]
    assert kept(api) == DATA


def test_a_file_whose_last_part_is_wrong_leaves_nothing(api):
    client = api.client("submit")
    there = cut_off(api)
    told = send(client, b"x" * (len(DATA) - there), offset=there)

    assert told.status_code == 422
    assert api.stored() == set()
    assert received(client) == 0
    assert send(client, DATA).json()["complete"], "and may be sent again"


def test_more_than_was_announced_is_refused(api):
    told = send(api.client("submit"), DATA, total=1_000_000)

    assert told.status_code == 413
    assert "more bytes arrived than Upload-Length says (1000000)" in told.json()["detail"]


def test_an_empty_file_is_a_file(api):
    api.upload(b"")


def test_a_file_that_is_there_is_not_sent_again(api):
    api.upload(DATA)

    assert send(api.client("submit"), b"x", offset=5).json()["complete"]
    assert kept(api) == DATA


def test_an_upload_that_the_disk_cannot_hold_is_refused_before_it_comes(api, monkeypatch):
    class Usage:
        free = 300 << 20

    monkeypatch.setattr("farm.api.uploads.shutil.disk_usage", lambda folder: Usage)
    told = send(api.client("submit"), b"x", total=200 << 20)

    assert told.status_code == 507
    assert json.loads(told.text)["remedy"]
    assert api.stored() == set()
