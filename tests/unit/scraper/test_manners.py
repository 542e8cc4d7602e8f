"""How the sites are treated, and what happens when they do not answer as they should."""

from __future__ import annotations

import errno
from email.utils import formatdate

import pytest

from scraper.fetching.http_client import retry_after_s
from tests.support.asset_bytes import a_blend, an_exr
from tests.support.sites import Answer, FakeBlenderKit, FileHost, as_json, html

SEARCH, DOWNLOADS, FILES = "/api/v1/search/", "/api/v1/downloads/", "/assets/"


@pytest.fixture
def listed(assets, blenderkit: FakeBlenderKit) -> FakeBlenderKit:
    """Three models in a list; nothing is fetched yet."""
    for number in range(3):
        blenderkit.add(f"Chair {number}", {"blend": (".blend", a_blend(number, 40_000))})
    assert assets("scrape", "-o", "models.json").code == 0
    blenderkit.requests.clear()
    return blenderkit


def test_requests_are_spaced_and_say_who_asks(assets, listed, clock, monkeypatch):
    monkeypatch.setenv("FARM_ASSETS_CONTACT", "lab@example.org")
    clock.slept.clear()

    assets("download", "models.json", "--yes")

    requests = listed.requests + listed.files.requests
    assert len(requests) == 6
    assert clock.slept == [1.0] * 5
    agents = {request.headers["user-agent"] for request in requests}
    assert len(agents) == 1
    assert "viewfarm/" in (agent := agents.pop())
    assert "lab@example.org" in agent


@pytest.mark.parametrize("dated", [False, True], ids=["seconds", "date"])
@pytest.mark.parametrize("beginning", [SEARCH, DOWNLOADS, FILES])
def test_all_wait_for_as_long_as_a_site_asks(assets, listed, clock, dated, beginning):
    site = listed.files if beginning == FILES else listed
    clock.slept.clear()
    header = formatdate(clock.now + 40, usegmt=True) if dated else "40"
    body = b"error code: 1015"
    site.faults[beginning].append(Answer(429, body, {"Retry-After": header}))

    done = assets("scrape", "-o", "again.json") if beginning == SEARCH else assets(
        "download", "models.json", "--yes"
    )  # fmt: skip

    assert done.code == 0, done.stderr
    assert max(clock.slept) == pytest.approx(40, abs=2)
    assert sum(seconds > 5 for seconds in clock.slept) == 1
    assert "asks us to slow down; waiting" in done.stderr


def test_a_site_that_wants_hours_is_left_alone(assets, listed, clock):
    listed.faults[DOWNLOADS].append(Answer(429, b"{}", {"Retry-After": "7200"}))

    done = assets("download", "models.json", "--yes", "--json")

    assert done.code == 3
    assert "asks us to come back in 120 minutes" in done.stderr
    assert len(listed.requests) == 1
    assert [one["name"] for one in done.json["notTried"]] == ["Chair 1", "Chair 2"]


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("7", 7.0), ("Fri, 01 Jan 2027 00:00:30 GMT", 30.0), ("Thu, 31 Dec 2026 00:00:00 GMT", 0.0),
     (None, None), ("soon", None), ("-3", None)],
)  # fmt: skip
def test_retry_after_has_two_forms(value, seconds):
    assert retry_after_s(value, now_s=1798761600.0) == seconds


def test_a_site_that_stumbles_is_asked_again_ever_later(assets, listed, clock):
    clock.slept.clear()
    listed.faults[SEARCH].extend([Answer(502), html(503)])

    assert assets("scrape", "-o", "again.json").code == 0
    assert clock.slept[-2:] == [2.0, 4.0]


def test_a_web_page_instead_of_json_is_asked_for_again_then_said(assets, listed):
    listed.faults[SEARCH].append(html())
    assert assets("scrape", "-o", "again.json").code == 0

    listed.faults[SEARCH].extend(html() for _ in range(9))
    done = assets("scrape", "-o", "again.json")

    assert done.code == 2
    assert "did not answer in JSON" in done.stderr


