"""What may stand before and after a noun phrase in a sentence that is read."""

from __future__ import annotations

import re

from farm.expressions.lexicon import Token


def _any_of(*ways: str) -> str:
    return f"(?:{'|'.join(ways)})"


_POLITE = _any_of(
    "please", "kindly", "hey", "hi", "hello", "ok", "okay", "robot", "now", "so", "well", "just",
    "then", "maybe", "possibly", "perhaps",
)  # fmt: skip
_MODAL = _any_of(
    "(?:could|can|would|will|may|might) (?:you|i|we)",
    "(?:would|do) you mind",
    "do you think you could",
    "(?:would you be|are you) able to",
    "would it be possible to",
    "would you be so kind as to",
    "be so kind (?:as )?to",
    "i(?:'d| would) (?:like|love|want) (?:you )?to",
    "i (?:want|need) (?:you )?to",
    "i(?:'d| would) appreciate it if you could",
    "i wish you would",
    "you (?:should|can|may|need to)",
    "your (?:task|job) is to",
    "let's",
    "let me",
    "(?:try|make sure) to",
    "go and",
    "go ahead and",
    "help me",
)
_ING = "(?:e|ing|ting|bing|ping)?"
_DEED = _any_of(
    "pick(?:ing)? (?:up|out)",
    "pick",
    f"(?:hand|pass|giv|bring|fetch|get|find|grab|show|reach|send){_ING} me",
    f"(?:fetch|find|locat|retriev|collect|select|choos|identify|grab|grasp|grip|get|hold){_ING}",
    f"(?:seiz|touch|spot|see|highlight|mark|segment|indicat|detect|notic|inspect){_ING}",
    "point(?:ing)? (?:to|at|out|me to|your finger at)",
    "reach(?:ing)?(?: out)?(?: for)?",
    "look(?:ing)? (?:for|at)",
    "search(?:ing)? for",
    "singl(?:e|ing) out",
    "go(?:ing)? for",
    "hold(?:ing)? up",
    "(?:take|get) hold of",
    "have",
    "(?:show|tell) me where",
    "direct me to",
)
_ONES = "(?:one|ones|object|objects|thing|things|item|items)"
_ASKED = _any_of(
    "where(?: is| are|'s)",
    f"which (?:{_ONES} )?(?:here )?(?:is|are)",
    "(?:do|can|could) you (?:know|tell me|show me|say) where",
    "do you (?:see|have)",
    "have you (?:seen|got)",
    "(?:is|are) there",
    "(?:what|how) about",
    f"do you know which {_ONES} (?:is|are)",
)
_WANT = "(?:want|need|mean|am after|would like|am looking for)"
_WISHED = _any_of(
    "(?:i|we) (?:really )?(?:need|want)",
    "i(?:'d| would) (?:like|love)(?: to have)?",
    "i(?:'m| am) (?:looking for|after|interested in|talking about|thinking of)",
    f"(?:the )?{_ONES} (?:that )?(?:i|we) {_WANT}(?: to have)? (?:is|are)",
    "it's",
    "it is",
    "i could use",
    "i mean",
    "my (?:target|choice|pick) is",
    "(?:that's|this is)",
)
_BEFORE = re.compile(
    rf"(?:{_POLITE} )*(?:(?:{_MODAL} )?(?:{_POLITE} )*{_DEED}|{_ASKED}|{_WISHED})?(?: {_POLITE})*"
)
_LAST = _any_of(
    "(?:for|to) me",
    "please",
    "now",
    "thanks",
    "thank you",
    "right (?:now|away)",
    "if you (?:can|could|would|please|don't mind)",
    "(?:would|could|will|can) you",
    "here",
)
_AFTER = re.compile(
    rf"(?:(?:is|are)(?: the ones?(?: that)? (?:i|we) {_WANT})?)?(?:(?:^| ){_LAST})*"
)
_WORDS = frozenset(re.findall(r"[a-z]+(?:'[a-z]+)?", f"{_BEFORE.pattern} {_AFTER.pattern}"))
FRAME_WORDS = _WORDS | {f"{stem}{end}" for stem in _WORDS for end in ("e", "ing", "ting", "bing")}
"""Words that may stand around noun phrases, and forms of them that no word has."""


def may_begin(tokens: list[Token]) -> bool:
    """Say whether a noun phrase may follow these words."""
    return bool(_BEFORE.fullmatch(" ".join(token.text for token in tokens)))


def may_end(tokens: list[Token]) -> bool:
    """Say whether these words may follow a noun phrase."""
    return bool(_AFTER.fullmatch(" ".join(token.text for token in tokens)))
