from __future__ import annotations

import pytest
from pydantic import SecretStr

from farm.errors import SetupError
from farm.flower import FlowerSettings, flower_arguments, load_flower_settings


def test_flower_shows_nothing_to_strangers():
    """Beyond this machine there is no Flower without a password."""
    open_to_all = FlowerSettings(host="0.0.0.0", auth=None)

    with pytest.raises(SetupError, match="FARM_FLOWER_AUTH"):
        flower_arguments(open_to_all)


@pytest.mark.parametrize(
    "auth",
    [
        pytest.param("ada", id="no password"),
        pytest.param("ada:short", id="a short password"),
        pytest.param(":long-enough", id="no user"),
        pytest.param("ada:longer,enough", id="a comma, at which Flower would split it"),
    ],
)
def test_a_weak_login_is_refused(auth):
    with pytest.raises(SetupError, match="user:password"):
        flower_arguments(FlowerSettings(auth=SecretStr(auth)))


def test_flower_looks_and_never_steers(tmp_path):
    """The ledger decides; what Flower would revoke would come back."""
    settings = FlowerSettings(auth=SecretStr("ada:long-enough"), db=tmp_path / "state" / "flower")

    arguments = flower_arguments(settings)

    assert "--read_only=True" in arguments
    assert "--persistent=True" in arguments
    assert settings.db.parent.is_dir()


def test_a_wrong_setting_is_named(monkeypatch):
    monkeypatch.setenv("FARM_FLOWER_PORT", "99999")

    with pytest.raises(SetupError, match="FARM_FLOWER_PORT"):
        load_flower_settings()
