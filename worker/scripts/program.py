"""A user's script: read, started on a scene, and called for each view."""

from __future__ import annotations

import builtins
import importlib
import inspect
import logging
import random  # noqa: TID251  the script's own chance is seeded here
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from numpy.random import Generator
from pydantic import JsonValue

from farm.errors import ScriptError
from worker.scripts import btb
from worker.scripts.failures import failure, own_trace, remember
from worker.scripts.fields import as_fields, merged
from worker.scripts.ground import Ground
from worker.scripts.script_view import ScriptView
from worker.scripts.watching import WATCHES

log = logging.getLogger(__name__)

HOOKS = ("pre_frame", "frame", "post_frame")
"""Functions that are called for each view, in this order."""
MOST_BYTES = 4 << 20
"""Largest script."""
MAIN = "__main__"


@dataclass(frozen=True)
class Told:
    """What a script told of a view."""

    fields: dict[str, JsonValue]
    pictures: dict[str, str]
    """Names under which it published a picture, which is a pass of the farm's."""


class Program:
    """The code of one script, as it runs on one scene; a fresh one has no memory."""

    def __init__(self, path: Path, name: str, ground: Ground, beside: Iterable[Path] = ()) -> None:
        """Read a script.

        Args:
            path: Its file.
            name: What its user calls it.
            ground: The scene.
            beside: Modules of its user's own that it may import; they are read anew.

        Raises:
            ScriptError: It cannot be read, or is not Python.
        """
        self.name = name
        self.ground = ground
        self._path = path
        forget_modules(beside)
        self._code = compiled(path, name)
        self._module = ModuleType(MAIN)
        self._module.__file__ = str(path)
        self._drop_in = btb.DropIn(ground)

    def start(self, params: dict[str, JsonValue], *, seed: int) -> None:
        """Run the script's own lines, then its `setup`.

        Raises:
            ScriptError: It fails.
        """
        seed_all(seed)
        self._drop_in.begin(seed=seed)
        with self._running("its lines"):
            exec(self._code, self._module.__dict__)
        setup = self._function("setup")
        if setup is not None:
            with self._running("setup"):
                setup(*fitting(setup, (self.ground.scene, dict(params)), self.name, "setup"))
            self.ground.update()
        if not (setup or self._drop_in.plays or any(map(self._function, HOOKS))):
            raise ScriptError(
                f"{self.name}: it has no function frame(scene, view, rng), so that all views would "
                "be the same: write one, or setup(scene, params)"
            )

    @property
    def frame_range(self) -> tuple[int, int] | None:
        """First and last frame of the episodes that the script itself asks for, if it does."""
        return self._drop_in.frame_range

    def before(self, view: ScriptView, rng: Generator, *, last: bool) -> dict[str, JsonValue]:
        """Call what is to be called before the scene goes to the view's frame; return fields.

        Args:
            view: The view.
            rng: The script's chance in it.
            last: It is the last one of its episode.

        Raises:
            ScriptError: The script fails.
        """
        self._drop_in.turn_to(view, last=last)
        with self._running("pre_frame"):
            self._drop_in.before()
        return self._call("pre_frame", view, rng)

    def after(self, view: ScriptView, rng: Generator) -> Told:
        """Call what is to be called in the view's frame; return what the script tells of it.

        Raises:
            ScriptError: The script fails.
        """
        parts = [self._call("frame", view, rng)]
        self.ground.update()
        parts.append(self._call("post_frame", view, rng))
        with self._running("post_frame"):
            self._drop_in.after()
        published = self._drop_in.published()
        pictures = {
            name: value.mode for name, value in published.items() if isinstance(value, btb.Picture)
        }
        rest = {name: value for name, value in published.items() if name not in pictures}
        parts.append(as_fields(rest, by=f"{self.name}, publish"))
        self.ground.update()
        return Told(merged(parts, by=self.name), pictures)

    def _call(self, hook: str, view: ScriptView, rng: Generator) -> dict[str, JsonValue]:
        function = self._function(hook)
        if function is None:
            return {}
        with self._running(hook):
            given = fitting(function, (self.ground.scene, view, rng), self.name, hook)
            returned = function(*given)
        return as_fields(returned, by=f"{self.name}, {hook}")

    def _function(self, name: str) -> Callable[..., object] | None:
        found = self._module.__dict__.get(name)
        return found if callable(found) else None

    @contextmanager
    def _running(self, what: str) -> Iterator[None]:
        """Let the user's code run; turn whatever comes out of it into a sentence."""
        WATCHES[-1].begins(what)
        try:
            with self.ground.on_stage(), as_main(self._module), self._drop_in.importable():
                yield
        except BaseException as error:  # noqa: BLE001  the door: it is a stranger's code
            log.error("%s", own_trace(self.name, error))  # noqa: TRY400  the user's lines alone
            raise failure(self.name, error) from None
        finally:
            WATCHES[-1].ends()


