"""What a check found."""

from __future__ import annotations

from typing import Literal

from farm.spec.base import Spec

Verdict = Literal["ok", "warning", "problem"]


class Finding(Spec):
    """One line of `farm doctor`."""

    check: str
    verdict: Verdict
    sentence: str
    remedy: str | None = None


def fine(check: str, sentence: str) -> Finding:
    """Return that all is well."""
    return Finding(check=check, verdict="ok", sentence=sentence)


def warning(check: str, sentence: str, remedy: str) -> Finding:
    """Return that something works, but badly."""
    return Finding(check=check, verdict="warning", sentence=sentence, remedy=remedy)


def problem(check: str, sentence: str, remedy: str) -> Finding:
    """Return that something does not work."""
    return Finding(check=check, verdict="problem", sentence=sentence, remedy=remedy)
