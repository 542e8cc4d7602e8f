"""What `farm dataset stats` writes and shows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from farm.cli.dataset.places import opened
from farm.cli.dataset.preview import beside, put
from farm.cli.dataset.progress import views_bar
from farm.cli.remote.farm_options import err_console, interruptible, out_console, print_json, say
from farm.client.text import printable
from farm.dataset.parallel import usual_workers
from farm.dataset.preview.preview import DRAWING, title_of
from farm.dataset.records.assets import counted_roles
from farm.errors import SpecError, needing
from farm.spec.counted import counted

if TYPE_CHECKING:
    from farm.dataset.stats.sentences import SentenceStats

MOST_ROWS, NAME_WIDTH = 12, 14
"""Of the table of sentences."""


def write_stats(  # noqa: PLR0913  an option each
    place: str,
    out: Path | None,
    *,
    pixels: int,
    workers: int | None,
    json: bool,
    every: bool = False,
) -> None:
    """Count, draw, write the picture and the numbers, and say where they are."""
    with needing(*DRAWING):
        from farm.dataset.stats.chart import draw_stats
        from farm.dataset.stats.gather import gather_stats
    if out is not None and out.suffix.lower() != ".png":
        raise SpecError(f"--out {out}: the picture is a PNG; give a name that ends in .png")
    data = opened(place, every=every)
    if not len(data):
        raise SpecError(f"{place}: has no views yet: there is nothing to count")
    bar = views_bar(err_console(), f"counting {place}", total=len(data))
    with interruptible("stopped: nothing was written"), bar as advance:
        stats = gather_stats(
            data,
            pixel_views=pixels,
            workers=workers or usual_workers(),
            processes=True,
            progress=advance,
        )
    roles = counted_roles(Counter(asset.role for asset in stats.assets).items())
    facts = "  ·  ".join([counted(stats.views, "view"), *roles])
    read = f"  ·  the pixels of {counted(stats.pixel_views, 'view')} were read"
    picture = draw_stats(stats, title=title_of(data), subtitle=facts + read)
    path = out or beside(data, "stats.png")
    numbers = stats.model_dump_json(indent=2).encode()
    written = [put(picture, path), put(numbers, path.with_suffix(".json"))]
    if json:
        print_json(stats)
        return
    console = out_console()
    say(console, facts + read)
    if stats.ill_lit:
        say(console, stats.ill_lit_told)
    if stats.sentences:
        say(console, "")
        console.print(sentences_table(stats.sentences))
        for line in sentence_facts(stats.sentences):
            say(console, line)
        say(console, "")
    for line in written:
        say(console, line)


def sentences_table(stats: SentenceStats) -> Table:
    """Return what sentences say most often, side by side, on 80 columns."""
    columns = {
        "KIND": stats.kinds,
        "LEVEL": stats.levels,
        "NOUN": stats.nouns,
        "COLOUR": stats.colours,
    }
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for heading in columns:
        table.add_column(heading, max_width=NAME_WIDTH, no_wrap=True, overflow="ellipsis")
        table.add_column("", justify="right", no_wrap=True)
    shown = [list(counts.items())[:MOST_ROWS] for counts in columns.values()]
    for row in range(max(map(len, shown))):
        cells: list[Text] = []
        for counts in shown:
            name, count = counts[row] if row < len(counts) else ("", 0)
            cells += (Text(printable(name, limit=None)), Text(f"{count:,}" if name else ""))
        table.add_row(*cells)
    return table


def sentence_facts(stats: SentenceStats) -> Iterator[str]:
    """Yield lines on sentences that no table has."""
    from farm.dataset.stats.sentences import average, summed_up

    yield summed_up(stats)
    means = [f"{average(stats.per_view):.1f} of a view", f"{average(stats.length):.1f} words long"]
    if stats.target_share.mean is not None:
        means.append(f"targets take {stats.target_share.mean:.2%} of the picture")
        means.append(f"{average(stats.rivals):.1f} rivals")
    yield "on average " + ", ".join(means)
    longest = max(map(len, (stats.kinds, stats.nouns, stats.colours)))
    if longest > MOST_ROWS:
        yield f"the table has the first {MOST_ROWS}; the files have all"
