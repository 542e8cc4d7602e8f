"""`farm` in this process, its parser built once for many runs."""

from __future__ import annotations

import sys
from typing import Any

import pytest
import typer.main

from farm.cli import main as cli


def build() -> Any:
    """Return the whole command, as `farm` makes it at each start."""
    return typer.main.get_command(cli.make_app())


def run(monkeypatch: pytest.MonkeyPatch, command: Any, arguments: list[str]) -> int:
    """Run `farm ...` through its own door and return the exit code."""
    monkeypatch.setattr(cli, "make_app", lambda: command)
    monkeypatch.setattr(sys, "argv", ["farm", *arguments])
    try:
        cli.main()
    except SystemExit as ended:
        return int(ended.code or 0)
    raise AssertionError("the command did not end as a command does")
