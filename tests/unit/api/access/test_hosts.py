from __future__ import annotations

import pytest

from farm.api.access.hosts import HostNames
from farm.api.problems import ApiProblem
from farm.api.settings import load_api_settings
from farm.errors import SetupError

ALWAYS = ["localhost", "LOCALHOST:8000", "a.localhost", "127.0.0.1:8000", "10.0.0.7", "[::1]:8000",
          "[2001:db8::1]"]  # fmt: skip
FOREIGN = ["evil.example", "evil.example:8000", "farm.example.evil.example",
           "127.0.0.1.evil.example", "localhost.evil.example",
           "", "x" * 5000, "[", "%00"]  # fmt: skip


def takes(hosts, listens_on, header):
    try:
        HostNames(hosts, listens_on=listens_on).check(header)
    except ApiProblem:
        return False
    return True


def test_a_name_that_is_not_taken_is_told_what_to_do():
    with pytest.raises(ApiProblem, match=r"this farm is not called 'evil\.example'") as refused:
        HostNames("farm.example", listens_on="0.0.0.0").check("evil.example:80")
    assert refused.value.status_code == 421
    assert "FARM_HOSTS" in refused.value.remedy

    with pytest.raises(ApiProblem) as refused:
        HostNames("farm.example", listens_on="0.0.0.0").check("x" * 5000)
    assert len(refused.value.detail) < 200


@pytest.mark.parametrize("header", ALWAYS)
@pytest.mark.parametrize("hosts", ["", "farm.example"])
@pytest.mark.parametrize("listens_on", ["127.0.0.1", "0.0.0.0"])
def test_addresses_and_this_machine_are_always_taken(hosts, listens_on, header):
    assert takes(hosts, listens_on, header)


@pytest.mark.parametrize("header", FOREIGN)
def test_a_farm_with_names_answers_to_no_others(header):
    assert not takes("farm.example, *.lan", "0.0.0.0", header)


@pytest.mark.parametrize("header", FOREIGN)
def test_a_farm_for_one_machine_answers_to_no_names_unless_some_are_given(header):
    assert not takes("", "127.0.0.1", header)
    assert not takes("", "::1", header)


@pytest.mark.parametrize("header", ["farm.example", "Farm.Example:443", "farm.example.", "g7.lan"])
def test_its_names_are_taken_with_or_without_a_port(header):
    assert takes("farm.example, *.lan", "0.0.0.0", header)


def test_a_star_stands_for_one_part_of_a_name():
    assert not takes("*.lan", "0.0.0.0", "lan")
    assert not takes("*.lan", "0.0.0.0", "a.b.lan")


def test_without_names_a_farm_that_others_reach_answers_to_any():
    assert takes("", "0.0.0.0", "api:8000")
    assert takes("", "10.0.0.7", "farm.example")


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("FARM_HOSTS", "farm.example, http://x", "'http://x' is not a name such as"),
        ("FARM_HOSTS", "*", "is not a name such as"),
        ("FARM_TRUSTED_PROXIES", "*", "'*' is not an address or a network"),
        ("FARM_TRUSTED_PROXIES", "10.0.0.0/8, proxy", "'proxy' is not an address"),
        ("FARM_SHARED", "perhaps", "boolean"),
        ("FARM_QUOTA_BYTES", "0", "greater than 0"),
        ("FARM_VIEWS_PER_DAY", "-1", "greater than 0"),
    ],
)
def test_a_setting_that_cannot_be_meant_is_told_by_its_name(monkeypatch, name, value, sentence):
    monkeypatch.setenv(name, value)

    with pytest.raises(SetupError) as caught:
        load_api_settings()

    assert str(caught.value).startswith(f"{name}: ")
    assert sentence in str(caught.value)


def test_settings_are_read_from_the_environment(monkeypatch):
    monkeypatch.setenv("FARM_TRUSTED_PROXIES", "10.0.0.0/8, 192.0.2.1")
    monkeypatch.setenv("FARM_SHARED", "false")
    found = load_api_settings()

    assert found.proxies == ["10.0.0.0/8", "192.0.2.1"]
    assert not found.shared