def test_a_refused_key_stops_everything_at_once(assets, listed, monkeypatch):
    monkeypatch.setenv("BLENDERKIT_API_KEY", "wrong-key-987")

    done = assets("download", "models.json", "--yes")

    assert done.code == 3
    assert "refuses the key (Invalid token.): check BLENDERKIT_API_KEY" in done.stderr
    assert len(listed.requests) == 1
    assert "wrong-key-987" not in done.stderr + done.stdout
    assert assets("scrape", "-o", "x.json").code == 2


@pytest.mark.parametrize("key", ["se\u00e7ret", "two\nlines"])
def test_a_key_that_can_be_none_is_said_without_being_shown(assets, listed, monkeypatch, key):
    monkeypatch.setenv("BLENDERKIT_API_KEY", key)

    done = assets("search")

    assert done.code == 2
    assert "BLENDERKIT_API_KEY: Value error, holds characters that no key has" in done.stderr
    assert key not in done.stderr


def test_a_used_up_quota_stops_everything_a_paid_asset_only_itself(assets, listed):
    detail = "Users plan doesnt allow to download this: "
    paid = as_json({"detail": f"{detail}Must have full plan", "statusCode": 403}, 403)
    full = as_json({"detail": f"{detail}Limit of models exceeded. The limit is 10000 items.",
                    "statusCode": 403}, 403)  # fmt: skip
    listed.faults[DOWNLOADS].extend([paid, full])

    done = assets("download", "models.json", "--yes", "--json")

    assert [one["name"] for one in done.json["failed"]] == ["Chair 0", "Chair 1"]
    assert [one["name"] for one in done.json["notTried"]] == ["Chair 2"]
    assert done.code == 3


def test_a_wall_is_not_run_against(assets, listed):
    listed.faults[DOWNLOADS].append(html(403))

    done = assets("download", "models.json", "--yes")

    assert "does not let us in (403)" in done.stderr
    assert len(listed.requests) == 1


@pytest.mark.parametrize("from_file", [False, True])
def test_the_key_goes_to_the_service_and_to_nobody_else(assets, listed, monkeypatch, from_file):
    key = FakeBlenderKit.KEY
    if from_file:
        (assets.folder / ".env").write_text(f"BLENDERKIT_API_KEY={key}\n")
    else:
        monkeypatch.setenv("BLENDERKIT_API_KEY", key)
    other = FileHost(signed=False)
    target = {"Location": f"{other.address}/api/v1/search/"}
    listed.faults[SEARCH].append(Answer(301, b"", target))
    with other.running():
        assets("search")
    assert len(other.requests) == 1
    assert "authorization" not in other.requests[0].headers

    done = assets("download", "models.json", "--yes")

    assert done.code == 0, done.stderr
    assert {r.headers.get("authorization") for r in listed.requests} == {f"Bearer {key}"}
    assert all("authorization" not in r.headers for r in listed.files.requests)
    told = done.stdout + done.stderr
    assert key not in told
    assert "verify=" not in told
    kept = b"".join(p.read_bytes() for p in assets.downloads.rglob("*") if p.is_file())
    assert b"verify=" not in kept
    assert key.encode() not in kept


def test_a_redirect_within_the_service_keeps_the_key(assets, listed, monkeypatch):
    monkeypatch.setenv("BLENDERKIT_API_KEY", FakeBlenderKit.KEY)
    listed.faults[SEARCH].append(
        Answer(301, b"", {"Location": f"{SEARCH}?query=asset_type:model&page_size=9"})
    )

    assert assets("search").code == 0
    assert len({r.headers["authorization"] for r in listed.requests}) == 1


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        ("/api/v1/search/?query=x", "redirects in a circle"),
        ("file:///etc/passwd", "is not a web address"),
        ("http://example.org/", "http://example.org/ is not encrypted"),
    ],
)
def test_a_redirect_to_nowhere_ends(assets, listed, target, reason):
    listed.faults[SEARCH].extend(Answer(302, b"", {"Location": target}) for _ in range(20))

    done = assets("search")

    assert done.code == 2
    assert reason in done.stderr


