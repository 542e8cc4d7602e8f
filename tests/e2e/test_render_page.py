"""`farm render --page`: the job's page while it renders, and until somebody ends it."""

from __future__ import annotations

import re
import signal
from contextlib import closing

import httpx
import pytest

from tests.e2e.conftest import commands, farm
from tests.e2e.test_render import TINY, every_file
from tests.support.waiting import wait_for

ONE_VIEW = ("--yaw", 1, "--pitch", 1, *TINY)
ADDRESS = re.compile(r"(http://127\.0\.0\.1:\d+)/enter/\S+")


@pytest.fixture
def no_browser(monkeypatch):
    for name in ("BROWSER", "DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)


def request(assets, output):
    model, hdr = next(assets.models.glob("cube*.obj")), next(assets.hdrs.glob("sky*"))
    return ("render", "--models", model, "--hdrs", hdr, "--output", output, *ONE_VIEW)


def opened(process):
    """Follow the address that a run prints, as a browser does; return the job's address, too."""
    line = next(line for line in process.stderr if ADDRESS.search(line))
    browser = httpx.Client(follow_redirects=True, timeout=60)
    page = browser.get(ADDRESS.search(line)[0])
    assert page.status_code == 200, page.text
    return browser, ADDRESS.search(line)[1], page


def test_a_run_shows_its_page_and_keeps_it_until_it_is_ended(assets, tmp_path, no_browser):
    with commands() as start:
        process = start(*request(assets, tmp_path / "out"), "--page")
        browser, url, page = opened(process)
        job = page.url.path.removeprefix("/jobs/")

        def over():
            return browser.get(f"{url}/v1/jobs/{job}").json()["state"] == "completed"

        with closing(browser):
            assert "of 1 view" in page.text
            assert "/pause" not in page.text
            wait_for(over, "the job is over", timeout_s=280)
            next(line for line in process.stderr if "the page stays at" in line)
            told = browser.get(f"{url}/v1/jobs/{job}").json()
            assert (told["views_done"], told["finishing"], told["name"]) == (1, False, "out")
            [glimpse] = browser.get(f"{url}/v1/jobs/{job}/newest").json()
            assert browser.get(f"{url}/v1/jobs/{job}/newest/{glimpse['number']}").content
            [card] = browser.get(f"{url}/v1/datasets/{job}/gallery").json()["items"]
            assert set(card["pictures"]) == {"rgb", "mask"}
            assert browser.post(f"{url}/v1/jobs/{job}/cancel").status_code == 403
            process.send_signal(signal.SIGINT)
            _, said = process.communicate(timeout=120)
    assert process.returncode == 0, said
    assert not {"jobs", "auth", "status"} & {path.name for path in (tmp_path / "out").iterdir()}
    with pytest.raises(httpx.ConnectError):
        httpx.get(url)

    before = every_file(tmp_path / "out")
    with commands() as start:  # all is rendered: the page shows it all the same
        process = start(*request(assets, tmp_path / "out"), "--page")
        browser, url, page = opened(process)
        with closing(browser):
            next(line for line in process.stderr if "the page stays at" in line)
            assert "1 of 1 view" in browser.get(page.url).text
        process.send_signal(signal.SIGTERM)
        assert process.wait(120) == 0
    assert every_file(tmp_path / "out") == before


def test_nothing_is_served_without_it(assets, tmp_path):
    done = farm(*request(assets, tmp_path / "out"), "--dry-run")

    assert "http" not in done.stdout + done.stderr
