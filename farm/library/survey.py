"""What is in scenes, asked of a process with Blender, which only the worker may import."""

from __future__ import annotations

import importlib.util
import os
import queue
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from platformdirs import user_cache_path
from pydantic import ValidationError

from farm.errors import SetupError
from farm.spec.asset import Asset
from farm.spec.base import Spec, digest
from farm.spec.scene_facts import SceneFacts

DOOR = "worker.attempt.survey"
"""Run as a program of its own: a scene may crash it."""
NEEDS = ("bpy", "worker")
LOOK = 3
"""Raised with each change of what is found in the same scene."""
WORDS = sorted(SceneFacts.model_fields)
START_S = 180.0
"""Longest time for Blender to start."""
SCENE_S = 300.0
"""Longest time for one scene."""
WORDS_KEPT = 20
"""Last lines that the process printed, in which a reason is looked for."""

Watch = Callable[[int, int, str], None]
"""Takes how many scenes are looked at, of how many, and the name of the next."""


class Question(Spec):
    """One scene to look into."""

    asset: Asset
    fps: float | None = None
    """Frames per second for files that state none, such as glTF; left out: 24."""


class Answer(Spec):
    """What was found in it."""

    facts: SceneFacts | None = None
    fault: str | None = None
    """Why nothing was."""
    alone: bool = False
    """The file's own bytes are all that was looked at."""


class _Silence(Exception):
    """The process ended, or does not answer; the text is the reason."""


def survey(
    assets: Sequence[Asset],
    *,
    fps: float | None = None,
    cache: Path | None = None,
    watch: Watch = lambda _done, _total, _name: None,
    scene_s: float = SCENE_S,
) -> tuple[Asset, ...]:
    """Return scenes with what is known of each; one that cannot be read says why in its facts.

    Args:
        assets: Scenes, at paths on this machine.
        fps: Frames per second of files that state none.
        cache: Folder that keeps what was found; left out: the user's own.
        watch: Follows the work.
        scene_s: Longest time for one scene.

    Raises:
        SetupError: There is no worker here to ask, or Blender does not start.
    """
    kept = _Kept(cache or user_cache_path("viewfarm", appauthor=False) / "scenes")
    found: list[Asset] = []
    with _Surveyor(scene_s) as surveyor:
        for done, asset in enumerate(assets):
            watch(done, len(assets), asset.name)
            question = Question(asset=asset, fps=fps)
            facts = kept.find(question) or _ask(surveyor, question, kept)
            found.append(asset.model_copy(update={"scene": facts}))
    return tuple(found)


def is_installed() -> bool:
    """Tell whether this machine can look into scenes."""
    return all(importlib.util.find_spec(name) for name in NEEDS)


def _ask(surveyor: _Surveyor, question: Question, kept: _Kept) -> SceneFacts:
    try:
        answer = surveyor.ask(question)
    except _Silence as silence:
        return unusable(str(silence))
    if answer.facts is None:
        return unusable(answer.fault or "nothing is known of it")
    if answer.alone or question.asset.dependencies:
        kept.keep(question, answer.facts)
    return answer.facts


def unusable(reason: str) -> SceneFacts:
    """Return what is known of a scene that cannot be read."""
    return SceneFacts(fps=24.0, frame_start=1, frame_end=1, refused=(reason,))


class _Surveyor:
    """A process that looks into one scene after another, and is started anew when it ends."""

    def __init__(self, scene_s: float) -> None:
        self._scene_s = scene_s
        self._process: _Process | None = None

    def __enter__(self) -> _Surveyor:
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()

    def ask(self, question: Question) -> Answer:
        """Ask about one scene.

        Raises:
            SetupError: There is no worker here to ask, or Blender does not start.
        """
        if self._process is None:
            self._process = _Process()
        try:
            return self._process.ask(question, wait_s=self._scene_s)
        except _Silence:
            self._stop()
            raise

    def _stop(self) -> None:
        if self._process is not None:
            self._process.stop()
            self._process = None


class _Process:
    """One run of the door, in a folder for temporary files of its own."""

    def __init__(self) -> None:
        if not is_installed():
            raise SetupError(
                "to look into scenes this machine needs Blender: pip install 'viewfarm[worker]' "
                "on Python 3.13"
            )
        self._folder = tempfile.TemporaryDirectory(prefix="viewfarm-survey-")
        self._process = subprocess.Popen(
            [sys.executable, "-m", DOOR],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | {"TMPDIR": self._folder.name},
        )
        self._lines: queue.Queue[str | None] = queue.Queue()
        self._words: list[str] = []
        self._threads = [
            threading.Thread(target=self._listen, daemon=True),
            threading.Thread(target=self._overhear, daemon=True),
        ]
        for thread in self._threads:
            thread.start()
        self._start()

    def _start(self) -> None:
        """Wait until Blender is there."""
        try:
            self._next_line(START_S)
        except _Silence as silence:
            self.stop()
            raise SetupError(f"scenes cannot be looked into here: {silence}") from None

    def ask(self, question: Question, *, wait_s: float) -> Answer:
        """Ask about one scene."""
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):  # whose reason the next line is
            self._process.stdin.write(question.model_dump_json() + "\n")
            self._process.stdin.flush()
        return Answer.model_validate_json(self._next_line(wait_s))

    def _next_line(self, wait_s: float) -> str:
        try:
            line = self._lines.get(timeout=wait_s)
        except queue.Empty:
            raise _Silence(f"Blender did not open it within {wait_s:g} s") from None
        if line is None:
            code = self._process.wait()
            raise _Silence(self._reason() or f"Blender ended with code {code} while it read it")
        return line

    def _reason(self) -> str | None:
        """Return what the process said of its end, if it did."""
        self._threads[1].join()
        told = [line for line in self._words if line.startswith("error: ")]
        return told[-1].removeprefix("error: ").strip() if told else None

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(line)
        self._lines.put(None)

    def _overhear(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            self._words = [*self._words[1 - WORDS_KEPT :], line]

    def stop(self) -> None:
        """End the process, and remove its files."""
        self._process.kill()
        self._process.wait()
        for thread in self._threads:
            thread.join()
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
            assert stream is not None
            with suppress(BrokenPipeError):
                stream.close()
        self._folder.cleanup()


class _Kept:
    """What was found before, by all that it depends on; a cache that fails does not know."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def find(self, question: Question) -> SceneFacts | None:
        """Return what was found before."""
        try:
            return SceneFacts.model_validate_json(self._file(question).read_bytes())
        except (OSError, ValidationError):
            return None

    def keep(self, question: Question, facts: SceneFacts) -> None:
        """Remember what was found."""
        file = self._file(question)
        partial = file.with_name(f"{file.name}.{os.getpid()}")
        with suppress(OSError):
            file.parent.mkdir(parents=True, exist_ok=True)
            partial.write_text(facts.model_dump_json())
            partial.replace(file)

    def _file(self, question: Question) -> Path:
        asset = question.asset
        suffix = Path(asset.name).suffix.lower()
        key = digest(LOOK, WORDS, asset.content, suffix, question.fps)
        return self._folder / f"{key}.json"
