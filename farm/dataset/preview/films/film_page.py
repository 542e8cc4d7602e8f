"""The films of a dataset on one HTML page that plays them all; it lies beside their files."""

from __future__ import annotations

import os
from collections.abc import Iterable
from html import escape
from importlib.resources import files
from pathlib import Path
from string import Template
from urllib.parse import quote

from farm.dataset.preview.films.film import Film

TEMPLATE = "films.html"


def film_page(films: Iterable[Film], *, beside: Path, title: str, subtitle: str) -> str:
    """Return the page.

    Args:
        films: What it plays.
        beside: The folder that it will lie in: films are found from there.
        title: What a person calls the dataset.
        subtitle: What it holds.
    """
    template = files("farm.dataset.preview.films").joinpath(TEMPLATE).read_text(encoding="utf-8")
    return Template(template).substitute(
        title=escape(title),
        subtitle=escape(subtitle),
        films="\n".join(show(film, beside) for film in films),
    )


def show(film: Film, beside: Path) -> str:
    """Return what the page has of one film."""
    source = quote(Path(os.path.relpath(film.path, beside)).as_posix())
    width, height = film.size
    name = escape(film.sequence)
    looks = f'src="{source}" width="{width}" height="{height}"'
    if film.path.suffix == ".mp4":
        player = f"<video {looks} autoplay muted loop controls playsinline></video>"
    else:
        player = f'<img {looks} alt="{name}" loading="lazy">'
    caption = f"<figcaption><b>{name}</b><span>{escape(film.note)}</span></figcaption>"
    return f"<figure>{player}{caption}</figure>"
