"""`farm assets`: models and HDRIs from the web; importing this loads nothing heavy."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, cast

import typer

from farm.errors import SpecError
from farm.spec.hint import none_of

if TYPE_CHECKING:
    from scraper.choosing.filters import Filter
    from scraper.choosing.search import Search
    from scraper.fetching.http_client import Clock

HELP = """Find, fetch and list models and HDR environments.

Start with:  farm assets scrape --type hdr --limit 5 -o hdrs.json

Then:  farm assets download hdrs.json
"""
EXIT_CODES = "Exit codes: 0 all, 1 some, 3 none, 2 the request is wrong, 130 stopped."

assets = typer.Typer(help=HELP, no_args_is_help=True)

Kind = Annotated[str, typer.Option("--type", "--asset-type", "-a", help="model or hdr.")]
SourceName = Annotated[str, typer.Option(help="blenderkit or polyhaven.")]
License = Annotated[
    str | None, typer.Option("--license", help="Only this licence: cc_zero, royalty_free.")
]
Resolution = Annotated[
    str | None,
    typer.Option(help="2K and so on, or original. (default: HDRIs 2K, models original)"),
]
Include = Annotated[
    list[str] | None,
    typer.Option(help="Only assets that match: tag:chair, category:table, faces<200k, size<50MB."),
]
Exclude = Annotated[list[str] | None, typer.Option(help="Leave out assets that match; same rules.")]
Json = Annotated[bool, typer.Option("--json", help="JSON on stdout, for programs.")]
Folder = Annotated[Path, typer.Option("--output", "-o", help="Folder of the assets.")]


@assets.command(epilog=EXIT_CODES)
def search(  # noqa: PLR0913 - one parameter per flag
    context: typer.Context,
    *,
    query: Annotated[str, typer.Option("--query", "-q", help="Words to look for.")] = "",
    kind: Kind = "model",
    limit: Annotated[int, typer.Option("--limit", "-l", min=1)] = 20,
    source: SourceName = "blenderkit",
    license: License = None,  # noqa: A002 - the flag's name
    include: Include = None,
    exclude: Exclude = None,
    resolution: Resolution = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Also write a list for `download`.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Show what a site has."""
    from scraper.catalog import Catalog
    from scraper.context import open_context
    from scraper.session import search as run

    complete = bool(output or as_json or include or exclude)
    wanted = _search(query, kind, source, license, _rules(include, exclude, license), resolution,
                     complete=complete)  # fmt: skip
    with open_context(Catalog(Path("downloads")), _clock(context)) as scraping:
        code = run(scraping, wanted, limit=limit, output=output, as_json=as_json)
    raise typer.Exit(code)


@assets.command(epilog=EXIT_CODES)
def scrape(  # noqa: PLR0913 - one parameter per flag
    context: typer.Context,
    *,
    kind: Kind = "model",
    query: Annotated[str, typer.Option("--query", "-q", help="Words to look for.")] = "",
    limit: Annotated[int, typer.Option("--limit", "-l", min=1)] = 100,
    output: Annotated[Path, typer.Option("--output", "-o", help="List to write.")] = Path(
        "scraped_assets.json"
    ),
    source: SourceName = "blenderkit",
    license: License = None,  # noqa: A002 - the flag's name
    include: Include = None,
    exclude: Exclude = None,
    resolution: Resolution = None,
    as_json: Json = False,
) -> None:
    """Write a list of what a site has, for `download`."""
    from scraper.catalog import Catalog
    from scraper.context import open_context
    from scraper.session import scrape as run

    wanted = _search(query, kind, source, license, _rules(include, exclude, license), resolution)
    with open_context(Catalog(Path("downloads")), _clock(context)) as scraping:
        code = run(scraping, wanted, limit=limit, output=output, as_json=as_json)
    raise typer.Exit(code)


@assets.command()
def info(
    lists: Annotated[list[Path] | None, typer.Argument(metavar="[LIST.json]...")] = None,
    *,
    input_: Annotated[list[Path] | None, typer.Option("--input", "-i", help="A list.")] = None,
    resolution: Resolution = None,
    as_json: Json = False,
) -> None:
    """Say what a list holds and what it would weigh."""
    from rich.console import Console

    from scraper.choosing.variants import parse_resolution
    from scraper.listing import read_lists
    from scraper.output import facts_of, print_json, show_info

    found, chosen = read_lists(_lists(lists, input_)), parse_resolution(resolution)
    if as_json:
        print_json(facts_of(found, chosen))
    else:
        show_info(found, chosen, Console(highlight=False))


