"""Which frames a script is played through to get to a view."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path

import pytest

from farm.errors import ScriptError
from farm.spec.camera import SceneCamera
from farm.spec.recipes.script import Setup, View
from worker.scripts.failures import own_trace
from worker.scripts.player import Player, timing_of
from worker.scripts.program import Program
from worker.scripts.watching import WATCHES


class Stage:
    """A scene without Blender, which writes down what is done with it."""

    resolution_px = (64, 48)

    def __init__(self) -> None:
        self.scene = self
        self.objects: list[object] = []
        self.calls: list[str] = []

    def on_stage(self):
        return nullcontext()

    def keep_time(self, first: int, last: int) -> None:
        self.calls.append(f"{first}-{last}")

    def go_to(self, frame: int) -> None:
        self.calls.append(f"go {frame}")

    def update(self):
        return self

    def camera_record(self):
        raise AssertionError


TELL = """
def frame(scene, view, rng):
    scene.calls.append(f"frame {view.episode}.{view.step}")
    return {"index": view.index, "drawn": rng.random()}
"""


def a_view(place: int, length: int | None = None) -> View:
    episode, step = divmod(place, length or 1)
    return View(index=place, name=f"v{place}", camera=SceneCamera(), seed=0, episode=episode,
                step=step, frame=step if length else None)  # fmt: skip


def a_player(folder: Path, setup: Setup, text: str = TELL) -> tuple[Player, Stage]:
    (folder / "x.py").write_text(text)
    stage = Stage()
    program = Program(folder / "x.py", "x.py", stage)
    program.start({}, seed=0)
    return Player(program, stage, setup), stage


def test_views_on_their_own_are_played_alone(tmp_path):
    player, stage = a_player(tmp_path, Setup())

    for place in (3, 4, 1):
        player.show(a_view(place))

    assert stage.calls == ["frame 3.0", "frame 4.0", "frame 1.0"]


def test_an_episode_is_played_from_its_beginning_and_never_twice(tmp_path):
    player, stage = a_player(tmp_path, Setup(episode=4, first_frame=10))

    player.show(a_view(6, 4))
    player.show(a_view(7, 4))

    assert stage.calls == [
        "10-13", "go 10", "frame 1.0", "go 11", "frame 1.1", "go 12", "frame 1.2", "go 13",
        "frame 1.3",
    ]  # fmt: skip


def test_frames_between_views_are_played_too(tmp_path):
    player, stage = a_player(tmp_path, Setup(episode=2, first_frame=0, frame_step=3))

    player.show(a_view(1, 2))

    assert stage.calls == ["0-3", "go 0", "frame 0.0", "go 1", "go 2", "go 3", "frame 0.1"]


def test_a_step_is_the_same_however_it_is_reached(tmp_path):
    setup = Setup(episode=3, seed=7)
    alone = a_player(tmp_path, setup)[0].show(a_view(4, 3))
    player = a_player(tmp_path, setup)[0]
    run = [player.show(a_view(place, 3)) for place in range(6)]

    assert run[4] == alone
    assert len({told.fields["drawn"] for told in run}) == 6
    assert [told.fields["index"] for told in run] == list(range(6))


@pytest.mark.parametrize(
    ("setup", "asked", "expected"),
    [
        (Setup(), None, (1, 1, None)),
        (Setup(), (0, 100), (0, 1, 101)),
        (Setup(frame_step=5), (0, 100), (0, 5, 21)),
        (Setup(episode=10), (0, 100), (0, 1, 10)),
        (Setup(episode=10, first_frame=7), None, (7, 1, 10)),
    ],
)
def test_the_spec_has_the_last_word_on_how_long_episodes_are(setup, asked, expected):
    timing = timing_of(setup, asked)

    assert (timing.first_frame, timing.frame_step, timing.length) == expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("def frame(a, b, c, d):\n    pass\n", "frame takes 4 arguments, and is given 3"),
        ("def setup(a, b, c):\n    pass\ndef frame():\n    pass\n", "setup takes 3 arguments"),
        (
            "def frame(scene):\n    raise SystemExit\n",
            "x.py, line 2, in frame: raise SystemExit: it",
        ),
        ("def frame(scene):\n    raise KeyboardInterrupt\n", "KeyboardInterrupt"),
        (
            "raise ValueError('two\\nlines')\n",
            "x.py, line 1: raise ValueError('two\\nlines'): Value",
        ),
        ("\0", "x.py: "),
    ],
)
def test_what_goes_wrong_is_a_sentence(tmp_path, text, words):
    with pytest.raises(ScriptError) as caught:
        a_player(tmp_path, Setup(), text)[0].show(a_view(0))

    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_no_text_is_a_sentence(tmp_path):
    (tmp_path / "x.py").write_bytes(b"\xff\xfe\x00")

    with pytest.raises(ScriptError, match=r"x\.py: "):
        Program(tmp_path / "x.py", "x.py", Stage())


def test_whoever_counts_the_time_hears_of_each_call(tmp_path):
    heard = []

    class Ear:
        def begins(self, what):
            heard.append(what)

        def ends(self):
            heard.append(".")

    WATCHES.append(Ear())
    try:
        a_player(tmp_path, Setup())[0].show(a_view(0))
    finally:
        WATCHES.pop()

    assert heard.count(".") == len(heard) / 2
    assert heard[0] == "its lines"
    assert "frame" in heard


def test_a_traceback_begins_with_the_users_own_lines():
    try:
        exec(compile("def f():\n    1 / 0\nf()\n", "x.py", "exec"), {})
    except ZeroDivisionError as error:
        told = own_trace("x.py", error)

    assert told.splitlines()[1] == '  File "x.py", line 3, in <module>'
    assert "test_player" not in told
