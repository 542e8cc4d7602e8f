"""What `farm dataset paraphrase` shows."""

from __future__ import annotations

from pathlib import Path

from farm.cli.dataset.progress import views_bar
from farm.cli.remote.farm_options import err_console, interruptible, out_console, print_json, say
from farm.dataset.edits.paraphrase import Paraphrased, paraphrase, read_paraphrases
from farm.dataset.reader import open_dataset
from farm.errors import SpecError
from farm.expressions.paraphrases import Refusal
from farm.spec.counted import counted

TOLD: dict[Refusal, str] = {
    "unread": "not understood",
    "other meaning": "mean something else",
    "other number": "speak of another number of things",
    "said before": "there already",
    "no sentence": "no sentences",
}


def paraphrase_place(place: str, file: Path, *, refused: Path | None, json: bool) -> None:
    """Add paraphrases, with a bar for people, and say what was kept and what was not, and why."""
    lines = read_paraphrases(file)
    data = open_dataset(place)
    bar = views_bar(err_console(), f"reading {place}", total=len(data))
    with interruptible("stopped; run the same command again to resume"), bar as advance:
        done = paraphrase(data, lines, progress=advance)
    if refused:
        write_refused(refused, done)
    if json:
        print_json(
            {
                "views": done.views, "rewritten": done.rewritten, "kept": done.kept,
                "refused": done.reasons, "unknown": len(done.unknown),
            }
        )  # fmt: skip
        return
    tell(place, done)


def tell(place: str, done: Paraphrased) -> None:
    """Say what was done, with an example of each reason to refuse."""
    console = out_console()
    views = f"{counted(done.views, 'view')}, {done.rewritten} rewritten"
    say(
        console,
        f"{place}: {views}; {counted(done.kept, 'paraphrase')} kept, {len(done.refused)} not",
    )
    for why, count in done.reasons.items():
        first = next(each for each in done.refused if each.why == why)
        say(console, f'  {count} {TOLD[why]}: "{first.paraphrase}" {first.reason}')
    if done.unknown:
        unknown = counted(len(done.unknown), "sentence")
        say(console, f'  {unknown} of the file in no view: "{done.unknown[0]}"')


def write_refused(path: Path, done: Paraphrased) -> None:
    """Write what was refused, a line of JSON each."""
    text = "".join(each.model_dump_json() + "\n" for each in done.refused)
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise SpecError(f"{path}: cannot be written: {error.strerror}") from error