@assets.command(epilog=EXIT_CODES)
def download(  # noqa: PLR0913 - one parameter per flag
    context: typer.Context,
    lists: Annotated[list[Path] | None, typer.Argument(metavar="[LIST.json]...")] = None,
    *,
    input_: Annotated[list[Path] | None, typer.Option("--input", "-i", help="A list.")] = None,
    output: Folder = Path("downloads"),
    max_size: Annotated[
        float | None, typer.Option("--max-size", "-m", min=0, help="Most MB of all files together.")
    ] = None,
    max_file_size: Annotated[
        float | None, typer.Option(min=0, help="Most MB of one asset.")
    ] = None,
    limit: Annotated[int | None, typer.Option("--limit", "-l", min=1, help="Assets.")] = None,
    resolution: Resolution = None,
    license: License = None,  # noqa: A002 - the flag's name
    include: Include = None,
    exclude: Exclude = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the plan, and stop.")] = False,
    as_json: Json = False,
) -> None:
    """Fetch the assets of a list: what is missing, whole, checked, one at a time.

    Files go to <output>/model/<id>.blend and <output>/hdr/<id>.exr or .hdr.

    A sidecar beside each says who made it, under which licence, and where it is from.
    """
    from scraper.catalog import Catalog
    from scraper.choosing.plan import MB, Limits, Planner
    from scraper.choosing.variants import parse_resolution
    from scraper.context import open_context
    from scraper.listing import read_lists
    from scraper.session import Manner
    from scraper.session import download as run

    found, catalog = read_lists(_lists(lists, input_)), Catalog(output, read_only=dry_run)
    limits = Limits(
        total_bytes=None if max_size is None else int(max_size * MB),
        file_bytes=None if max_file_size is None else int(max_file_size * MB),
        assets=limit,
    )
    with open_context(catalog, _clock(context)) as scraping:
        planner = Planner(
            catalog=catalog,
            complete=scraping.complete,
            wanted=_rules(include, exclude, license),
            resolution=parse_resolution(resolution),
            limits=limits,
        )
        code = run(scraping, found, planner, Manner(yes=yes, dry_run=dry_run, as_json=as_json))
    raise typer.Exit(code)


@assets.command("list", epilog=EXIT_CODES)
def list_(
    folder: Annotated[Path, typer.Argument(help="Folder of the assets.")] = Path("downloads"),
    *,
    check: Annotated[
        bool, typer.Option("--check", help="Compare every byte with the fetched files.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Show the assets of a folder, and whether they are whole."""
    from scraper.catalog import Catalog
    from scraper.session import list_folder

    raise typer.Exit(list_folder(Catalog(folder), check=check, as_json=as_json))


@assets.command("import", epilog=EXIT_CODES)
def import_(  # noqa: PLR0913 - one parameter per flag
    folder: Annotated[Path, typer.Argument(help="Folder with models and HDRIs.")],
    *,
    license: Annotated[  # noqa: A002 - the flag's name
        str, typer.Option("--license", help="Their licence, such as CC0-1.0 or CC-BY-4.0.")
    ],
    author: Annotated[str | None, typer.Option(help="Who made them.")] = None,
    source: Annotated[str | None, typer.Option(help="Where they are from.")] = None,
    url: Annotated[str | None, typer.Option(help="Page that says so.")] = None,
    output: Folder = Path("downloads"),
    as_json: Json = False,
) -> None:
    """Copy local models and HDRIs, with what they need, beside the fetched ones."""
    from rich.console import Console

    from farm.spec.asset import Credit
    from scraper.catalog import Catalog
    from scraper.session import import_folder

    if not folder.is_dir():
        raise SpecError(f"{folder}: is not a folder")
    credit = Credit(author=author, licence=license, source=source, url=url)
    console = Console(stderr=True, highlight=False)
    raise typer.Exit(
        import_folder(folder, Catalog(output), credit, as_json=as_json, console=console)
    )


def _clock(context: typer.Context) -> Clock:
    """Return the clock that the caller of the command has given, or the system's."""
    from scraper.fetching.http_client import SystemClock

    return cast("Clock", context.obj) if context.obj else SystemClock()


def _rules(include: list[str] | None, exclude: list[str] | None, license: str | None) -> Filter:  # noqa: A002
    from scraper.choosing.filters import make_filter

    return make_filter(include or [], exclude or [], license)


def _search(  # noqa: PLR0913 - the flags of two commands
    query: str,
    kind: str,
    source: str,
    license: str | None,  # noqa: A002
    wanted: Filter,
    resolution: str | None,
    *,
    complete: bool = True,
) -> Search:
    from scraper.choosing.search import Search
    from scraper.choosing.variants import parse_resolution
    from scraper.sources import Query

    if kind not in ("model", "hdr"):
        raise SpecError(f"type: {none_of(kind, ('model', 'hdr'))}")
    asked = Query(kind=cast("Literal['model', 'hdr']", kind), words=query, license=license)
    return Search(source, asked, wanted, parse_resolution(resolution), complete)


def _lists(lists: list[Path] | None, more: list[Path] | None) -> list[Path]:
    found = [*(lists or []), *(more or [])]
    if not found:
        raise SpecError("which list? make one with `farm assets scrape -o assets.json`")
    return found
