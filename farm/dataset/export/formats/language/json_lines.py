"""Files of JSON lines."""

from __future__ import annotations

import json
from collections.abc import Iterable

from farm.dataset.export.formats.language.sentences import Entry
from farm.dataset.export.output_folder import OutputFolder


def put_json_lines(outbox: OutputFolder, path: str, entries: Iterable[Entry]) -> str:
    """Write a line for each entry; return the file's path."""
    with outbox.open(path) as file:
        for entry in entries:
            file.write(f"{json.dumps(entry, ensure_ascii=False)}\n".encode())
    return path
