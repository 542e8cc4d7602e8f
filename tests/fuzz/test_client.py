"""Whatever a server answers: commands say a sentence, and write where they should alone."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farm.cli.remote import farm_options
from farm.client import Client
from farm.client.home import Home, Login
from farm.client.upload import upload_all
from farm.errors import FarmError, TransferError
from tests.fuzz.command import build, run
from tests.fuzz.effort import fuzz
from tests.fuzz.strange import bent, words
from tests.fuzz.strange_farm import Lie, StrangeFarm, as_json
from tests.unit.client.small_farm import a_job_info

JOB = "0123456789ab"
CODES = {0, 1, 2, 3, 130}
INFO = a_job_info(state="completed", failures=("task 1: no",)).model_dump(mode="json")
TASK = {"index": 1, "task_id": "a-b-0001", "state": "failed", "title": "m · h", "views": 2,
        "attempts": [{"attempt": 1, "cause": "render", "sentence": "no", "worker": "w",
                      "time_s": 1.0}]}  # fmt: skip
FILE = {"path": "set/images/a.png", "size_bytes": 4, "sha256": hashlib.sha256(b"mask").hexdigest()}
WORKER = {"worker": "w", "name": "w", "host": "h", "device": "cpu", "task": f"{JOB}/1",
          "views_per_s": 1.0, "last_seen_s": 2.0}  # fmt: skip
DELETION = {"dry_run": True, "files": 3, "size_bytes": 5, "names": ["a"]}
WHO = {"token_id": "t", "name": "ada", "role": "submit", "created_s": 0}


def page(item: object) -> dict[str, object]:
    return {"items": [item], "next": None}


ANSWERS = {
    rf"/v1/jobs/{JOB}/tasks/": {},
    rf"/v1/jobs/{JOB}/tasks": page(TASK),
    rf"/v1/jobs/{JOB}.*dry_run": DELETION,
    rf"/v1/jobs/{JOB}": INFO,
    r"/v1/jobs": page(INFO),
    r"/v1/workers": [WORKER],
    r"/v1/whoami": WHO,
    rf"/v1/datasets/{JOB}/files\?": page(FILE),
}
COMMANDS = (["jobs"], ["status", JOB], ["status", JOB, "--json"], ["status", "chairs"],
            ["logs", JOB], ["logs", JOB, "1"], ["pause", JOB], ["cancel", JOB], ["workers"],
            ["delete", JOB, "--dry-run"], ["priority", JOB, "5"], ["jobs", "--json"],
            ["login", "URL", "--token", "x"])  # fmt: skip


@st.composite
def lies(draw: st.DrawFn) -> dict[str, Lie]:
    """All answers of a farm, some of them not what they should be."""
    found = {path: as_json(draw(bent(answer, times=2))) for path, answer in ANSWERS.items()}
    if draw(st.integers(0, 2)) == 0:
        found = {draw(st.sampled_from([r"/v1/jobs/", "/"])): draw(whole_lies)} | found
    return found


whole_lies = st.builds(
    Lie,
    st.sampled_from([200, 201, 204, 301, 302, 304, 307, 400, 401, 403, 404, 409, 418, 422]),
    st.binary(max_size=60)
    | st.sampled_from([b"", b"{}", b"[" * 5000, b"null", b'{"items":[],"next":"x"}', b"<html>"])
    | bent({"title": "t", "status": 422, "detail": "d", "remedy": "r"}).map(
        lambda data: json.dumps(data).encode()
    ),
    st.dictionaries(
        st.sampled_from(["Content-Type", "Location", "Content-Encoding", "Retry-After", "X"]),
        st.sampled_from(["application/json", "text/event-stream", "gzip", "http://[", "/v1/jobs",
                         "\x80", "br", "identity", "https://x:99999/", "http:NaN", "-1", "9" * 99]),
    ),
    st.sampled_from([None, None, None, "5", "-1", "x", "999999999999999999999"]),
)  # fmt: skip


@pytest.fixture(scope="module")
def strange() -> Iterator[StrangeFarm]:
    with StrangeFarm().running() as farm:
        yield farm


@pytest.fixture
def home(tmp_path, monkeypatch, strange):
    """A user who is logged in to the strange farm, and impatient."""
    found = Home(tmp_path / "config", tmp_path / "cache")
    found.save_login(Login(strange.url, "secret-token"))
    for name in ("FARM_URL", "FARM_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(Home, "of_user", classmethod(lambda _cls: found))
    monkeypatch.setattr(farm_options, "QUICK_S", 0.0)
    monkeypatch.setattr(farm_options, "PATIENT_S", 0.0)
    return found


@pytest.fixture(scope="module")
def farm():
    return build()


@pytest.mark.slow
@fuzz(2)
@given(told=lies(), command=st.sampled_from(COMMANDS))
def test_a_command_takes_any_answer(farm, monkeypatch, capsys, home, strange, told, command):
    strange.lies = told
    arguments = [strange.url if word == "URL" else word for word in command]

    code = run(monkeypatch, farm, arguments)

    captured = capsys.readouterr()
    assert code in CODES
    assert "Traceback" not in captured.out + captured.err
    assert code != 2 or captured.err.strip()


PATHS = ("../up.png", "/etc/up.png", "a/../../up.png", "link/up.png", "link", "C:\\up.png", "a\0b",
         "a/b", "a", "A", "con", "a.part", "", ".", "é" * 200, "x" * 300, "\ud800")  # fmt: skip


@fuzz(1)
@given(
    paths=st.lists(st.sampled_from(PATHS) | words, max_size=4),
    size=st.sampled_from([0, 4, 4, 5, 2**62, -1]),
    body=whole_lies | st.just(Lie(200, b"mask")),
)
def test_a_download_writes_into_its_folder_alone(tmp_path_factory, strange, paths, size, body):
    parent = tmp_path_factory.mktemp("download")
    folder, elsewhere = parent / "inside", parent / "elsewhere"
    folder.mkdir()
    elsewhere.mkdir()
    (folder / "link").symlink_to(elsewhere)
    files = [FILE | {"path": path, "size_bytes": size} for path in paths]
    strange.lies = {
        rf"/v1/jobs/{JOB}": as_json(INFO),
        rf"/v1/datasets/{JOB}/files\?": as_json({"items": files, "next": None}),
        r"/": body,
    }

    with Client(strange.url, "token", patience_s=0) as client:
        try:
            summary = client.download(JOB, folder, threads=2)
        except FarmError as error:
            told = str(error)
            assert told
        else:
            assert all(summary.failures)

    assert {path.name for path in parent.iterdir()} == {"inside", "elsewhere"}
    assert list(elsewhere.iterdir()) == []


def test_an_answer_without_an_end_is_not_read_to_it(strange, monkeypatch):
    monkeypatch.setattr("farm.client.connection.MAX_ANSWER_BYTES", 1000)
    strange.lies = {r"/": Lie(200, b" " * 5000)}

    with (
        Client(strange.url, "token") as client,
        pytest.raises(FarmError, match="sends an endless answer; is that a farm"),
    ):
        client.workers()


@pytest.mark.parametrize("received", [0, 4])
def test_a_farm_that_takes_nothing_of_a_file_is_not_asked_for_ever(strange, tmp_path, received):
    strange.lies = {r"/": as_json({"sha256": "x", "received_bytes": received, "complete": False})}
    file = tmp_path / "m.stl"
    file.write_bytes(b"mesh")

    with (
        Client(strange.url, "token") as client,
        pytest.raises(TransferError, match=r"m\.stl: the server does not take any of it"),
    ):
        upload_all(client.connection, {"0" * 64: file}, sent=lambda _: None)


def test_a_list_that_goes_in_a_circle_ends(strange):
    strange.lies = {
        r".*cursor=b": as_json({"items": [], "next": "a"}),
        r"/": as_json({"items": [], "next": "b"}),
    }

    with Client(strange.url, "token") as client:
        assert list(client.jobs()) == []
