"""What `farm dataset stats` writes and shows."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from farm.cli.dataset.places import opened
from farm.cli.dataset.preview import beside, put
from farm.cli.dataset.progress import views_bar
from farm.cli.remote.farm_options import err_console, interruptible, out_console, print_json, say
from farm.dataset.parallel import usual_workers
from farm.dataset.preview.preview import DRAWING, title_of
from farm.dataset.records.assets import counted_roles
from farm.errors import SpecError, needing
from farm.spec.counted import counted


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
            data, pixel_views=pixels, workers=workers or usual_workers(), progress=advance
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
    for line in written:
        say(console, line)
