"""`farm dataset`: what to do with a dataset once its views are rendered."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from farm.cli.dataset.export import HELP, export
from farm.cli.remote.farm_options import Every, Json, Yes, out_console, print_json, say

DatasetPlace = Annotated[
    str,
    typer.Argument(
        metavar="PATH", help="A dataset, or a folder of several; also s3://bucket/prefix."
    ),
]

Workers = Annotated[
    int | None,
    typer.Option(min=1, max=256, help="Views to process at a time. (default: one per core)"),
]

ReadPlace = Annotated[
    str,
    typer.Argument(
        metavar="PATH",
        help="A dataset, or a folder of several; also s3://bucket/prefix or farm:JOB.",
    ),
]

dataset = typer.Typer(
    help="Verify, preview, count, split, merge and export datasets.", no_args_is_help=True
)


@dataset.command()
def verify(  # noqa: PLR0913  an option each
    places: Annotated[
        list[str],
        typer.Argument(metavar="PATH...", help="Datasets, or folders that hold several."),
    ],
    *,
    workers: Workers = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit with 1 for notes as well.")
    ] = False,
    broken: Annotated[
        Path | None, typer.Option(help="Write the files to delete here, one per line.")
    ] = None,
    every: Every = False,
    json: Json = False,
) -> None:
    """Check every file and record: is each one complete and as it was recorded?

    Sentences about views are proven again: the program of each is run on what index, depth and
    albedo show, and must hit exactly its targets. Exit code 1: something is wrong. What may be
    intended is a note. Nothing is changed: delete the broken files, and the same farm render
    renders them again.

    Example:  farm dataset verify datasets --broken broken.txt
    """
    from farm.cli.dataset.verify import verify_places

    wrong, notes = verify_places(places, workers=workers, broken=broken, json=json, every=every)
    if wrong or (strict and notes):
        raise typer.Exit(1)


@dataset.command()
def preview(  # noqa: PLR0913  an option each
    place: ReadPlace,
    *,
    view: Annotated[
        str | None, typer.Option(help="Show all passes of this view, side by side.")
    ] = None,
    html: Annotated[
        bool, typer.Option("--html", help="Write one HTML page to browse; it needs no network.")
    ] = False,
    views: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=10_000,
            help="Number of views to show, of a sheet up to 200; a page has them to leaf through. "
            "(default: 24; on a page, 48)",
        ),
    ] = None,
    sequence: Annotated[
        list[str] | None,
        typer.Option(help="Of sequences, only this one; can be given several times."),
    ] = None,
    frames: Annotated[
        int | None,
        typer.Option(
            min=1, help="Frames in the film of a sequence; of longer ones every nth. (default: 300)"
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            help="File to write, of sequences a folder. (default: PATH/preview.jpg or .html; "
            "NAME.png here; PATH/SEQUENCE/preview.mp4)"
        ),
    ] = None,
    every: Every = False,
) -> None:
    """Draw a contact sheet, one view's passes side by side, a page, or a film of each sequence.

    Labels are coloured for people: near is red, far is blue; boxes and keypoints are drawn over
    the picture. Views are chosen so that every model and HDRI appears. Films show picture, depth,
    normals, index and flow side by side, as MP4 (animated WebP without the extra `video`); --html
    adds a page that plays them.

    Example:  farm dataset preview datasets --html
    """
    from farm.cli.dataset.preview import write_preview

    written = write_preview(
        place, view=view, html=html, views=views, sequences=sequence or (), frames=frames, out=out,
        every=every,
    )  # fmt: skip
    for line in written.splitlines():
        say(out_console(), line)


@dataset.command()
def trace(
    place: DatasetPlace,
    *,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Picture to write, with a .json of all spans beside it. (default: PATH/trace.png)"
        ),
    ] = None,
    every: Every = False,
    json: Json = False,
) -> None:
    """Show where the time of its tasks went: a table, a flame picture, a file for Perfetto.

    Of tasks that were rendered with --trace: their workers take down what each thread did when, by
    stage and view, in traces/ of the dataset. The views are the same with and without.

    Example:  farm render chairs.yaml --trace && farm dataset trace datasets
    """
    from farm.cli.dataset.trace import write_trace

    write_trace(place, out, json=json, every=every)


@dataset.command()
def stats(  # noqa: PLR0913  an option each
    place: ReadPlace,
    *,
    out: Annotated[
        Path | None,
        typer.Option(help="Picture to write, with a .json beside it. (default: PATH/stats.png)"),
    ] = None,
    pixels: Annotated[
        int,
        typer.Option(
            min=0, help="Number of views, evenly spread, whose pixels are read; 0 for none."
        ),
    ] = 2000,
    workers: Workers = None,
    every: Every = False,
    json: Json = False,
) -> None:
    """Draw what a dataset covers: cameras on the dome, sizes, places, brightness, edges.

    All views are counted; only brightness, edges and the places of masks need their pixels.

    Example:  farm dataset stats datasets --out coverage.png
    """
    from farm.cli.dataset.stats import write_stats

    write_stats(place, out, pixels=pixels, workers=workers, json=json, every=every)


@dataset.command()
def split(  # noqa: PLR0913  an option each
    place: DatasetPlace,
    *,
    train: Annotated[float, typer.Option(min=0, max=1, help="Share for training.")] = 0.8,
    val: Annotated[float, typer.Option(min=0, max=1, help="Share for validation.")] = 0.1,
    test: Annotated[float, typer.Option(min=0, max=1, help="Share for testing.")] = 0.1,
    by: Annotated[
        str,
        typer.Option(
            help="What must not be in two splits: group (what shows the same things), a kind "
            "of asset such as model or hdr, a role of assets such as models, or view."
        ),
    ] = "group",
    hold_out: Annotated[
        list[str] | None,
        typer.Option(
            help='A colour and a noun, such as "red mug", that only the test shows and names '
            "together; can be given several times."
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Another seed gives other splits.")] = 0,
    fresh: Annotated[bool, typer.Option("--fresh", help="Replace existing splits.")] = False,
    every: Every = False,
    json: Json = False,
) -> None:
    """Split views for training and testing, so that nothing is in two splits.

    Writes splits/train.txt, val.txt, test.txt and splits.json into PATH. The same seed gives the
    same splits. After rendering more, the same command leaves each group in its split.
    Other existing splits are replaced only with --fresh, or when you agree.
    In Python: farm.dataset.open(PATH, split="train").

    With --hold-out, groups of which a view shows such a thing, or has a sentence that names one,
    go to the test; all others are split as ever.

    Example:  farm dataset split datasets --train 0.7 --val 0.15 --test 0.15 --seed 7
    """
    from farm.cli.dataset.split import print_splits, split_place

    shares = {"train": train, "val": val, "test": test}
    summary = split_place(
        place, shares, by=by, seed=seed, fresh=fresh, every=every, hold_out=hold_out or ()
    )
    if json:
        print_json(summary)
    else:
        print_splits(summary)


@dataset.command()
def pairs(
    place: DatasetPlace,
    *,
    neighbours: Annotated[
        int, typer.Option(min=1, max=1000, help="Views that go together with each.")
    ] = 10,
    out: Annotated[
        Path | None,
        typer.Option(help="File to write: .txt, or .json with names. (default: PATH/pair.txt)"),
    ] = None,
    every: Every = False,
) -> None:
    """Tell for multi-view stereo which views go together: for each, those nearest by.

    Near is by the angle between two cameras, at the middle of what they see. Only views of the same
    things under the same environment go together. pair.txt is that of MVSNet: the number of views,
    then of each its id, and ids and scores (180 minus the angle) of its neighbours. Ids are places
    in views.jsonl, from 0.

    Example:  farm dataset pairs datasets/chair_studio --neighbours 10
    """
    from farm.cli.dataset.pairs import write_pairs

    for line in write_pairs(place, count=neighbours, out=out, every=every):
        say(out_console(), line)


@dataset.command()
def merge(  # noqa: PLR0913  an option each
    places: Annotated[
        list[str], typer.Argument(metavar="PATH...", help="Datasets, or folders that hold several.")
    ],
    *,
    out: Annotated[Path, typer.Option(help="Folder of the merged dataset.")],
    prefix: Annotated[
        bool,
        typer.Option("--prefix", help="Put each dataset's name before the names of its views."),
    ] = False,
    copy: Annotated[
        bool, typer.Option("--copy", help="Copy files instead of linking them.")
    ] = False,
    every: Every = False,
    json: Json = False,
) -> None:
    """Combine datasets into one: files are linked where possible, else copied.

    Views with the same name and the same files count once. Run the same command again to resume;
    with more datasets, it adds them. A linked file is the same file on disk: changing its bytes in
    place changes both datasets.

    Example:  farm dataset merge chairs lamps --out furniture
    """
    from farm.cli.dataset.merge import merge_places

    merge_places(places, out, prefix=prefix, link=not copy, json=json, every=every)


@dataset.command()
def upgrade(place: DatasetPlace, *, json: Json = False) -> None:
    """Rewrite the records of an older release in this one's format; pictures are not touched.

    All commands read older records; this is for scripts that read views.jsonl themselves.

    Example:  farm dataset upgrade datasets
    """
    from farm.cli.dataset.upgrade import upgrade_place

    upgrade_place(place, json=json)


@dataset.command(name="drop-passes")
def drop_passes(
    place: DatasetPlace,
    passes: Annotated[
        str, typer.Argument(metavar="PASSES", help="Passes, such as depth,normal,index.")
    ],
    *,
    yes: Yes = False,
    json: Json = False,
) -> None:
    """Remove passes from a dataset: from its records, then their files.

    farm add-passes brings labels back. The farm render that made the dataset renders views again
    of which it wants a pass that is gone.

    Example:  farm dataset drop-passes datasets normal,index
    """
    from farm.cli.dataset.drop_passes import drop_from_place

    drop_from_place(place, passes, yes=yes, json=json)


@dataset.command()
def paraphrase(
    place: DatasetPlace,
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help='Lines such as {"text": "Pick up the red mug.", "paraphrase": "Grab the mug that '
            'is red."}; "view" may name the only view that one is for.',
        ),
    ],
    *,
    refused: Annotated[
        Path | None, typer.Option(help="Write those that are not kept here, with reasons.")
    ] = None,
    json: Json = False,
) -> None:
    """Add other words for the sentences of views, as a language model may have written them.

    Each is read back, and kept only where it means exactly what the sentence means. It is marked
    as a paraphrase in the records, and has phrases of its own. The same command again adds none
    twice.

    Example:  farm dataset paraphrase tabletop paraphrases.jsonl --refused refused.jsonl
    """
    from farm.cli.dataset.paraphrase import paraphrase_place

    paraphrase_place(place, file, refused=refused, json=json)


dataset.command(help=HELP)(export)
