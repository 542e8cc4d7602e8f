"""A Blender that writes scenes for tests: a process of its own, kept from one scene to the next."""

from __future__ import annotations

import atexit
import json
import subprocess
import sys
from functools import cache

MARK = "written: "
SERVE = f"""\
import json, sys, traceback
for line in sys.stdin:
    script, *sys.argv[1:] = json.loads(line)
    fault = ""
    try:
        exec(script, {{"__name__": "__main__"}})
    except BaseException:
        fault = traceback.format_exc()
    print("\\n{MARK}" + json.dumps(fault), flush=True)
"""


def write_by(script: str, *arguments: object) -> None:
    """Run a script that begins with Blender's empty scene, as `python -c SCRIPT ARGUMENTS`."""
    process = _writer()
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(json.dumps([script, *map(str, arguments)]) + "\n")
    process.stdin.flush()
    told = next((line for line in process.stdout if line.startswith(MARK)), f'{MARK}"it died"')
    fault = json.loads(told.removeprefix(MARK))
    assert not fault, fault


@cache
def _writer() -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", SERVE],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    atexit.register(_end, process)
    return process


def _end(process: subprocess.Popen[str]) -> None:
    with process:
        process.kill()
