"""Sentences per second that are written and proven, on one core.

    python -m bench.expressions [--views 300] [--per-view 12]

Views are laid out by chance: 8 to 12 things of 2 to 5 kinds, some in several colours. The time is
that from what is seen of a view to its finished sentences. Baseline, in the same run: the time
that it takes to prove these very sentences, and nothing else, by running the program of each from
its first step on a plain two-valued interpreter, which loops over the things of the view, once for
a strict reader and once for a generous one. Times are those of the processor, so that other work
on the machine does not count.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeVar

import numpy as np

from farm.expressions.generate import expressions_of
from farm.expressions.lexicon import Lexicon
from farm.expressions.parse import read
from farm.expressions.seen import SeenScene
from farm.spec.expression import Expression, ExpressionRules
from tests.support.plain_programs import Reader
from tests.support.seen_scenes import drawn_view

T = TypeVar("T")
WANTED_PER_S = 2000


class Said(NamedTuple):
    """A view and its sentences."""

    view: SeenScene
    expressions: tuple[Expression, ...]


def main() -> None:
    """Measure, and say what was found."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--views", type=int, default=300)
    parser.add_argument("--per-view", type=int, default=12)
    options = parser.parse_args()
    views = [view_of(seed) for seed in range(options.views)]
    rules = ExpressionRules(per_view=options.per_view)
    written(views[:20], rules)  # what all views share is made once
    said, wrote_s = timed(lambda: written(views, rules))
    wrong, plain_s = timed(lambda: proven_plainly(said))
    strange, read_s = timed(lambda: read_back(said))
    report(said, wrote_s, plain_s, read_s)
    print(f"false for the plain interpreter: {wrong}; not read back: {strange}")
    raise SystemExit(1 if wrong or strange else 0)


def view_of(seed: int) -> SeenScene:
    """Return a view as the recipe's scenes show them."""
    rng = np.random.default_rng(seed)
    return drawn_view(rng, int(rng.integers(8, 13)), int(rng.integers(2, 6)))


def timed(work: Callable[[], T]) -> tuple[T, float]:
    """Return what some work results in, and the processor's seconds that it took."""
    start = time.process_time()
    return work(), time.process_time() - start


def written(views: Sequence[SeenScene], rules: ExpressionRules) -> list[Said]:
    """Write the sentences of views."""
    return [
        Said(view, expressions_of(view, rules, np.random.default_rng(seed)))
        for seed, view in enumerate(views)
    ]


def proven_plainly(said: Sequence[Said]) -> int:
    """Prove sentences by plain interpreters; return how many are false."""
    wrong = 0
    for view, expressions in said:
        readers = (Reader(view, generous=True), Reader(view, generous=False, margin=0.2))
        for each in expressions:
            meant = frozenset(each.targets)
            wrong += any(reader.reads(each.program) != meant for reader in readers)
    return wrong


def read_back(said: Sequence[Said]) -> int:
    """Read sentences back; return how many are read as something else."""
    strange = 0
    for view, expressions in said:
        lexicon = Lexicon([each.words for each in view.objects if each.words])
        for each in expressions:
            reading = read(each.text, lexicon)
            strange += reading.program != each.program
    return strange


def report(said: Sequence[Said], wrote_s: float, plain_s: float, read_s: float) -> None:
    """Say how many sentences there are, and how long they took."""
    every = [each for _view, expressions in said for each in expressions]
    count = len(every)
    print(f"{count:,} sentences about {len(said):,} views")
    print(f"  kinds   {told(Counter(each.kind for each in every))}")
    print(f"  levels  {told(Counter(str(each.level) for each in sorted(every, key=level)))}")
    print(f"written and proven: {count / wrote_s:,.0f} a second (wanted: {WANTED_PER_S:,})")
    print(f"proven alone, plainly: {count / plain_s:,.0f} a second")
    print(f"  writing and proving takes {wrote_s / plain_s:.2f} of the time of that")
    print(f"read back: {count / read_s:,.0f} a second")


def level(expression: Expression) -> int:
    """Return how hard a sentence is."""
    return expression.level


def told(counts: Counter[str]) -> str:
    """Return counts in a line."""
    return ", ".join(f"{name} {count:,}" for name, count in counts.items())


if __name__ == "__main__":
    main()
