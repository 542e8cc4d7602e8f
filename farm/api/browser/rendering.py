"""Pages as answers: templates, the headers that keep other sites out, scripts and styles."""

from __future__ import annotations

import hashlib
import mimetypes
from functools import cache
from importlib import resources
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.responses import Response

from farm.api.crew.words import by_state, crew_sentence, worker_words
from farm.api.problems import not_found
from farm.library import download_folder
from farm.spec.amounts import duration, file_size
from farm.tokens import moment

HEADERS = {
    "Content-Security-Policy": "default-src 'self'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'; object-src 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
A_YEAR = "public, max-age=31536000, immutable"
MEDIA_TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}


@cache
def environment() -> Environment:
    """Return the templates; all that they are given is escaped."""
    made = Environment(
        loader=PackageLoader("farm.api.browser", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "duration": duration,
        "file_size": file_size,
        "day": day,
        "download_folder": download_folder,
        "moment": moment,
    }
    made.filters |= {each.__name__: each for each in (by_state, crew_sentence, worker_words)}
    made.globals["static"] = static_url
    return made


def day(time_s: float) -> str:
    """Return a moment as a date, for where no script writes it in the reader's own time."""
    return moment(time_s).partition(" ")[0]


def page(name: str, *, status: int = 200, **given: Any) -> Response:
    """Return a page."""
    text = environment().get_template(f"{name}.html").render(given)
    headers = {**HEADERS, "Cache-Control": "no-store"}
    return Response(text, status, headers, "text/html; charset=utf-8")


@cache
def static_files() -> dict[str, bytes]:
    """Return the scripts and styles by name."""
    folder = resources.files("farm.api.browser") / "static"
    return {each.name: each.read_bytes() for each in folder.iterdir() if each.is_file()}


@cache
def static_version() -> str:
    """Return a hash of all scripts and styles: they name each other, so they change together."""
    found = hashlib.sha256()
    for name, data in sorted(static_files().items()):
        found.update(f"{name} {len(data)}\n".encode() + data)
    return found.hexdigest()[:16]


def static_url(name: str) -> str:
    """Return where a script or style is: another place where any of them is another one.

    Raises:
        KeyError: There is none of that name.
    """
    if name not in static_files():
        raise KeyError(name)
    return f"/static/{static_version()}/{name}"


def static_file(name: str, version: str = "") -> Response:
    """Return a script or style; only under the version that is served it may be kept.

    Raises:
        ApiProblem: There is none.
    """
    found = static_files().get(name)
    if found is None:
        raise not_found(f"file {name[:40]!r}", "load the page again")
    suffix = f".{name.rpartition('.')[2]}"
    kind = MEDIA_TYPES.get(suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"
    kept = A_YEAR if version == static_version() else "no-cache"
    tag = hashlib.sha256(found).hexdigest()[:16]
    headers = {"Cache-Control": kept, "ETag": f'"{tag}"', **HEADERS}
    return Response(found, 200, headers, kind)


def trouble(status: int, detail: str, remedy: str) -> Response:
    """Return the page of an error: what is wrong, and what helps."""
    return page("trouble", status=status, code=status, detail=detail, remedy=remedy)
