"""Which sentences a view gets."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

import numpy as np

from farm.expressions.chance import Chance, Style
from farm.expressions.choices import Choices
from farm.expressions.descriptions import Descriptions
from farm.expressions.grammar import Sentence, sentence
from farm.expressions.levels import level_of, rivals_of
from farm.expressions.meaning import Thing, canonical, program_of
from farm.expressions.negatives import Edits, mates
from farm.expressions.programs import run
from farm.expressions.seen import SeenScene
from farm.expressions.turns import in_turn
from farm.expressions.world import Known, World, members
from farm.spec.expression import Expression, ExpressionKind, ExpressionRules, Phrase, Step

REFUSED = 100
"""Meanings of a kind that are looked at one after the other and not said, because a level was not
asked for or they were said before, until there is taken to be none left."""


def expressions_of(
    scene: SeenScene, rules: ExpressionRules, rng: np.random.Generator
) -> tuple[Expression, ...]:
    """Return sentences about a view, each proven on it; the same ones for the same `rng`.

    No two of them mean the same. Their kinds are as even as the view allows, and of each
    kind those come first whose targets few others have.
    """
    return Speaker(scene, rules, Chance(rng)).all() if rules.per_view else ()


class Claim(NamedTuple):
    """A meaning that was proven on the view."""

    thing: Thing
    kind: ExpressionKind
    program: tuple[Step, ...]
    targets: int
    rivals: int
    level: int
    style: Style


class Speaker:
    """Says what can be said of one view."""

    def __init__(self, scene: SeenScene, rules: ExpressionRules, chance: Chance) -> None:
        self._rules = rules
        self._chance = chance
        self._world = World(scene)
        self._told = Descriptions(self._world)
        self._meanings: dict[Thing, Known] = {}
        self._said: set[tuple[Step, ...]] = set()
        self._texts: set[str] = set()

    def all(self) -> tuple[Expression, ...]:
        """Return all sentences of the view, in an order drawn by chance."""
        if not self._told.named:
            return ()
        wanted, negatives = self._shares()
        claims = self._claims(wanted or negatives)
        true = [made for claim in claims[:wanted] if (made := self._true(claim))]
        if wanted and len(true) < wanted:
            negatives = min(negatives, self._rounded(self._ratio() * len(true)))
        return tuple(self._chance.shuffled([*true, *self._false(claims, negatives)]))

    def _shares(self) -> tuple[int, int]:
        """Return how many sentences with targets are wanted, and how many without."""
        total = self._rules.per_view
        if "none" not in self._rules.kinds:
            return total, 0
        if self._rules.kinds == ("none",):
            return 0, total
        negatives = self._rounded(total * self._rules.negatives)
        return total - negatives, negatives

    def _ratio(self) -> float:
        return self._rules.negatives / (1.0 - self._rules.negatives)

    def _rounded(self, number: float) -> int:
        """Return a whole number that is this one in the mean."""
        return int(number + self._chance.share())

    def _claims(self, count: int) -> list[Claim]:
        """Return meanings of all kinds in turn, until there are enough or none is left."""
        kinds = [kind for kind in self._rules.kinds if kind != "none"] or TRUE_KINDS
        ways = (self._of_kind(kind) for kind in self._chance.shuffled(dict.fromkeys(kinds)))
        return list(islice(in_turn(ways), count))

    def _of_kind(self, kind: ExpressionKind) -> Iterator[Claim]:
        """Yield the proven meanings of a kind that are wanted and were not said before."""
        refused = 0
        for thing in Choices(self._world, self._told, self._chance).of(kind):
            claim = self._claim(canonical(thing), kind)
            refused = 0 if claim else refused + 1
            if claim:
                yield claim
            if refused > REFUSED:
                return

    def _claim(self, thing: Thing, kind: ExpressionKind) -> Claim | None:
        """Return a meaning with its proof; None where it is not wanted, or there is none."""
        program = program_of(thing)
        found = run(program, self._world)
        targets = found.known.sure
        if not (targets and found.is_proven(self._world) and self._is_new(thing)):
            return None
        if (targets.bit_count() > 1) is not thing.plural:
            return None
        rivals = rivals_of(thing, targets, self._world)
        level = level_of(program, rivals)
        if level not in self._rules.levels:
            return None
        self._said.add(self._key(thing))
        return Claim(thing, kind, program, targets, rivals, level, self._chance.style())

    def _is_new(self, thing: Thing) -> bool:
        return self._key(thing) not in self._said

    def _key(self, thing: Thing) -> tuple[Step, ...]:
        return program_of(thing)

    def _true(self, claim: Claim) -> Expression | None:
        """Return a claim in words; None where the same words were said before."""
        said = self._words(claim.thing, claim.style)
        if said.text in self._texts:
            return None
        self._texts.add(said.text)
        return self._expression(claim, said)

    def _words(self, thing: Thing, style: Style) -> Sentence:
        return sentence(thing, self._told.forms, self._meant, style.again())

    def _meant(self, thing: Thing) -> Known:
        if thing not in self._meanings:
            self._meanings[thing] = run(program_of(thing), self._world).known
        return self._meanings[thing]

    def _false(self, claims: list[Claim], count: int) -> Iterator[Expression]:
        """Yield sentences that mean nothing, made of true ones in turn."""
        edits = Edits(self._told, self._chance)
        ways = (self._edited(claim, edits) for claim in self._chance.shuffled(claims))
        yield from islice(in_turn(ways), count)

    def _edited(self, claim: Claim, edits: Edits) -> Iterator[Expression]:
        """Yield what becomes of a true sentence by changing a word so that nothing is meant."""
        for edit in edits.of(claim.thing):
            thing = canonical(edit.thing)
            program = program_of(thing)
            found = run(program, self._world)
            if found.known.maybe or not (found.is_proven(self._world) and self._is_new(thing)):
                continue
            rivals = rivals_of(thing, 0, self._world)
            level = level_of(program, rivals)
            if level in self._rules.levels:
                self._said.add(self._key(thing))
                said = self._near_words(edit.thing, claim)
                if said.text not in self._texts:
                    self._texts.add(said.text)
                    new = Claim(thing, "none", program, 0, rivals, level, claim.style)
                    origin = self._words(claim.thing, claim.style).text
                    yield self._expression(new, said).model_copy(
                        update={"negative": True, "edited": edit.what, "edited_from": origin}
                    )

    def _near_words(self, thing: Thing, claim: Claim) -> Sentence:
        """Return what was edited in the words of the true sentence, its numbers included."""
        origin = dict(mates(thing, claim.thing))
        return sentence(
            thing,
            self._told.forms,
            lambda each: self._meant(origin.get(each, each)),
            claim.style.again(),
        )

    def _expression(self, claim: Claim, said: Sentence) -> Expression:
        things = sorted(
            (self._world.things[each] for each in members(claim.targets)), key=lambda one: one.place
        )
        return Expression(
            text=said.text,
            kind=claim.kind,
            level=claim.level,
            program=claim.program,
            targets=tuple(each.place for each in things),
            boxes_px=tuple(each.box_px for each in things),
            points_px=tuple(each.point_px for each in things),
            phrases=tuple(
                Phrase(
                    start=each.start,
                    end=each.end,
                    objects=self._world.places(self._meant(each.thing).sure),
                    role="target" if each.is_target else "anchor",
                )
                for each in said.phrases
            ),
            rivals=claim.rivals,
        )


TRUE_KINDS: tuple[ExpressionKind, ...] = (
    "attribute", "relation", "between", "nearest", "ordinal", "superlative", "same", "negation",
    "plural",
)  # fmt: skip
"""Kinds of sentences that have targets."""
