"""Scripts as a user runs them: one command, the examples, a failure, a farm of one's own."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

import farm.dataset
from farm.stream import Stream
from tests.e2e.conftest import family
from tests.e2e.conftest import farm as run
from tests.e2e.test_render import is_alive
from tests.support.waiting import wait_for
from worker.sandbox import landlock, seccomp

pytestmark = pytest.mark.skipif(
    not (landlock.version() and seccomp.offered()), reason="this system has no Landlock"
)
EXAMPLES = Path(__file__).parents[2] / "examples"
SMALL = ("--resolution", 64, "--samples", 2, "--device", "cpu")
TALL = """
def frame(scene, view, rng):
    print("size", view.params["size"])
    scene.objects["Cube"].scale.z = view.params["size"]
    return {"size": view.params["size"]}
"""


def rendered(folder: Path):
    return [view.record for view in farm.dataset.open(folder)]


def test_a_script_and_a_number_of_views_make_a_dataset_that_goes_on(tmp_path):
    (tmp_path / "tall.py").write_text(TALL)
    asked = ("render", "--recipe", "script", "--script", tmp_path / "tall.py", "--output", tmp_path,
             "--dataset-name", "tall", "--params", "size=2", *SMALL)  # fmt: skip

    first = run(*asked, "--views", 2)
    more = run(*asked, "--views", 4)

    assert first.returncode == more.returncode == 0, first.stderr + more.stderr
    assert "4 of 4 views complete: 2 rendered" in more.stderr
    assert [record.fields["size"] for record in rendered(tmp_path / "tall")] == [2] * 4
    log = tmp_path / "script.log"
    assert f"what the script printed is in {log}" in more.stderr.replace("\n", " ")
    assert "size 2" in log.read_text()
    assert run("dataset", "verify", tmp_path / "tall").returncode == 0


@pytest.mark.parametrize(
    ("name", "flags"),
    [
        ("cube", ("--views", 2)),
        ("falling_cubes", ("--views", 4, "--episode", 2, "--params", "cubes=2")),
    ],
)
def test_examples_are_one_command(tmp_path, name, flags):
    done = run("render", EXAMPLES / name / f"{name}.yaml", "--output", tmp_path, *flags, *SMALL)

    assert done.returncode == 0, done.stderr
    records = rendered(tmp_path / name)
    assert len(records) == flags[1]
    assert all(record.fields["xy"] for record in records)
    assert [asset.role for asset in records[0].assets] == ["script"]


def test_a_failure_is_one_sentence_with_the_users_line(tmp_path):
    (tmp_path / "bad.py").write_text("def frame(scene, view, rng):\n    return 1 / 0\n")

    asked = ("--recipe", "script", "--script", tmp_path / "bad.py", "--output", tmp_path)
    done = run("render", *asked, "--views", 2, *SMALL)

    assert done.returncode == 1
    told = "bad.py, line 2, in frame: return 1 / 0: ZeroDivisionError: division by zero"
    assert told in done.stderr.replace("\n", " ")
    assert "worker/" not in done.stderr
    assert 'File "bad.py", line 2, in frame' in (tmp_path / "script.log").read_text()


def test_help_names_the_flags_and_a_plan_counts_the_views(tmp_path):
    (tmp_path / "tall.py").write_text(TALL)

    told = run("render", "--recipe", "script", "--help").stdout
    plan = run("render", "--recipe", "script", "--script", tmp_path / "tall.py", "--views", 25,
               "--output", tmp_path, "--dry-run", *SMALL)  # fmt: skip

    for flag in ("--scene", "--script", "--views", "--params", "--episode", "--camera"):
        assert flag in told
    assert "Undefined" not in told
    assert plan.returncode == 0, plan.stderr
    counted = dict(line.split(maxsplit=1) for line in plan.stdout.splitlines() if " " in line)
    assert counted["views"].startswith("25 ")
    assert (counted["tasks"], counted["scripts"]) == ("3", "1")
    assert [path.name for path in tmp_path.iterdir()] == ["tall.py"]


def test_views_of_a_script_are_streamed_with_what_it_returned(tmp_path):
    (tmp_path / "tall.py").write_text(TALL)
    spec = {
        "script": str(tmp_path / "tall.py"),
        "recipe": {"kind": "script", "views": 4, "params": {"size": 1.0}},
        "render": {"resolution": 64, "samples": 1},
        "passes": ["index"],
    }

    with Stream(spec, device="cpu", duplex=True, length=2, queue=2) as stream:
        stream.send([{"size": 0.5}, {"size": 2.0}], ids=["low", "high"])
        seen = {view.sent_id: (view["size"], view["index"]) for view in stream}

    assert {name: float(size) for name, (size, _) in seen.items()} == {"low": 0.5, "high": 2.0}
    assert (seen["high"][1] > 0).sum() > 1.3 * (seen["low"][1] > 0).sum()


def test_a_run_that_is_stopped_leaves_no_script_behind(tmp_path, start_farm):
    (tmp_path / "hang.py").write_text(
        "def frame(scene, view, rng):\n    print('waiting')\n    while True:\n        pass\n"
    )
    asked = ("--recipe", "script", "--script", tmp_path / "hang.py", "--output", tmp_path)
    running = start_farm("render", *asked, "--views", 2, *SMALL)
    log = tmp_path / "script.log"
    wait_for(lambda: log.exists() and "waiting" in log.read_text(), "the script runs")
    started = family(running.pid)
    assert any("worker.sealed.process" in each.cmdline() for each in started)

    running.send_signal(signal.SIGINT)
    running.communicate()

    assert running.returncode == 130
    wait_for(lambda: not [each for each in started if is_alive(each)], "all of it is gone")


def test_modules_beside_a_script_come_along_and_count(tmp_path):
    (tmp_path / "main.py").write_text(
        "from helper import size\n\ndef frame(scene, view, rng):\n    return {'size': size()}\n"
    )
    asked = ("render", "--recipe", "script", "--script", tmp_path / "main.py", "--views", 1,
             "--output", tmp_path, *SMALL)  # fmt: skip
    sizes = []
    for size in (1, 2):
        (tmp_path / "helper.py").write_text(f"def size():\n    return {size}\n")
        done = run(*asked, "--dataset-name", f"of{size}")
        assert done.returncode == 0, done.stderr
        [record] = rendered(tmp_path / f"of{size}")
        sizes.append((record.fields["size"], record.view_id))

    assert [size for size, _ in sizes] == [1, 2]
    assert sizes[0][1] != sizes[1][1]
    assert [file.path for file in record.assets[0].dependencies] == ["helper.py"]
