"""Sentences around what they are about."""

from __future__ import annotations

from dataclasses import dataclass

from farm.expressions.chance import Style


@dataclass(frozen=True, slots=True)
class Frame:
    """What stands before and after a noun phrase; `{is}` and `{one}` agree with it."""

    before: str
    after: str
    indefinite: bool = False
    """`a red mug` fits, too."""
    plain: bool = False
    """It says which ones they are: `both` and `all` do not fit."""

    @property
    def is_around(self) -> bool:
        """Its verb comes last: what stands before that must not be long."""
        return self.after.startswith(" {is}")

    @property
    def agrees(self) -> bool:
        """Its verb shows whether one thing or several are meant."""
        return "{" in self.before + self.after

    def worded(self, *, many: bool) -> tuple[str, str]:
        """Return what stands before and after one thing, or several."""
        if not self.agrees:
            return self.before, self.after
        words = {"is": "are", "one": "ones"} if many else {"is": "is", "one": "one"}
        return self.before.format(**words), self.after.format(**words)


_DEEDS = (
    "pick up", "hand me", "pass me", "fetch", "bring me", "find", "point to", "point at",
    "reach for", "show me", "locate", "give me", "look for",
)  # fmt: skip
_NOT_FOR_ANY = ("point to", "point at", "show me", "locate", "reach for")
"""What one does with a certain thing alone."""


def _deeds(before: str, after: str) -> tuple[Frame, ...]:
    """Return a frame for each deed."""
    return tuple(
        Frame(_capital(f"{before}{deed} "), after, indefinite=deed not in _NOT_FOR_ANY)
        for deed in _DEEDS
    )


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


_COMMANDS = (
    _deeds("", "."), _deeds("", "."), _deeds("please ", "."), _deeds("", ", please."),
)  # fmt: skip
_QUESTIONS = (
    (Frame("Where {is} ", "?"), Frame("Can you tell me where ", " {is}?")),
    (Frame("Which {one} {is} ", "?", plain=True),),
    (Frame("Can you see ", "?", indefinite=True), Frame("Do you see ", "?", indefinite=True)),
    (Frame("May I have ", "?"), Frame("Would you mind handing me ", "?")),
    _deeds("could you ", "?"), _deeds("can you ", "?"), _deeds("would you ", ", please?"),
    _deeds("could you please ", "?"),
)  # fmt: skip
_WISHES = (
    (Frame("I need ", ".", indefinite=True), Frame("I'd like ", ", please.")),
    (Frame("I'm looking for ", ".", indefinite=True), Frame("I would like to have ", ".")),
    _deeds("I want you to ", "."), _deeds("I'd like you to ", "."),
    (
        Frame("The {one} I want {is} ", ".", plain=True),
        Frame("", " {is} the {one} I need.", plain=True),
        Frame("Show me where ", " {is}."),
    ),
)  # fmt: skip
_PHRASES = ((Frame("", "."), Frame("", "."), Frame("", ", please.")),)
FRAMES = (_COMMANDS, _COMMANDS, _QUESTIONS, _WISHES, _PHRASES)


def frame_for(style: Style, *, is_long: bool) -> Frame:
    """Return a frame, first its sort and then one of it, that fits a long phrase or a short one."""
    frames = style.one_of(style.one_of(FRAMES))
    return style.one_of([each for each in frames if not (is_long and each.is_around)])
