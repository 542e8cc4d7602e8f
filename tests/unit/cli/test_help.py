"""What `--help` says of every flag."""

import re
from collections.abc import Iterator

import typer

from farm.cli.main import make_app


def commands(command, name: str = "farm") -> Iterator[tuple[str, object]]:
    yield name, command
    for inner in getattr(command, "commands", {}).values():
        yield from commands(inner, f"{name} {inner.name}")


def test_no_help_loses_words_to_markup():
    """Rich takes `[env: X]` for a style, and prints nothing."""
    texts = {
        f"{name} {parameter.name}": parameter.help
        for name, command in commands(typer.main.get_command(make_app()))
        for parameter in command.params
        if getattr(parameter, "help", None)
    }

    assert len(texts) > 50
    assert [name for name, text in texts.items() if re.search(r"\[[a-z]", text)] == []