def test_the_libraries_below_log_no_address(assets, listed, caplog):
    with caplog.at_level("DEBUG"):
        assets("download", "models.json", "--yes")

    assert "verify" not in caplog.text


def test_an_expired_link_is_asked_for_again_and_the_file_gone_on_with(assets, listed):
    data = a_blend(0, 40_000)
    listed.files.faults[FILES].append(Answer(200, data, {"ETag": '"x"'}, cut_at=15_000))
    listed.files.faults[FILES].append(html(403))
    listed.files.faults[FILES].append(Answer(206, data[15_000:], {
        "Content-Range": f"bytes 15000-{len(data) - 1}/{len(data)}"}))  # fmt: skip

    done = assets("download", "models.json", "--limit", 1, "--yes")

    assert done.code == 0, done.stderr
    assert len(listed.asked(DOWNLOADS)) == 2
    assert listed.files.requests[-1].headers["range"] == "bytes=15000-"
    assert listed.files.requests[-1].headers["if-range"] == '"x"'
    assert next((assets.downloads / "model").glob("*.blend")).read_bytes() == data


def test_a_body_that_ends_early_is_gone_on_with(assets, listed):
    data = a_blend(0, 40_000)
    listed.files.faults[FILES].append(Answer(200, data[:9000], {}, without_length=True))

    assert assets("download", "models.json", "--limit", 1, "--yes").code == 0
    assert listed.files.requests[1].headers["range"] == "bytes=9000-"
    assert next((assets.downloads / "model").glob("*.blend")).read_bytes() == data


def test_a_body_without_a_length_is_taken_when_it_is_whole(assets, listed):
    data = a_blend(0, 40_000)
    listed.files.faults[FILES].append(Answer(200, data, {}, without_length=True))

    assert assets("download", "models.json", "--limit", 1, "--yes").code == 0
    assert len(listed.files.requests) == 1


def test_a_server_without_ranges_begins_again(assets, listed):
    data = a_blend(0, 40_000)
    listed.files.faults[FILES].extend([Answer(200, data, {}, cut_at=15_000), Answer(200, data)])

    assert assets("download", "models.json", "--limit", 1, "--yes").code == 0
    assert next((assets.downloads / "model").glob("*.blend")).read_bytes() == data


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (html(), "sends text/html, not the file"),
        (as_json({"detail": "x"}), "sends application/json, not the file"),
        (Answer(200, a_blend(0, 39_000)), "has 39012 bytes, not 40012; scrape it again"),
        (Answer(200, bytes(10**6), {}, without_length=True), "is larger than 40012 bytes"),
        (Answer(200, bytes(40_012)), "not a .blend file: it is something else"),
        (Answer(418), "answers 418"),
        (Answer(200, a_blend(0, 40_000), {"Content-Encoding": "gzip"}), "sends it compressed"),
    ],
    ids=["page", "json", "other size", "endless", "other bytes", "odd status", "packed"],
)
def test_what_is_not_the_file_is_never_kept(assets, listed, answer, sentence):
    listed.files.faults[FILES].append(answer)

    done = assets("download", "models.json", "--yes", "--json")

    assert done.code == 1
    assert sentence in done.json["failed"][0]["reason"]
    assert len(done.json["fetched"]) == 2
    assert len({name for name in assets.files() if name.endswith(".blend")}) == 2
    assert assets("download", "models.json", "--yes").code == 0


def test_a_file_host_that_stays_away_is_given_up(assets, listed, clock):
    for number in range(3, 5):
        listed.add(f"Chair {number}", {"blend": (".blend", a_blend(number, 40_000))})
    assets("scrape", "-o", "models.json")
    listed.files.faults[FILES].extend(Answer(503) for _ in range(99))

    done = assets("download", "models.json", "--yes", "--json")

    assert done.code == 3
    assert len(listed.files.requests) == 3 * 4
    assert [one["name"] for one in done.json["notTried"]] == ["Chair 3", "Chair 4"]