def compiled(path: Path, name: str) -> Any:
    """Return the code of a script.

    Raises:
        ScriptError: It cannot be read, or is not Python.
    """
    try:
        data = path.read_bytes()
        if len(data) > MOST_BYTES:
            raise ScriptError(f"{name}: has more than {MOST_BYTES >> 20} MB: it is not a script")
        text = data.decode("utf-8-sig")
        remember(name, text)
        return compile(text, name, "exec", dont_inherit=True)
    except OSError as error:
        raise ScriptError(f"{name}: cannot be read: {error.strerror}") from error
    except (SyntaxError, ValueError) as error:  # bytes that are no text, too
        raise failure(name, error) from None


def fitting(
    function: Callable[..., object], given: tuple[object, ...], name: str, hook: str
) -> tuple[object, ...]:
    """Return as many of the arguments as a function takes, from the first one.

    Raises:
        ScriptError: It takes more.
    """
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):  # of something that only seems to be a function
        return given
    if any(each.kind is each.VAR_POSITIONAL for each in parameters):
        return given
    places = [each for each in parameters if each.kind in (
        each.POSITIONAL_ONLY, each.POSITIONAL_OR_KEYWORD
    )]  # fmt: skip
    needed = [each for each in places if each.default is each.empty]
    if len(needed) > len(given):
        words = {"setup": "scene, params"}.get(hook, "scene, view, rng")
        raise ScriptError(
            f"{name}: {hook} takes {len(needed)} arguments, and is given {len(given)}: "
            f"write it as {hook}({words})"
        )
    return given[: len(places)]


def rng_of(*words: int) -> Generator:
    """Return a source of chance that hangs on some numbers alone."""
    return np.random.default_rng(list(words))


def seed_all(seed: int, *words: int) -> None:
    """Seed what scripts draw from without asking: `random`, and numpy's own."""
    [state] = np.random.SeedSequence([seed, *words]).generate_state(1)
    random.seed(int(state))
    np.random.seed(int(state))  # noqa: NPY002  scripts use it


@contextmanager
def as_main(module: ModuleType) -> Iterator[None]:
    """Let a module be the program that runs, as some libraries look for it."""
    before, home = sys.modules.get(MAIN), str(Path(module.__file__ or "").parent)
    sys.modules[MAIN] = module
    sys.path.insert(0, home)
    module.__dict__.setdefault("__builtins__", builtins)
    try:
        yield
    finally:
        with suppress(ValueError):  # the script may have taken it out
            sys.path.remove(home)
        if before is not None:
            sys.modules[MAIN] = before


def forget_modules(files: Iterable[Path]) -> None:
    """Let modules be imported anew: what they hold is of another run."""
    gone = {str(file) for file in files}
    for name, module in tuple(sys.modules.items()):
        if getattr(module, "__file__", None) in gone:
            del sys.modules[name]
    importlib.invalidate_caches()
