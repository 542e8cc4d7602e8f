"""The verdict on each sentence of a view."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple

from farm.dataset.proof.claim_checks import strange_claims, unknown_object
from farm.dataset.proof.found import Found
from farm.dataset.proof.measured import Arrays, MeasuredView, Naming, measure
from farm.dataset.proof.phrase_checks import strange_phrases
from farm.dataset.proof.programs import ProgramError, Ran, named, run
from farm.dataset.proof.scene_checks import strange_scene
from farm.dataset.proof.text_checks import strange_text
from farm.spec.expression import Expression, Step
from farm.spec.passes import PassName
from farm.spec.record import ViewRecord

Verdict = Literal["true", "ambiguous", "false", "unproven"]
MEASURED_IN: dict[str, PassName] = {
    "colour": "albedo", "not_colour": "albedo", "same colour": "albedo",
    **dict.fromkeys(("nearest", "between", "ordinal"), "depth"),
    **{f"relate {side}": "depth" for side in ("left", "right", "front", "behind")},
    **{
        f"superlative {value}": "depth"
        for value in ("leftmost", "rightmost", "frontmost", "rearmost")
    },
}  # fmt: skip
"""Operations, with a value where it matters, and the pass that they are measured in."""


class Proven(NamedTuple):
    """What was found out about a sentence."""

    expression: Expression
    verdict: Verdict
    reason: str = ""
    """Why it is not true, or which pass is lacking."""
    claims: tuple[str, ...] = ()
    """What else it says that does not hold: boxes, points, phrases, words."""


class Proof(NamedTuple):
    """What was found out about a view."""

    sentences: tuple[Proven, ...]
    scene: tuple[str, ...]
    """Where the record disagrees with the passes about what is seen."""


def has_something_to_prove(record: ViewRecord) -> bool:
    """Say whether sentences speak of a view, or could."""
    return bool(record.expressions) or any(label.words for label in record.objects)


def prove(record: ViewRecord, arrays: Arrays, naming: Naming) -> Proof:
    """Prove all sentences of a view.

    Args:
        record: The view.
        arrays: Those of its passes that could be read.
        naming: How much of a thing must be seen for a sentence to name it.
    """
    if "index" not in arrays:
        why = "needs the pass index"
        return Proof(tuple(Proven(each, "unproven", why) for each in record.expressions), ())
    view = measure(record, arrays, naming)
    sentences = tuple(proven(view, each) for each in record.expressions)
    return Proof(sentences, tuple(strange_scene(view, arrays)))


def proven(view: MeasuredView, expression: Expression) -> Proven:
    """Return the verdict on a sentence."""
    if (lost := unknown_object(view, expression)) is not None:
        return Proven(expression, "false", f"speaks of object {lost}, which is not in the record")
    claims = tuple(strange_claims(view, expression))
    try:
        ran = run(expression.program, view)
    except ProgramError as error:
        return Proven(expression, "false", f"its program cannot be run: {error}", claims)
    claims += tuple(strange_phrases(view, expression, ran))
    claims += tuple(strange_text(view, expression, ran))
    verdict, reason = judged(view, expression, ran)
    lacking = sorted(lacking_passes(view, expression.program))
    if lacking and verdict != "false":
        return Proven(expression, "unproven", f"needs {' and '.join(lacking)}", claims)
    return Proven(expression, verdict, reason, claims)


def judged(view: MeasuredView, expression: Expression, ran: Ran) -> tuple[Verdict, str]:
    """Compare what a program results in with what the sentence claims."""
    claimed, hit = frozenset(expression.targets), ran.last
    if claimed == hit.sure == hit.possible and not (claimed and ran.unclear):
        return "true", ""
    if not claimed <= hit.possible or hit.sure - claimed:
        return "false", f"is said of {named(claimed, view)}, but is true of {told(hit, view)}"
    if ran.unclear:
        return "ambiguous", ran.unclear
    return (
        "ambiguous",
        f"is said of {named(claimed, view)}, but may mean {told(hit, view)}",
    )


def told(hit: Found, view: MeasuredView) -> str:
    """Return what a program results in, as a sentence says it."""
    might = hit.possible - hit.sure
    sure = named(hit.sure, view) if hit.sure or not might else "nothing for certain"
    return f"{sure}, perhaps {named(might, view)}" if might else sure


def lacking_passes(view: MeasuredView, program: tuple[Step, ...]) -> Iterator[str]:
    """Yield what a program is measured in and that is not there."""
    there = {"depth": view.has_depth, "albedo": view.has_albedo}
    names = {pass_of(step) for step in program}
    yield from (f"the pass {name}" for name in names if name and not there[name])
    if any(step.op == "hidden" for step in program) and not view.knows_visibility:
        yield "the visible share of each thing, which its record does not know"


def pass_of(step: Step) -> PassName | None:
    """Return the pass that a step is measured in, besides index."""
    return MEASURED_IN.get(step.op) or MEASURED_IN.get(f"{step.op} {step.value}")
