"""Tokens that are made and revoked over HTTP: nobody gets more than they have."""

from __future__ import annotations

import re
import time

import httpx
import pytest

from farm.api.access.token_rules import MOST_OWN
from farm.tokens import GENERATIONS
from tests.integration.api.test_pages import browser, csrf_in
from tests.integration.api.test_requests import problem
from tests.support.farms.api_server import ApiServer
from tests.support.farms.galleries import emptied

DAY_S = 86_400


@pytest.fixture(scope="module")
def api(redis_server, tmp_path_factory):
    emptied(redis_server.url)
    with ApiServer(redis_server.url, tmp_path_factory.mktemp("api")) as server:
        yield server


def as_(api, token):
    headers = {"Authorization": f"Bearer {token}"}
    client = httpx.Client(base_url=api.url, headers=headers, timeout=120)
    api.clients.append(client)
    return client


def a_user(api, name, role="submit", **given):
    token, info = api.services.tokens.create(name, role, **given)
    return as_(api, token), info


def wanted(**changes):
    return {"role": "read", "expires_s": time.time() + DAY_S} | changes


def test_a_user_makes_a_narrower_token_that_works(api):
    client, info = a_user(api, "ann", expires_s=time.time() + 9 * DAY_S, quota_bytes=10**9)

    answer = client.post("/v1/tokens", json=wanted())
    assert answer.status_code == 201
    assert answer.headers["cache-control"] == "no-store"
    made = answer.json()
    told = as_(api, made["token"]).get("/v1/whoami").json()
    assert (told["name"], told["role"], told["quota_bytes"]) == ("ann", "read", 10**9)
    assert told["made_by"] == info.token_id
    assert made["token"] not in client.get("/v1/tokens").text
    api.services.tokens.revoke(info.token_id)
    problem(as_(api, made["token"]).get("/v1/whoami"), 401)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"role": "script"}, "which is less than script"),
        ({"role": "admin"}, "which is less than admin"),
        ({"name": "bob"}, "only admins make tokens for others"),
        ({"expires_s": None}, "only admins make tokens that never expire"),
        ({"expires_s": time.time() + 30 * DAY_S}, "cannot outlive it"),
        ({"quota_bytes": 10**15}, "only admins say quotas"),
        ({"views_per_day": 10**9}, "only admins say quotas"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else "",
)
def test_nobody_gets_more_than_they_have(api, changes, told):
    client, _ = a_user(api, "ann", expires_s=time.time() + 9 * DAY_S, quota_bytes=10**9)
    before = len(list(api.services.tokens.list()))

    assert told in problem(client.post("/v1/tokens", json=wanted(**changes)), 403)["detail"]
    assert len(list(api.services.tokens.list())) == before


@pytest.mark.parametrize(
    "changes",
    [{"role": "king"}, {"expires_s": 1.0}, {"expires_s": 1e18}, {"name": " "}, {"name": "a\nb"}],
    ids=str,
)
def test_what_would_never_work_is_told(api, changes):
    problem(api.client("admin").post("/v1/tokens", json=wanted(**changes)), 422)


def test_an_end_must_be_chosen(api):
    problem(api.client("admin").post("/v1/tokens", json={"role": "read"}), 422)


def test_a_reader_makes_and_revokes_nothing(api):
    client, info = a_user(api, "ann", "read")

    problem(client.post("/v1/tokens", json=wanted()), 403)
    problem(client.delete(f"/v1/tokens/{info.token_id}"), 403)


def test_an_admin_makes_tokens_for_others_that_stand_on_their_own(api):
    client = api.client("admin")

    sent = wanted(name="cleo", role="submit", expires_s=None, quota_bytes=10**9)
    made = client.post("/v1/tokens", json=sent).json()["info"]
    assert (made["name"], made["quota_bytes"], made["expires_s"]) == ("cleo", 10**9, None)
    assert "made_by" not in made
    assert client.post("/v1/tokens", json=wanted(role="admin")).json()["info"]["made_by"]


def test_a_chain_of_tokens_has_an_end(api):
    client, _ = a_user(api, "dan")
    sent = wanted(role="submit")
    for _ in range(GENERATIONS):
        client = as_(api, client.post("/v1/tokens", json=sent).json()["token"])
        assert client.get("/v1/whoami").status_code == 200

    assert "hangs on" in problem(client.post("/v1/tokens", json=sent), 403)["detail"]


def test_there_are_so_many_of_a_name(api):
    client, _ = a_user(api, "eve")
    for _ in range(MOST_OWN - 1):
        api.services.tokens.create("eve", "read")

    assert "revoke those" in problem(client.post("/v1/tokens", json=wanted()), 409)["remedy"]


def test_a_user_revokes_their_own_and_nothing_mightier(api):
    client, info = a_user(api, "fay")
    _, mightier = a_user(api, "fay", "admin")
    _, other = a_user(api, "gus")

    problem(client.delete(f"/v1/tokens/{mightier.token_id}"), 403)
    problem(client.delete(f"/v1/tokens/{other.token_id}"), 404)
    assert {each["name"] for each in client.get("/v1/tokens").json()} == {"fay"}
    assert client.delete(f"/v1/tokens/{info.token_id}").json()["token_id"] == info.token_id
    problem(client.get("/v1/whoami"), 401)
    problem(api.client("admin").delete("/v1/tokens/../auth"), 404)
    assert api.client("admin").delete(f"/v1/tokens/{other.token_id}").is_success


# The page


def test_a_token_is_made_on_the_page_and_shown_once(api):
    client = browser(api, "submit")
    word = csrf_in(client.get("/account"))

    sent = {"csrf": word, "role": "read", "expires": "30 days"}
    shown = client.post("/account/tokens", data=sent)
    [token] = re.findall(r'value="(farm_[0-9a-f]{12}_[^"]+)"', shown.text)
    assert shown.headers["cache-control"] == "no-store"
    assert as_(api, token).get("/v1/whoami").json()["role"] == "read"
    again = client.get("/account").text
    assert token not in again
    token_id = token.split("_")[1]
    assert f'action="/account/tokens/{token_id}/revoke"' in again

    client.post(f"/account/tokens/{token_id}/revoke", data={"csrf": word})
    problem(as_(api, token).get("/v1/whoami"), 401)


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        ({"role": "read"}, "it must be said when the token expires"),
        ({"role": "read", "expires": "never"}, "only admins make tokens that never expire"),
        ({"role": "admin", "expires": "7 days"}, "less than admin"),
        ({"role": "<b>", "expires": "7 days"}, "not one of those"),
    ],
    ids=["no-end", "never", "admin", "unknown"],
)
def test_the_page_says_what_may_not_be(api, sent, told):
    client = browser(api, "submit")
    answer = client.post("/account/tokens", data=sent | {"csrf": csrf_in(client.get("/account"))})

    assert answer.status_code in (403, 422)
    assert told in answer.text
    assert "farm_" not in re.sub(r'name="[^"]*"', "", answer.text)
    assert ">never</option>" not in answer.text


def test_a_form_from_elsewhere_makes_no_token(api):
    client = browser(api, "admin")

    for sent in ({}, {"csrf": "0" * 32}):
        sent = sent | {"role": "admin", "expires": "never", "name": "x"}
        assert client.post("/account/tokens", data=sent).status_code == 403


def test_a_reader_sees_no_form_and_cannot_send_one(api):
    client = browser(api, "read")
    page = client.get("/account")

    assert "/account/tokens" not in page.text
    sent = {"csrf": csrf_in(page), "role": "read", "expires": "7 days"}
    assert client.post("/account/tokens", data=sent).status_code == 403
