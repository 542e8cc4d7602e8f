"""A real Chromium, and a whole farm behind the page that it shows."""

from __future__ import annotations

import shutil

import pytest

from tests.support.farms.api_server import HDR, MODEL, ApiServer, a_submission, body

playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
PATIENCE_MS = 120_000
"""Other tests run beside."""
CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)


@pytest.fixture(scope="module")
def chromium():
    """A browser for a file of tests: while Playwright runs, its process can run no other loop."""
    if CHROMIUM is None:
        pytest.skip("no Chromium is installed: apt-get install chromium")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox"], timeout=PATIENCE_MS
        )
        yield browser
        browser.close()


@pytest.fixture
def api(redis_url, tmp_path):
    with ApiServer(redis_url, tmp_path) as server:
        for data in (MODEL, HDR):
            server.upload(data)
        yield server


@pytest.fixture
def open_page(chromium, api):
    """Return what opens a page as somebody with a role; all that goes wrong in it fails a test."""
    contexts, faults = [], []

    def open_(place, role="admin", **context):
        made = chromium.new_context(**context)
        contexts.append(made)
        page = made.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("dialog", lambda dialog: (faults.append(dialog.message), dialog.dismiss()))
        page.goto(f"{api.url}{place}")
        page.fill("#token", api.tokens[role])
        with page.expect_navigation():  # before its scripts are there, forms leave the page
            page.get_by_role("button", name="Log in").click()
        assert not page.url.startswith(f"{api.url}/login"), page.text_content("body")
        return page

    yield open_
    for context in contexts:
        context.close()
    assert not faults


def submit(api, name="chairs", **changes):
    sent = body(a_submission(**changes)) | {"name": name}
    answer = api.client("admin").post("/v1/jobs", json=sent)
    assert answer.is_success, answer.text
    return answer.json()["job_id"]
