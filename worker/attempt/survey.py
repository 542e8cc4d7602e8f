"""`python -m worker.attempt.survey`: look into scenes, one line of JSON asked, one answered."""

from __future__ import annotations

import logging
import os
import sys
import tempfile
from pathlib import Path
from typing import IO, TYPE_CHECKING

from farm.errors import AssetError, FarmError, SetupError
from farm.library.survey import Answer, Question
from farm.settings import Settings, load_settings
from worker.sandbox import blank_environment, sandbox
from worker.sandbox.rlimits import confine
from worker.sandbox.sandbox import Sandbox

if TYPE_CHECKING:  # bpy is imported behind the walls, not by whoever imports this
    from worker.blender.session import BlenderSession

FAILED = 3


def main() -> int:
    """Answer until nothing is asked any more; return 0, or say why nothing can be answered."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # Blender prints what it likes
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    confine()
    try:
        session = open_session(load_settings())
    except FarmError as error:
        sys.stderr.write(f"error: {error}\n")
        return FAILED
    write(answers, "ready")
    for line in sys.stdin:
        found = answer(session, Question.model_validate_json(line))
        write(answers, found.model_dump_json())
    return 0


def open_session(settings: Settings) -> BlenderSession:
    """Open a Blender that writes nowhere but in the system's folder for temporary files.

    Raises:
        SetupError: There are no walls, and the settings require them.
    """
    folder = Path(tempfile.gettempdir())
    close_off(settings, folder)
    from worker.blender.session import BlenderSession

    session = BlenderSession("cpu", folder, threads=settings.threads)
    sandbox.start_nothing_more(settings)
    return session


def close_off(settings: Settings, folder: Path) -> None:
    """Put this process behind walls, with no port to reach anything.

    Raises:
        SetupError: There are none, and the settings require them.
    """
    if settings.sandbox == "off":
        return
    blank_environment.blank()
    try:
        Sandbox([folder], ports=[]).close()
    except OSError as error:
        if settings.sandbox == "require":
            raise SetupError(f"FARM_SANDBOX=require: no sandbox: {error.strerror}") from error


def answer(session: BlenderSession, question: Question) -> Answer:
    """Look into one scene."""
    try:
        found = session.survey(question.asset, fps=question.fps)
    except AssetError as error:
        return Answer(fault=error.reason)
    return Answer(facts=found.facts, alone=found.alone)


def write(answers: IO[str], line: str) -> None:
    """Answer with one line."""
    answers.write(f"{line}\n")
    answers.flush()


if __name__ == "__main__":
    code = main()
    sys.stderr.flush()
    os._exit(code)  # Blender's own way out may crash, which would say nothing
