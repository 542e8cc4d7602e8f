"""What a script may not do, in the process in which the farm runs it."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from farm import expand
from farm.errors import AssetError, Interrupted, RenderError, ScriptError, StaleAttempt, TaskError
from farm.settings import load_settings
from farm.spec.asset import AssetFile
from farm.storage import FolderStorage
from tests.support.blender.scripted import a_script_job, records, script_asset
from tests.support.blender.shots import OurLease
from tests.support.waiting import wait_for
from worker.sandbox import landlock, seccomp
from worker.sealed.renderer import SealedRenderer

pytestmark = pytest.mark.skipif(
    not (landlock.version() and seccomp.offered()), reason="this system has no Landlock"
)
SECRET = "redis://:s3cret@127.0.0.1:6399/0"


@pytest.fixture
def sealed(tmp_path):
    """A renderer of scripts with a storage, and what it was rendered with."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    renderers = []

    def start(**settings: object) -> SealedRenderer:
        renderer = SealedRenderer(
            load_settings(
                redis_url=SECRET, storage=str(tmp_path / "storage"), scratch=scratch, device="cpu",
                threads=1, cache=tmp_path / "cache", **({"read_wall": "off"} | settings),
            )
        )  # fmt: skip
        renderers.append(renderer)
        return renderer

    (tmp_path / "storage").mkdir()
    yield start
    for renderer in renderers:
        renderer.close()
    assert not list(scratch.iterdir())


def run(renderer: SealedRenderer, folder: Path, text: str, *, lease=None, **recipe: object):
    """Render a script; return the fields of its first view."""
    home = folder / "home"
    home.mkdir(exist_ok=True)
    job = a_script_job(script_asset(home, text), views=recipe.pop("views", 1), **recipe)
    [task] = expand.expand(job)
    renderer(task, attempt=1, worker="here", lease=lease or OurLease())
    return records(FolderStorage(folder / "storage"), [task])[0].fields


PROBES = """
import ctypes, os, signal, socket, subprocess, sys, threading
from pathlib import Path

def outcome(verb):
    try:
        verb()
        return "done"
    except BaseException as error:
        return type(error).__name__

def fork():
    pid = os.fork()
    if not pid:
        os.kill(os.getpid(), 9)

def raw(number, *arguments):
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.syscall(number, *arguments) < 0:
        raise OSError(ctypes.get_errno(), "refused")

def frame(scene, view, rng):
    outside = Path(view.params["outside"])
    tried = {
        "tcp": lambda: socket.create_connection(("127.0.0.1", view.params["port"]), timeout=1),
        "udp": lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM),
        "unix": lambda: socket.socket(socket.AF_UNIX),
        "io_uring": lambda: raw(425, 8, ctypes.create_string_buffer(120)),
        "fork": fork,
        "program": lambda: subprocess.run(["/bin/true"]),
        "users": lambda: open("/etc/passwd").read(),
        "hosts": lambda: open("/etc/hosts").read(),
        "read outside": lambda: (outside / "secret.txt").read_text(),
        "list outside": lambda: os.listdir(outside),
        "write outside": lambda: (outside / "new.txt").write_text("x"),
        "write beside": lambda: Path(__file__).with_name("new.txt").write_text("x"),
        "change itself": lambda: Path(__file__).write_text("x"),
        "write own": lambda: Path(os.environ["TMPDIR"], "mine").write_text("x"),
        "kill parent": lambda: os.kill(os.getppid(), signal.SIGTERM),
        "stop parent": lambda: raw(424, os.getppid(), 19, 0, 0),
        "parent's memory": lambda: open(f"/proc/{os.getppid()}/mem", "rb").read(1),
        "parent's words": lambda: open(f"/proc/{os.getppid()}/cmdline").read(),
        "outlive": lambda: raw(157, 1, 0, 0, 0, 0),
        "itself": lambda: Path(__file__).read_text(),
        "thread": lambda: threading.Thread(target=print).start(),
        "limits": lambda: __import__("resource").getrlimit(0),
    }
    found = {name: outcome(verb) for name, verb in tried.items()}
    found["secret"] = str("s3cret" in str(dict(os.environ)))
    found["environ"] = str(b"s3cret" in open("/proc/self/environ", "rb").read())
    found["fds"] = sorted(
        os.readlink(f"/proc/self/fd/{fd}").split(":")[0]
        for fd in os.listdir("/proc/self/fd") if os.path.exists(f"/proc/self/fd/{fd}")
    )
    return {name: value for name, value in found.items()}
"""
MAY = {"write own", "itself", "thread", "limits"}


