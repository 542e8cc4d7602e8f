"""Who gets in: by a name of the farm's, with a token that is good still."""

from __future__ import annotations

import time

import httpx
import pytest

from farm.api.access.guesses import FREE
from farm.client import Client, connection
from farm.client.home import Home, Login
from tests.builders import a_record, a_view
from tests.integration.api.test_requests import problem
from tests.support.farms.api_server import HDR, MODEL, ApiServer, a_submission, body
from tests.support.farms.galleries import emptied

WAITS = []


async def note(seconds):
    """Wait for nothing, and note how long it would have been."""
    WAITS.append(seconds)


@pytest.fixture(scope="module")
def api(redis_server, tmp_path_factory):
    emptied(redis_server.url)
    with ApiServer(
        redis_server.url,
        tmp_path_factory.mktemp("api"),
        hosts="farm.example",
        trusted_proxies="127.0.0.2",
    ) as server:
        yield server


@pytest.fixture(autouse=True)
def fresh(api):
    WAITS.clear()
    api.services.guesses.__init__(sleep=note)


def ask(api, token, path="/v1/whoami", **headers):
    known = {"Authorization": f"Bearer {token}"}
    return httpx.get(f"{api.url}{path}", headers=known | headers, timeout=120)


def test_an_answer_says_how_long_its_token_is_good(api):
    token, _ = api.services.tokens.create("ann", "read", expires_s=time.time() + 1000)
    forever, _ = api.services.tokens.create("bob", "read")

    assert 900 < int(ask(api, token).headers["viewfarm-token-expires-in"]) <= 1000
    assert "viewfarm-token-expires-in" not in ask(api, forever).headers


def test_an_expired_token_is_told_from_a_wrong_one(api):
    token, info = api.services.tokens.create("ann", "submit", expires_s=time.time() - 60)

    for _ in range(FREE + 3):
        told = problem(ask(api, token), 401)

    assert told["detail"].startswith("the token of 'ann' expired on 2")
    assert f"farm token change {info.token_id} --expires 1y" in told["remedy"]
    assert WAITS == [], "who has the secret does not guess"


def test_a_renewed_token_works_again(api):
    token, info = api.services.tokens.create("ann", "submit", expires_s=time.time() - 60)
    problem(ask(api, token), 401)
    api.services.tokens.change(info.token_id, expires_s=time.time() + 60)

    assert ask(api, token).json()["name"] == "ann"


def test_wrong_tokens_wait_longer_and_longer_and_right_ones_never(api):
    for _ in range(FREE + 3):
        problem(ask(api, "wrong"), 401)
    assert WAITS == [0.25, 0.5, 1.0]

    assert ask(api, api.tokens["read"]).status_code == 200
    assert WAITS == [0.25, 0.5, 1.0]


def test_a_forwarded_address_is_believed_from_a_configured_proxy_alone(api):
    """Anybody could write one."""
    for number in range(FREE + 2):
        ask(api, "wrong", **{"X-Forwarded-For": f"192.0.2.{number}"})
    assert len(WAITS) == 2
    assert set(api.services.guesses.known) == {"127.0.0.1"}

    local = httpx.HTTPTransport(local_address="127.0.0.2")
    with httpx.Client(transport=local, timeout=120) as proxy:
        headers = {"Authorization": "Bearer wrong", "X-Forwarded-For": "198.51.100.9, 192.0.2.7"}
        proxy.get(f"{api.url}/v1/whoami", headers=headers)
    assert set(api.services.guesses.known) == {"127.0.0.1", "192.0.2.7"}, "the last one is true"


@pytest.mark.parametrize("path", ["/v1/whoami", "/metrics", "/docs", "/v1/nothing"])
def test_a_farm_answers_to_its_names_alone(api, path):
    token = api.tokens["read"]

    told = problem(ask(api, token, path, Host="evil.example"), 421)
    assert told["detail"] == "this farm is not called 'evil.example'"
    assert "FARM_HOSTS" in told["remedy"]
    problem(ask(api, token, path, Host="evil.example", **{"X-Forwarded-Host": "farm.example"}), 421)
    for name in ("farm.example", "farm.example:443", "10.1.2.3:8000", "localhost"):
        assert ask(api, token, path, Host=name).status_code in (200, 404)


@pytest.mark.parametrize("name", ["10.1.2.3:8000", "api.viewfarm.svc", "anything"])
def test_probes_may_call_it_as_they_like(api, name):
    answer = httpx.get(f"{api.url}/health", headers={"Host": name}, timeout=120)
    assert answer.status_code == 200


