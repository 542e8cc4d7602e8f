from __future__ import annotations

import json
import os
import time
from importlib.metadata import version

import pytest
from typer.testing import CliRunner

from farm.cli.main import make_app
from farm.doctor import examine
from farm.errors import SpecError


@pytest.fixture(autouse=True)
def nowhere(monkeypatch, tmp_path):
    """No farm in the environment, no login, no farm in the current folder."""
    for name in [name for name in os.environ if name.startswith("FARM_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)


def test_a_machine_without_a_farm_is_well():
    found = list(examine(("python", "packages", "storage", "redis", "login")))

    assert {finding.verdict for finding in found} == {"ok"}


def test_storage_is_written_to_and_left_as_it_was(monkeypatch, tmp_path):
    folder = tmp_path / "storage"
    folder.mkdir()
    monkeypatch.setenv("FARM_STORAGE", str(folder))

    verdicts = [finding.verdict for finding in examine(("storage",))]

    assert verdicts[0] == "ok"
    assert not [path for path in folder.rglob("*") if path.is_file()]


def test_storage_that_cannot_be_written_is_a_problem_with_a_remedy(monkeypatch, tmp_path):
    file = tmp_path / "not-a-folder"
    file.touch()
    monkeypatch.setenv("FARM_STORAGE", str(file))

    (finding,) = examine(("storage",))

    assert finding.verdict == "problem"
    assert finding.remedy


def test_storage_that_is_not_there_is_not_made(monkeypatch, tmp_path):
    """It may be a share that nobody has mounted."""
    monkeypatch.setenv("FARM_STORAGE", str(tmp_path / "share"))

    (finding,) = examine(("storage",))

    assert finding.verdict == "problem"
    assert not (tmp_path / "share").exists()


def test_redis_that_is_away_is_a_problem_that_names_no_password(monkeypatch):
    pytest.importorskip("redis")
    monkeypatch.setenv("FARM_REDIS_URL", "redis://:hush-hush@127.0.0.1:1/0")

    (finding,) = examine(("redis",))

    assert finding.verdict == "problem"
    assert "FARM_REDIS_URL" in (finding.remedy or "")
    assert "hush" not in finding.model_dump_json()


def test_a_redis_that_keeps_all_is_well(monkeypatch, request):
    pytest.importorskip("redis")
    monkeypatch.setenv("FARM_REDIS_URL", request.getfixturevalue("redis_url"))

    found = list(examine(("redis",)))

    assert [finding.check for finding in found] == ["redis", "clock"]
    assert {finding.verdict for finding in found} == {"ok"}


def test_a_dispatcher_that_hangs_is_told_from_one_that_lives(monkeypatch, tmp_path):
    file = tmp_path / "alive"
    monkeypatch.setenv("FARM_ALIVE_FILE", str(file))

    (never,) = examine(("dispatcher",))
    file.touch()
    (alive,) = examine(("dispatcher",))
    os.utime(file, (time.time() - 1000,) * 2)
    (hanging,) = examine(("dispatcher",))

    assert [never.verdict, alive.verdict, hanging.verdict] == ["problem", "ok", "problem"]


def test_a_check_that_does_not_exist_is_named():
    with pytest.raises(SpecError, match="'weather'"):
        list(examine(("weather",)))


def test_a_problem_is_exit_code_1(tmp_path, monkeypatch):
    monkeypatch.setenv("FARM_STORAGE", "/dev/null/nowhere")

    result = CliRunner().invoke(make_app(), ["doctor", "--json", "--only", "python,storage"])

    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert result.exit_code == 1
    assert [line["verdict"] for line in lines] == ["ok", "problem"]


def test_it_is_told_what_scripts_may_import():
    pytest.importorskip("bpy")
    (finding,) = examine(("scripts",))

    assert finding.verdict == "ok"
    assert f"numpy {version('numpy')}" in finding.sentence
    assert f"bpy {version('bpy')}" in finding.sentence
    assert "viewfarm" not in finding.sentence
