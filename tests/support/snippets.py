"""The Python in our pages, so that tests can run what users will copy."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def snippet(page: str, *, under: str) -> str:
    """Return the Python under a heading of a page."""
    _before, found, rest = (ROOT / page).read_text().partition(f"# {under}\n")
    assert found, f"{page} has no heading {under!r}"
    (code, *_more) = BLOCK.findall(re.split(r"^#+ ", rest, flags=re.MULTILINE)[0])
    return str(code)


def run_snippet(page: str, *, under: str, **names: object) -> dict[str, object]:
    """Run the Python under a heading with some names given; return all names in the end."""
    space = dict(names)
    exec(compile(snippet(page, under=under), f"{page}: {under}", "exec"), space)
    return space
