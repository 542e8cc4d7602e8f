import stat
import sys

import pytest

from farm.client.home import Login, find_login, normal_url
from farm.errors import LoginError, SetupError


def test_a_login_is_kept_for_the_eyes_of_its_user(home):
    home.save_login(Login("https://farm.example", "secret"))

    assert home.stored_login() == Login("https://farm.example", "secret")
    if sys.platform != "win32":
        assert stat.S_IMODE(home.login_file.stat().st_mode) == 0o600
    assert "secret" not in repr(home.stored_login())
    assert [file.name for file in home.config.iterdir()] == ["login.json"]
    assert home.forget_login()
    assert home.stored_login() is None
    assert not home.forget_login()


def test_no_login_is_said_with_the_remedy(home):
    with pytest.raises(LoginError, match=r"farm login URL.*FARM_URL and FARM_TOKEN"):
        find_login(home)


def test_the_environment_goes_over_what_is_stored(home, monkeypatch):
    home.save_login(Login("https://farm.example", "stored"))
    monkeypatch.setenv("FARM_TOKEN", "given")

    assert find_login(home) == Login("https://farm.example", "given")

    monkeypatch.setenv("FARM_URL", "http://other.example/farm/")
    assert find_login(home) == Login("http://other.example/farm", "given")


def test_a_stored_token_is_sent_nowhere_else(home, monkeypatch):
    home.save_login(Login("https://farm.example", "stored"))
    monkeypatch.setenv("FARM_URL", "https://other.example")

    with pytest.raises(LoginError, match=r"no token for https://other\.example"):
        find_login(home)


def test_empty_variables_count_as_not_set(home, monkeypatch):
    home.save_login(Login("https://farm.example", "stored"))
    monkeypatch.setenv("FARM_URL", "")
    monkeypatch.setenv("FARM_TOKEN", "")

    assert find_login(home) == Login("https://farm.example", "stored")


@pytest.mark.parametrize("token", ["", "  ", "two words", "line\nbreak", "schlüssel"])
def test_what_is_no_token_is_not_sent(home, token):
    with pytest.raises(LoginError):
        find_login(home, url="https://farm.example", token=token)


@pytest.mark.parametrize(
    ("url", "normal"),
    [
        ("farm.example", "https://farm.example"),
        ("HTTP://Farm.Example:8000/", "http://farm.example:8000"),
        ("http://[::1]:8000", "http://[::1]:8000"),
    ],
)
def test_an_address_has_one_form(url, normal):
    assert normal_url(url) == normal


@pytest.mark.parametrize(
    "url", ["", "ftp://farm", "https://", "https://a:b@farm", "https://farm?x", "http://farm:port"]
)
def test_what_is_no_address_is_refused(url):
    with pytest.raises(SetupError, match="is not an address"):
        normal_url(url)


def test_a_broken_file_is_no_login(home):
    home.config.mkdir()
    home.login_file.write_text("{")

    assert home.stored_login() is None


def test_the_last_job_is_one_per_farm(home):
    home.save_last_job("https://a", "1" * 12)
    home.save_last_job("https://b", "2" * 12)

    assert home.last_job("https://a") == "1" * 12
    assert home.last_job("https://c") is None