def test_a_farm_of_one_machine_answers_to_no_names_of_the_network(redis_url, tmp_path):
    """A page in a browser there could give this address a name of its own."""
    with ApiServer(redis_url, tmp_path) as server:
        assert ask(server, server.tokens["read"]).status_code == 200
        problem(ask(server, server.tokens["read"], Host="evil.example"), 421)


def test_listeners_are_dismissed_with_their_token(redis_url, tmp_path, monkeypatch):
    monkeypatch.setattr("farm.api.routes.events.HEARTBEAT_S", 0.05)
    with ApiServer(redis_url, tmp_path) as server:
        token, info = server.services.tokens.create("ann", "read")
        headers = {"Authorization": f"Bearer {token}"}
        with httpx.stream("GET", f"{server.url}/v1/events", headers=headers, timeout=60) as news:
            lines = news.iter_lines()
            assert next(lines) == ": alive"
            server.services.tokens.revoke(info.token_id)
            assert all(line in (": alive", "") for line in lines), "and the stream ends"


def test_news_that_never_rest_end_with_their_token_too(redis_url, tmp_path):
    with ApiServer(redis_url, tmp_path) as server:
        job_id = submitted(server)
        token, info = server.services.tokens.create("ann", "read")
        headers = {"Authorization": f"Bearer {token}"}
        with httpx.stream("GET", f"{server.url}/v1/events", headers=headers, timeout=60) as news:
            lines = news.iter_lines()
            next(lines)
            server.services.tokens.revoke(info.token_id)
            for number, _line in enumerate(lines):
                server.ledger.set_priority(job_id, number % 100)
                assert number < 1000, "the stream ends"


def submitted(server):
    for data in (MODEL, HDR):
        server.upload(data)
    answer = server.client("submit").post("/v1/jobs", json=body(a_submission(tasks=1)))
    return answer.json()["job_id"]


@pytest.fixture
def logged_in(redis_url, tmp_path, monkeypatch):
    """A farm, and a client of somebody whose token expires whenever a test says so."""
    monkeypatch.setattr(connection, "LOGIN_EVERY_S", 0.05)
    for name in ("FARM_URL", "FARM_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    home = Home(tmp_path / "config", tmp_path / "cache")
    with ApiServer(redis_url, tmp_path) as server:
        token, info = server.services.tokens.create("ann", "submit")
        home.save_login(Login(server.url, token))
        with Client(home=home, login_patience_s=120.0) as client:
            yield Expiring(server, client, info)


class Expiring:
    """Lets the token of a client expire, and does what its note asks for."""

    def __init__(self, server, client, info):
        self.server, self.client, self.info, self.notes = server, client, info, []
        self.tokens = server.services.tokens

    def expire(self):
        self.tokens.change(self.info.token_id, expires_s=time.time() - 1)

    def then(self, do):
        def read(note):
            self.notes.append(note)
            do()

        self.client.connection.note = read

    def log_in(self):
        token, self.info = self.tokens.create("ann", "submit")
        self.client.home.save_login(Login(self.server.url, token))

    def renew(self):
        self.tokens.change(self.info.token_id, expires_s=time.time() + 30 * 86_400)


@pytest.mark.parametrize("remedy", ["log_in", "renew"])
def test_a_watch_whose_token_expires_continues_after_another_login(logged_in, remedy):
    server = logged_in.server
    job_id = submitted(server)
    logged_in.then(getattr(logged_in, remedy))
    states = []
    for job in logged_in.client.follow(job_id):
        states.append(job.state)
        if len(states) == 1:
            logged_in.expire()
            server.ledger.pause(job_id)
        if job.state == "paused":
            server.ledger.cancel(job_id)
            server.ledger.settle(job_id)

    assert states[-1] == "cancelled"
    (note,) = logged_in.notes
    assert "the token of 'ann' expired on 2" in note
    assert "farm token change" in note


@pytest.mark.parametrize("remedy", ["log_in", "renew"])
def test_a_download_whose_token_expires_loses_nothing(logged_in, remedy, tmp_path):
    server = logged_in.server
    job_id = submitted(server)
    folder = f"datasets/{job_id}/chair_studio"
    lines = []
    for number in range(6):
        record = a_record(a_view(number), files={"rgb": bytes(2000), "mask": bytes(2000)})
        lines.append(record.model_dump_json())
        for file in record.files.values():
            server.storage.put(f"{folder}/{file.path}", bytes(2000))
    server.storage.put(f"{folder}/views.jsonl", "\n".join([*lines, ""]).encode())
    logged_in.then(getattr(logged_in, remedy))
    once = [logged_in.expire]

    def received(_size):
        if once:
            once.pop()()

    summary = logged_in.client.download(job_id, tmp_path / "out", received=received, threads=1)

    assert summary.failures == []
    assert summary.fetched == 13
    assert len(logged_in.notes) == 1
