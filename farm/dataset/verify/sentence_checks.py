"""What a proof of a view's sentences found, as checks."""

from __future__ import annotations

from collections.abc import Iterator

from farm.dataset.proof.proof import Proof, Proven, Verdict
from farm.dataset.verify.report import CheckName

CHECK_OF: dict[Verdict, CheckName] = {
    "false": "sentences", "ambiguous": "ambiguous", "unproven": "unproven",
}  # fmt: skip
SENTENCE_CHECKS: tuple[CheckName, ...] = ("sentences", "ambiguous", "claims", "unproven")
"""Checks that look at each sentence."""


def sentence_findings(proof: Proof) -> Iterator[tuple[CheckName, str]]:
    """Yield what is wrong with a view's sentences, and with what its record says of things."""
    for what in proof.scene:
        yield "things", what
    for each in proof.sentences:
        yield from findings_of(each)


def findings_of(proven: Proven) -> Iterator[tuple[CheckName, str]]:
    """Yield what is wrong with a sentence."""
    said = f'"{proven.expression.text}"'
    if proven.verdict != "true":
        yield CHECK_OF[proven.verdict], f"{said} {proven.reason}"
    for what in proven.claims:
        yield "claims", f"{said} {what}"