def test_a_link_that_never_works_costs_one_asset(assets, listed):
    listed.files.faults[FILES].extend(html(404) for _ in range(4))

    done = assets("download", "models.json", "--yes", "--json")

    assert [one["name"] for one in done.json["failed"]] == ["Chair 0"]
    assert len(done.json["fetched"]) == 2


def test_a_partial_file_of_another_version_is_not_gone_on_with(assets, listed):
    listed.files.faults[FILES].extend(
        Answer(200, a_blend(0, 40_000), cut_at=9000) for _ in range(1)
    )
    listed.files.faults[FILES].extend(Answer(503) for _ in range(20))
    assets("download", "models.json", "--limit", 1, "--yes")
    assert list((assets.downloads / "model").glob("*.part"))
    listed.files.faults[FILES].clear()
    listed.rows.clear()
    listed.add("Chair 0", {"blend": (".blend", a_blend(7, 50_000))}, versionNumber=2)
    assets("scrape", "-o", "new.json")

    done = assets("download", "new.json", "--yes")

    assert done.code == 0
    assert "range" not in listed.files.requests[-1].headers
    assert next((assets.downloads / "model").glob("*.blend")).read_bytes() == a_blend(7, 50_000)


def test_without_a_yes_and_nobody_to_ask_nothing_is_fetched(assets, listed):
    done = assets("download", "models.json")

    assert done.code == 2
    assert "--yes" in done.stderr
    assert listed.files.requests == []


def test_two_downloads_into_one_folder_do_not_meet(assets, listed):
    from scraper.catalog import Catalog

    with Catalog(assets.downloads).lock():
        done = assets("download", "models.json", "--yes")

    assert done.code == 2
    assert "another download is running" in done.stderr


def test_a_folder_on_a_file_system_without_locks_takes_downloads(assets, listed, monkeypatch):
    def refuse(_file, **_how):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("farm.storage.file_lock.ask_system", refuse)

    assert assets("download", "models.json", "--yes").code == 0


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        (("search", "--source", "turbosquid"), "'turbosquid' is not one of blenderkit, polyhaven"),
        (("search", "--type", "brush"), "type: 'brush' is not one of model, hdr"),
        (("search", "--type", "modell"), "; did you mean 'model'?"),
        (("search", "--include", "tga:chair"), "; did you mean 'tag'?"),
        (("search", "--include", "weight<3"), "'weight<3' is not a rule such as"),
        (("search", "--resolution", "big"), "'big' is neither a size such as 2K"),
        (("download",), "which list?"),
        (("download", "gone.json"), "gone.json: cannot be read"),
        (("info", "bad.json"), "bad.json: asset 1: assetBaseId: String should match"),
        (("import", "gone", "--license", "x"), "gone: is not a folder"),
    ],
)
def test_a_mistake_is_one_sentence(assets, args, sentence):
    (assets.folder / "bad.json").write_text(
        '[{"assetBaseId": "../../x", "name": "x", "assetType": "model"}]'
    )

    done = assets(*args)

    assert done.code == 2
    assert sentence in done.stderr


def test_pages_that_go_in_a_circle_end(assets, listed, monkeypatch):
    page = {"count": 9, "next": f"{listed.address}{SEARCH}?page=2", "results": listed.rows}
    monkeypatch.setattr(listed, "search", lambda _: as_json(page))

    assert assets("scrape", "-o", "again.json").code == 0
    assert len(listed.requests) == 2


def test_a_terminal_sees_bars(assets, listed, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")

    done = assets("download", "models.json", "--yes")

    assert done.code == 0, done.stderr
    assert "\x1b[" in done.stderr
    assert "40.0/40.0 kB" in done.stderr or "120.0/120.0 kB" in done.stderr


def test_nothing_found_is_told_by_the_exit_code(assets, blenderkit):
    blenderkit.add("Sky", {"resolution_2K": (".exr", an_exr())}, kind="hdr")

    assert assets("search", "--type", "model").code == 3
