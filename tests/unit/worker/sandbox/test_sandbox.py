"""Walls: what a renderer may write, start and reach. Each test tries it in a process of its own."""

from __future__ import annotations

import socket
import subprocess
import sys

import pytest

from farm.errors import SetupError
from farm.settings import load_settings

landlock = pytest.importorskip("worker.sandbox.landlock")
sandbox = pytest.importorskip("worker.sandbox.sandbox")
seccomp = pytest.importorskip("worker.sandbox.seccomp")

needs_landlock = pytest.mark.skipif(
    landlock.version() < landlock.SIGNALS,
    reason=f"Landlock of version {landlock.SIGNALS} or newer is not on this system",
)
needs_seccomp = pytest.mark.skipif(not seccomp.offered(), reason="no filter for this system")


def attempt(code: str, *arguments: object) -> str:
    """Return what a fresh process said that ran `code`."""
    command = [sys.executable, "-c", f"import sys\n{code}", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


CLOSE = """
from pathlib import Path
from worker.sandbox.landlock import stay_within
inside, outside = Path(sys.argv[1]), Path(sys.argv[2])
stay_within([inside, Path("/dev/null")], ports=[int(port) for port in sys.argv[3:4]])

def refused(verb):
    try:
        verb()
    except OSError:
        return "refused"
    return "done"
"""


@pytest.fixture
def places(tmp_path):
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    inside.mkdir()
    outside.mkdir()
    (outside / "there").write_text("kept")
    return inside, outside


@needs_landlock
@pytest.mark.parametrize(
    "verb",
    [
        pytest.param("(outside / 'new').touch()", id="make"),
        pytest.param("(outside / 'there').open('a')", id="append"),
        pytest.param("__import__('os').truncate(outside / 'there', 0)", id="cut off"),
        pytest.param("(outside / 'there').unlink()", id="remove"),
        pytest.param("(outside / 'there').rename(inside / 'there')", id="move in"),
        pytest.param("(inside / 'own').rename(outside / 'own')", id="move out"),
        pytest.param("(outside / 'there').rename(outside / 'other')", id="rename"),
        pytest.param("(outside / 'folder').mkdir()", id="make a folder"),
        pytest.param("(outside / 'link').symlink_to('/etc')", id="link"),
        pytest.param("(inside / 'hard').hardlink_to(outside / 'there')", id="hard link"),
        pytest.param("(inside / 'way').open('w')", id="through a link"),
        pytest.param("Path('/tmp/viewfarm-sandbox-test').touch()", id="temporary files"),
        pytest.param("Path('/dev/shm/viewfarm-sandbox-test').touch()", id="shared memory"),
    ],
)
def test_a_renderer_changes_nothing_outside_of_its_own_folders(places, verb):
    inside, outside = places
    (inside / "own").touch()
    (inside / "way").symlink_to(outside / "there")

    assert attempt(f"{CLOSE}\nprint(refused(lambda: {verb}))", inside, outside) == "refused"
    assert (outside / "there").read_text() == "kept"
    assert [item.name for item in outside.iterdir()] == ["there"]


@needs_landlock
def test_a_renderer_does_what_it_must_in_its_own_folders(places):
    code = """
(inside / "a" / "b").mkdir(parents=True)
(inside / "a" / "part").write_text("1")
(inside / "a" / "part").replace(inside / "a" / "b" / "whole")
(inside / "link").symlink_to(outside / "there")
assert (inside / "link").read_text() == "kept"
Path("/dev/null").write_text("")
(inside / "a" / "b" / "whole").unlink()
(inside / "a" / "b").rmdir()
print("done")
"""
    assert attempt(CLOSE + code, *places) == "done"


READ = CLOSE.replace(
    'stay_within([inside, Path("/dev/null")],',
    'stay_within([inside, Path("/dev/null")], listed=[outside.parent / "listed"],'
    ' read=[Path("/usr"), Path("/lib64"), Path("/etc/ld.so.cache"), *runtime_files.python(),'
    ' outside.parent / "shown"],',
)
READ = f"from worker.sandbox import runtime_files\n{READ}"


@needs_landlock
@pytest.mark.parametrize(
    ("verb", "outcome"),
    [
        ("(outside / 'there').read_bytes()", "refused"),
        ("list(outside.iterdir())", "refused"),
        ("(inside / 'way').read_bytes()", "refused"),
        ("Path('/etc/passwd').read_bytes()", "refused"),
        ("list(Path('/').iterdir())", "refused"),
        ("(listed / 'there').read_bytes()", "refused"),
        ("list(listed.iterdir())", "done"),
        ("(shown / 'there').read_bytes()", "done"),
        ("(shown / 'there').open('a')", "refused"),
        ("(inside / 'own').read_bytes()", "done"),
        ("list(inside.iterdir())", "done"),
        ("(outside / 'there').stat()", "done"),
    ],
)
def test_a_renderer_reads_what_it_is_shown_and_what_it_wrote(places, verb, outcome):
    inside, outside = places
    (inside / "own").touch()
    (inside / "way").symlink_to(outside / "there")
    for name in ("listed", "shown"):
        (outside.parent / name).mkdir()
        (outside.parent / name / "there").touch()
    code = f"{READ}\nlisted, shown = outside.parent / 'listed', outside.parent / 'shown'"

    assert attempt(f"{code}\nprint(refused(lambda: {verb}))", inside, outside) == outcome


@needs_landlock
@pytest.mark.parametrize("name", ["environ", "mem", "maps", "root/etc/passwd", "cwd/x"])
def test_a_renderer_sees_no_secrets_of_others_in_proc(places, name):
    code = f"""
import os
from worker.sandbox.landlock import drop_capabilities

drop_capabilities()  # root's CAP_PERFMON looks over such walls
print(refused(Path(f"/proc/{{os.getppid()}}/{name}").read_bytes))
"""
    assert attempt(CLOSE + code, *places) == "refused"


def test_nothing_of_the_first_environment_is_left_in_proc_and_all_of_it_in_place(monkeypatch):
    code = """
import ctypes, os
from worker.sandbox import blank_environment

before = dict(os.environ)
blank_environment.blank()
told = open("/proc/self/environ", "rb").read().strip(b"\\0")
find = ctypes.CDLL(None).getenv
find.restype = ctypes.c_char_p
print(told, dict(os.environ) == before, find(b"A_KEY"))
"""
    monkeypatch.setenv("A_KEY", "s3cret")

    assert attempt(code) == "b'' True b's3cret'"


@needs_landlock
def test_a_renderer_reaches_redis_and_nobody_else(places):
    with socket.create_server(("127.0.0.1", 0)) as redis, socket.create_server(("", 0)) as other:
        code = """
import socket
for port in sys.argv[3:5]:
    print(refused(lambda: socket.create_connection(("127.0.0.1", int(port)))))
"""
        said = attempt(CLOSE + code, *places, redis.getsockname()[1], other.getsockname()[1])

    assert said.splitlines() == ["done", "refused"]


@needs_landlock
def test_a_renderer_signals_nobody(places):
    code = "import os; print(refused(lambda: os.kill(os.getppid(), 0)))"

    assert attempt(CLOSE + code, *places) == "refused"


@needs_seccomp
def test_a_warm_renderer_starts_threads_but_no_process_and_no_program():
    code = """
import os, subprocess, threading
from worker.sandbox import landlock, seccomp

landlock.gain_nothing()
ready, go = threading.Event(), threading.Event()
said = []
def try_to(verb):
    try:
        verb()
        said.append("done")
    except OSError as error:
        said.append("refused")
def early():
    ready.set()
    go.wait()
    try_to(lambda: subprocess.run(["/bin/true"]))
thread = threading.Thread(target=early)
thread.start()
ready.wait()
seccomp.start_nothing()
go.set()
thread.join()
try_to(os.fork)
try_to(lambda: subprocess.run(["/bin/true"]))
try_to(lambda: os.execv("/bin/true", ["true"]))
late = threading.Thread(target=lambda: said.append("a thread"))
late.start()
late.join()
print(*said, sep="\\n")
"""
    assert attempt(code).splitlines() == ["refused"] * 4 + ["a thread"]


def test_a_farms_library_and_secrets_are_not_the_renderers_to_write(tmp_path):
    (tmp_path / "jobs" / "one").mkdir(parents=True)
    assert list(sandbox.folders_of(tmp_path)) == [tmp_path]
    (tmp_path / "jobs" / "one" / "spec.json").touch()

    assert list(sandbox.folders_of(tmp_path)) == [
        tmp_path / name for name in ("datasets", "jobs", "products")
    ]


def test_a_place_that_became_another_one_is_noticed(tmp_path):
    place = tmp_path / "storage"
    place.mkdir()
    walls = sandbox.Sandbox([place], None)
    walls.built = {place: sandbox.identity(place)}
    assert walls.misplaced is None

    place.rename(tmp_path / "before")
    assert walls.misplaced == place
    place.mkdir()
    assert walls.misplaced == place


@pytest.fixture
def without_landlock(monkeypatch):
    monkeypatch.setattr(landlock, "version", lambda: 0)


@pytest.mark.usefixtures("without_landlock")
def test_a_read_wall_that_cannot_be_built_is_said_once_or_refused(caplog):
    sandbox.check(load_settings())
    assert "may read wherever its user may" in caplog.text

    with pytest.raises(SetupError, match=r"FARM_READ_WALL=require: .* no Landlock"):
        sandbox.check(load_settings(read_wall="require"))


def test_a_read_wall_is_a_part_of_the_sandbox():
    assert not sandbox.has_read_wall(load_settings(sandbox="off"))
    assert not sandbox.has_read_wall(load_settings(read_wall="off"))
    with pytest.raises(SetupError, match="leave out FARM_SANDBOX=off"):
        sandbox.check(load_settings(sandbox="off", read_wall="require"))


def test_behind_the_read_wall_there_is_neither_storage_nor_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    monkeypatch.setattr("tempfile.tempdir", None)
    for name in ("temporary", "shared"):
        (tmp_path / name).mkdir()
    settings = load_settings(
        cache=tmp_path / "cache", storage=str(tmp_path / "storage"), device="cpu",
        scratch=tmp_path / "scratch", shared_storage=f"{tmp_path}/shared:",
    )  # fmt: skip

    walls = sandbox.sandbox_of(settings, tmp_path / "shared")

    assert walls.places == [tmp_path / "scratch", tmp_path / "temporary"]
    reads = [path for path in walls.reads if path.is_relative_to(tmp_path)]
    assert reads == [tmp_path / "shared", tmp_path / "shared"]
    assert not any(tmp_path.is_relative_to(path) for path in walls.reads)
    bucket = load_settings(storage="s3://bucket/farm", cache=tmp_path)
    assert sandbox.sandbox_of(bucket, tmp_path / "shared").ports == [6379], "the courier asks it"


@pytest.mark.usefixtures("without_landlock")
def test_what_is_lacking_is_said_once_or_refused(caplog):
    sandbox.check(load_settings(sandbox="auto"))
    assert "this system has no Landlock" in caplog.text

    with pytest.raises(SetupError, match=r"FARM_SANDBOX=require: .* no Landlock"):
        sandbox.check(load_settings(sandbox="require"))


def test_only_the_redis_of_a_farm_with_a_shared_folder_is_reached(tmp_path, monkeypatch):
    def ports(**given: str) -> list[int] | None:
        settings = load_settings(**{"cache": tmp_path, "storage": str(tmp_path)} | given)
        return sandbox.sandbox_of(settings).ports

    monkeypatch.setenv("FARM_REDIS_URL", "redis://:secret@10.0.0.1:7000/0")
    assert ports() == [7000]
    assert ports(storage="s3://bucket/farm") is None