def test_a_script_reaches_nothing_but_its_own(sealed, tmp_path, monkeypatch):
    import socket

    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.txt").write_text("secret")
    monkeypatch.setenv("FARM_REDIS_URL", SECRET)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s3cret")
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        params = {"outside": str(outside), "port": port}
        found = run(sealed(), tmp_path, PROBES, params=params)

    done = {name for name, outcome in found.items() if outcome == "done"}
    assert done == MAY
    assert found["secret"] == found["environ"] == "False"
    assert not any(place.startswith(str(tmp_path / "storage")) for place in found["fds"])
    assert not list(outside.glob("new*"))
    assert [each.name for each in (tmp_path / "home").iterdir()] == ["cubes.py"]


def test_a_script_that_ends_its_process_is_told(sealed, tmp_path):
    text = "def frame(scene, view, rng):\n    import ctypes\n    ctypes.CDLL(None)._exit(7)\n"

    with pytest.raises(ScriptError, match=r"cubes.py: it has ended Blender in frame \(exit code 7"):
        run(sealed(), tmp_path, text)


def test_a_script_whose_process_dies_is_worth_another_attempt(sealed, tmp_path):
    text = "def frame(scene, view, rng):\n    import ctypes\n    ctypes.string_at(0)\n"

    with pytest.raises(
        TaskError, match=r"cubes.py: the process that ran it died in frame: SIG"
    ) as it:
        run(sealed(), tmp_path, text)

    assert it.value.cause == "killed"


def test_a_script_that_never_returns_is_ended(sealed, tmp_path):
    text = "def frame(scene, view, rng):\n    while True:\n        pass\n"

    with pytest.raises(ScriptError, match=r"cubes.py: frame has not returned after 5 s"):
        run(sealed(script_timeout_s=5.0), tmp_path, text)


LOUD = """
import os, sys
print("begun")
def frame(scene, view, rng):
    print("told of", view.name)
    print("also this", file=sys.stderr)
    os.write(2, b"and this\\n")
    helper()

def helper():
    raise ValueError("no such luck")
"""


def test_what_a_script_prints_is_in_the_log_and_its_own_lines_of_a_failure(
    sealed, tmp_path, caplog
):
    with caplog.at_level(logging.INFO), pytest.raises(ScriptError) as caught:
        run(sealed(), tmp_path, LOUD)

    assert str(caught.value) == (
        'cubes.py, line 11, in helper: raise ValueError("no such luck"): ValueError: no such luck'
    )
    wait_for(lambda: "ValueError: no such luck" in caplog.text, "its last line is logged")
    for words in ("begun", "told of view_000000", "also this", "and this"):
        assert f"cubes.py: {words}" in caplog.text
    assert 'cubes.py:   File "cubes.py", line 8, in frame' in caplog.text
    assert "program.py" not in caplog.text


STAIN = """
import bpy, sys, random
def setup(scene, params):
    if params["stain"]:
        random.seed = lambda *_: None
        sys.modules["numpy"].random.seed = lambda *_: None
        bpy.ops._op_create_function = None
    scene["clean"] = callable(bpy.ops._op_create_function)
def frame(scene, view, rng):
    return {"pid": __import__("os").getpid(), "a": random.random(), "clean": scene["clean"]}
"""


def test_a_process_serves_one_job_and_no_other(sealed, tmp_path):
    """What a script has done to its process, no other job meets."""
    renderer = sealed()

    first = [run(renderer, tmp_path, STAIN, params={"stain": True}, seed=seed) for seed in (1, 1)]
    other = run(renderer, tmp_path, STAIN, params={"stain": False}, seed=1)

    assert first[0]["pid"] == first[1]["pid"] != other["pid"]
    assert other["clean"] is True


