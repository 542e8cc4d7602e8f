"""Whatever is typed after `farm`: one of the documented exit codes, and never a traceback."""

from __future__ import annotations

import os
import subprocess
import sys

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fuzz.command import build, run
from tests.fuzz.effort import fuzz
from tests.fuzz.strange import WORDS

CODES = {0, 1, 2, 3, 130}
SAFE = tuple(
    word
    for word in (
        *WORDS,
        "x.yaml",
        "m.blend",
        "last",
        "cpu",
        "cuda:99",
        "optix:x",
        "64x64",
        "--",
        "-",
    )
    if "\0" not in word and not word.startswith(("/", "~", "..")) and "\ud800" not in word
)
"""What a shell can hand over, and what names nothing outside the folder of the test."""
ENDLESS = {"up", "api", "dispatcher", "flower", "worker", "watch"}
"""Commands that go on until they are told to stop: only their arguments are of interest."""


@pytest.fixture(scope="module")
def farm():
    return build()


@pytest.fixture
def nowhere(tmp_path, monkeypatch):
    """A user without a farm, in an empty folder."""
    folder = tmp_path / "a" / "b"
    folder.mkdir(parents=True)
    monkeypatch.chdir(folder)
    for name in [name for name in os.environ if name.startswith("FARM_")]:
        monkeypatch.delenv(name)
    for name in ("HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.setenv("FARM_REDIS_URL", "redis://127.0.0.1:1/0")
    for name in ("BLENDERKIT_SERVER", "POLYHAVEN_SERVER"):  # no test reaches a real one
        monkeypatch.setenv(name, "http://127.0.0.1:9")


def paths(command: click.Command, *before: str) -> list[tuple[str, ...]]:
    """Return the names of all commands."""
    if not isinstance(command, click.Group):
        return [before]
    return [
        path for name, inner in command.commands.items() for path in paths(inner, *before, name)
    ]


def find(command: click.Command, path: tuple[str, ...]) -> click.Command:
    for name in path:
        assert isinstance(command, click.Group)
        command = command.commands[name]
    return command


def arguments(draw: st.DrawFn, command: click.Command) -> list[str]:
    """Options of the command itself, and words where it takes none."""
    names = [name for each in command.params for name in each.opts if name.startswith("-")]
    word = st.sampled_from(SAFE)
    pieces = st.one_of(
        st.tuples(st.sampled_from(names or ["--x"]), word),
        st.tuples(st.sampled_from([*names, "--no-such-thing", "--help"])),
        st.tuples(word),
    )
    return [part for piece in draw(st.lists(pieces, max_size=4)) for part in piece]


@pytest.mark.slow
@fuzz(4)
@given(data=st.data())
def test_any_arguments_end_in_a_documented_way(farm, monkeypatch, capsys, nowhere, data):
    path = data.draw(st.sampled_from(paths(farm)))
    typed = data.draw(st.composite(arguments)(find(farm, path)))
    if ENDLESS & set(path):
        typed.append("--no-such-thing")

    code = run(monkeypatch, farm, [*path, *typed])

    captured = capsys.readouterr()
    assert code in CODES
    assert "Traceback" not in captured.out + captured.err
    assert code != 2 or (captured.err + captured.out).strip()


@pytest.mark.parametrize(
    "typed",
    [
        [],
        ["--help"],
        ["render", b"caf\xe9.blend", "--hdrs", "x"],
        ["render", "--models", b"\xff.blend", "--hdrs", "h.exr", "--dry-run"],
        ["submit", "--models", "m", "--hdrs", "h", "--priority", "NaN"],
        ["status", "\x1b[2J"],
    ],
    ids=str,
)
def test_the_command_itself_ends_in_a_documented_way(nowhere, typed):
    done = subprocess.run(
        [sys.executable, "-m", "farm", *typed], capture_output=True, timeout=250, check=False
    )

    assert done.returncode in CODES
    assert b"Traceback" not in done.stdout + done.stderr
    assert b"\x1b[2J" not in done.stdout + done.stderr
