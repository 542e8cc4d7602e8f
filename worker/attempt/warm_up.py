"""`python -m worker.attempt.warm_up`: open the renderer, which must render the known frame.

With `whole`, it renders what scenes rarely use, too: each is a kernel, or a program of OptiX, of
its own.
"""

from __future__ import annotations

import logging
import os
import sys
import threading

from farm.errors import FarmError
from farm.settings import load_settings
from worker.attempt.celery_task import open_renderer
from worker.attempt.renderer import BlenderRenderer
from worker.sandbox import sandbox
from worker.sandbox.rlimits import confine

FAILED = 3
WHOLE = "whole"


def main() -> int:
    """Return 0 where this machine renders what it should; else say why not."""
    threading.Thread(target=end_with_parent, daemon=True).start()
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    confine()
    try:
        settings = load_settings()
        sandbox.check(settings)
        renderer = open_renderer(settings)
        if WHOLE in sys.argv[1:] and isinstance(renderer, BlenderRenderer):
            render_rare(renderer)
    except FarmError as error:
        sys.stderr.write(f"error: {error}\n")
        return FAILED
    return 0


def render_rare(renderer: BlenderRenderer) -> None:
    """Render a scene with what few scenes use.

    Raises:
        DeviceError: The device cannot.
    """
    from worker.render.self_test import prove_rare

    prove_rare(renderer.session)


def end_with_parent() -> None:
    """End this process when the other end of its standard input is closed."""
    sys.stdin.buffer.read()
    os._exit(FAILED)


if __name__ == "__main__":
    code = main()
    sys.stderr.flush()
    os._exit(code)  # the renderer's own way out may crash, which would say nothing