GREEDY = """
import json, os
from multiprocessing.connection import Connection

def ask(*words, data=b""):
    for fd in range(3, 4096):  # those of whoever started it may come first
        try:
            if not os.readlink(f"/proc/self/fd/{fd}").startswith("socket"):
                continue
        except OSError:
            continue
        numbers.append(fd)
    line = Connection(os.dup(numbers[-1]))
    line.send_bytes(json.dumps(list(words)).encode())
    line.send_bytes(data)
    told = json.loads(line.recv_bytes())
    line.recv_bytes()
    return told

numbers = []
def frame(scene, view, rng):
    asked = {
        "put elsewhere": ("put", "vases/images/other.png"),
        "put a record of another task": ("put", "vases/.records/other.jsonl"),
        "read elsewhere": ("get", "auth/token.json"),
        "size elsewhere": ("size", "auth/token.json"),
        "list": ("keys", ""),
        "count": ("views_found", 1000),
        "hold": ("hold", {}),
        "own": ("size", "vases/images/view_000000.png"),
    }
    return {name: str(ask(*words)) for name, words in asked.items()}
"""


def test_a_script_that_speaks_to_the_farm_itself_gets_no_more_than_its_task(sealed, tmp_path):
    storage = FolderStorage(tmp_path / "storage")
    (tmp_path / "storage").mkdir(exist_ok=True)
    storage.put("auth/token.json", b"secret")

    told = run(sealed(), tmp_path, GREEDY)

    assert told.pop("own") == "{'value': None}"
    for answer in told.values():
        assert answer.startswith("{'error': ['TaskError', ")
    assert storage.get("vases/images/other.png") is None


class LostLease(OurLease):
    """A task that somebody else has now."""

    def confirm(self) -> None:
        raise StaleAttempt("attempt 1 is no longer wanted")


def test_what_the_farm_refuses_is_told_as_the_farm_said_it(sealed, tmp_path):
    with pytest.raises(StaleAttempt, match="attempt 1 is no longer wanted"):
        run(sealed(), tmp_path, "def frame(scene):\n    pass\n", lease=LostLease())


def test_without_walls_no_script_is_run(sealed, tmp_path):
    with pytest.raises(RenderError, match="scripts run behind walls or not at all"):
        run(sealed(sandbox="off"), tmp_path, "def frame(scene):\n    pass\n")


class StoppedLease(OurLease):
    """A worker that is told to stop after its first view has begun."""

    def __init__(self) -> None:
        self.asked = 0

    def confirm(self) -> None:
        self.asked += 1
        if self.asked > 1:
            raise Interrupted("this worker stops")


def test_a_script_that_does_not_return_keeps_no_worker_from_stopping(sealed, tmp_path):
    text = "def frame(scene, view, rng):\n    while True:\n        pass\n"

    with pytest.raises(Interrupted, match="this worker stops"):
        run(sealed(), tmp_path, text, lease=StoppedLease())


@pytest.mark.parametrize("how", ["elsewhere", "by a link", "a module above"])
def test_what_lies_outside_of_the_shared_folders_is_not_read_for_a_farm(sealed, tmp_path, how):
    """Neither a script, nor what it is linked to, nor a module of it."""
    shared, secret = tmp_path / "shared", tmp_path / "secret.py"
    (shared / "folder").mkdir(parents=True)
    secret.write_text("def frame(scene):\n    pass\n")
    own = shared / "folder" / "own.py"
    own.write_text("def frame(scene):\n    pass\n")
    asset = script_asset(shared / "folder", own.read_text(), "own.py")
    if how == "elsewhere":
        asset = asset.model_copy(update={"path": str(secret)})
    elif how == "by a link":
        own.unlink()
        own.symlink_to(secret)
    else:
        file = AssetFile(path="../../secret.py", sha256="ab" * 32, size_bytes=1)
        asset = asset.model_copy(update={"dependencies": (file,)})
    [task] = expand.expand(a_script_job(asset, views=1))

    with pytest.raises(AssetError, match="may not be read by this worker's renderer"):
        sealed(read_wall="auto", shared_storage=str(shared))(
            task, attempt=1, worker="here", lease=OurLease()
        )


def test_no_module_is_copied_to_where_its_path_leads_out(sealed, tmp_path):
    home = tmp_path / "home" / "inner"
    home.mkdir(parents=True)
    (tmp_path / "home" / "up.py").write_text("x = 1\n")
    file = AssetFile(path="../up.py", sha256="ab" * 32, size_bytes=1)
    asset = script_asset(home, "def frame(scene):\n    pass\n")
    [task] = expand.expand(
        a_script_job(asset.model_copy(update={"dependencies": (file,)}), views=1)
    )

    with pytest.raises(AssetError, match="does not lie beside the script"):
        sealed()(task, attempt=1, worker="here", lease=OurLease())
    assert not (tmp_path / "scratch" / "up.py").exists()
