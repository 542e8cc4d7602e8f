from __future__ import annotations

import json
import os
import time
from importlib.metadata import version
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from farm.cli.doctor import folded
from farm.cli.main import make_app
from farm.doctor import examine
from farm.doctor.finding import fine
from farm.errors import SpecError
from farm.ledger import open_ledger
from farm.overview.fill import FillLog
from farm.storage import FolderStorage
from farm.tokens import TokenBook
from tests.unit.client.small_farm import TOKEN, SmallFarm


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


def test_a_long_list_is_folded_unless_it_is_asked_for():
    names = [f"package{number} 1.0" for number in range(30)]
    found = fine("scripts", f"may import {', '.join(names)}")

    assert folded(found) == (
        f"may import {', '.join(names[:8])} and 22 more; farm doctor --only scripts names all"
    )
    assert folded(found.model_copy(update={"verdict": "problem"})) == found.sentence
    assert folded(fine("gpus", "one, two")) == "one, two"


@pytest.fixture
def kept(monkeypatch, tmp_path):
    """The storage of a farm."""
    folder = tmp_path / "storage"
    folder.mkdir()
    monkeypatch.setenv("FARM_STORAGE", str(folder))
    return FolderStorage(folder)


def test_tokens_are_told_by_role_and_warned_of_before_they_expire(kept):
    book = TokenBook(kept)
    book.create("eve", "admin")
    book.create("gone", "submit", expires_s=time.time() - 1)
    _, info = book.create("ann", "submit", expires_s=time.time() + 9 * 86_400 + 60)

    roles, soon, over = examine(("tokens",))

    assert (roles.verdict, roles.sentence) == ("ok", "admin eve; submit ann")
    assert (soon.verdict, soon.sentence) == ("warning", "the token of ann expires in 9 days")
    assert soon.remedy == f"farm token change {info.token_id} --expires 1y"
    assert (over.verdict, over.sentence) == ("ok", "expired: gone; farm token list shows them")


def test_datasets_are_looked_at_for_what_is_nested_or_damaged(kept):
    assert [one.sentence for one in examine(("datasets",))] == ["none"]
    kept.put("datasets/0/a/views.jsonl", b"{\n")
    kept.put("datasets/0/a/b/views.jsonl", b"")

    nested, damaged = examine(("datasets",))

    assert {nested.verdict, damaged.verdict} == {"warning"}
    assert nested.sentence.startswith("datasets/0/a/b lies within datasets/0/a,")
    assert damaged.sentence == "datasets/0/a 1 record cannot be read"
    assert damaged.remedy == f"farm dataset verify {kept.place}/datasets/0/a shows what"


def test_a_storage_that_will_be_full_soon_is_warned_of(kept, monkeypatch):
    disk = [100 << 30, 50 << 30]

    def usage(_place):
        return SimpleNamespace(total=disk[0], used=disk[1], free=disk[0] - disk[1])

    monkeypatch.setattr("farm.overview.fill.shutil.disk_usage", usage)
    FillLog(kept, now_s=lambda: time.time() - 86_400).note()
    assert [one.verdict for one in examine(("storage",))] == ["ok", "ok"]
    disk[1] = 60 << 30

    _, room = examine(("storage",))

    assert room.verdict == "warning"
    assert "full in about 4 days" in room.sentence
    assert "farm tidy" in room.remedy


def test_workers_in_quarantine_are_told_with_why(monkeypatch, request):
    pytest.importorskip("redis")
    url = request.getfixturevalue("redis_url")
    monkeypatch.setenv("FARM_REDIS_URL", url)
    ledger = open_ledger(url)
    for name in ("v", "w"):
        ledger.heartbeat(f"{name}@h#1", {"name": name, "host": "h", "device": "cpu"}, ttl_s=60)
    assert [one.sentence for one in examine(("workers",))] == ["2 alive, none in quarantine"]
    shut = '{"quarantine":{"sentence":"bad","since_s":1,"try_from_s":1}}'
    ledger.store.swap_conduct("w@h", "", shut)

    (found,) = examine(("workers",))

    assert (found.verdict, found.sentence) == ("warning", "w: bad, warming up")


def test_drained_workers_are_told_and_nothing_is_wrong_with_them(monkeypatch, redis_url):
    pytest.importorskip("redis")
    monkeypatch.setenv("FARM_REDIS_URL", redis_url)
    ledger = open_ledger(redis_url)
    ledger.heartbeat("w@h#1", {"name": "w", "host": "h", "device": "cpu"}, ttl_s=60)
    ledger.drains.drain("w@h", by="ann")

    drained, others = examine(("workers",))

    assert drained.verdict == others.verdict == "ok"
    assert drained.sentence.startswith("w: drained by ann since 20")


def test_a_login_that_expires_soon_is_warned_of(monkeypatch):
    with SmallFarm(whoami={"expires_s": time.time() + 3 * 86_400 + 60}) as farm:
        monkeypatch.setenv("FARM_URL", farm.url)
        monkeypatch.setenv("FARM_TOKEN", TOKEN)
        found = list(examine(("login",)))

    assert found[0].verdict == "warning"
    assert found[0].sentence.endswith("your token expires in 3 days")
