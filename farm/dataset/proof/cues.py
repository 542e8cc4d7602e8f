"""The words by which sentences say what programs do."""

from __future__ import annotations

import re

from farm.spec.expression import Step

FRONT = r"(?:fronts?|frontmost|front most|foremost|forward)"
BACK = r"(?:back|rear|backmost|back most|rearmost|rear most|hindmost)"


def words(pattern: str) -> re.Pattern[str]:
    """Return a pattern of whole words."""
    return re.compile(rf"(?<!\w)(?:{pattern})(?!\w)")


SIDED = r"(?:just |right |directly |over |immediately )*"
RELATING = (
    r"(?:to|on(?! (?:its|their) sides?)|in|behind|between|nearest|nearer|closest|closer|at|left|"
    r"right|atop|upon|inside|within)"
)
NEUTRAL = (
    words(r"right(?= (?:in front|behind|on top|next|on|beside))"),
    words(
        r"(?:standing|lying|sitting|resting|located|placed|positioned)"
        rf"(?= {SIDED}{RELATING}(?!\w))"
    ),
    words(r"(?:nearest|closest)(?: to)?(?= the (?:very )?(?:front|back|rear)(?!\w))"),
    words(r"on(?= the (?:far |very )?(?:left|right)(?! ?most)(?!\w))"),
    words(r"in(?= (?:the )?(?:very )?(?:front|back|rear)(?!\w))"),
    words(r"right (?:now|away)|interested in"),
    words(r"in(?= (?:between|the same|a colour|any colour|colour))"),
)
"""Words that say nothing by themselves where they stand so."""
CUES: dict[str, re.Pattern[str]] = {
    "lying": words(r"(?:lying|lies) (?:down|on (?:its|their) sides?)|on (?:its|their) sides?"
                   r"|lying|toppled|fallen(?: over)?|tipped over"),
    "upright": words(r"standing(?: up(?:right)?)?|stands? upright|upright"),
    "partly hidden": words(r"(?:partly|partially|half) "
                           r"(?:hidden|obscured|covered|concealed|occluded|out of sight)"),
    "not": words(r"(?:is|are) not|isn't|aren't|that's not|(?:but )?not|non|other than|"
                 r"except(?: for)?|(?:any|a) colour but|anything but"),
    "same colour": words(r"(?:the )?same colour(?: as)?(?: that of)?|"
                         r"colour is the same as(?: that of)?|"
                         r"(?:shar\w+|match\w*) (?:its |their |the )?colour(?: with| of)?|"
                         r"coloured (?:the same as|like)|colour matches that of|colour with"),
    "same noun": words(r"(?:the )?same (?:kind|type|sort)(?: of)?"),
    "same material": words(r"(?:made )?(?:of|from|out of|with)? ?(?:the )?same material"),
    "between": words(r"(?:in )?between"),
    "left": words(r"left(?:most| most| hand)?"),
    "right": words(r"right(?:most| most| hand)?"),
    "front": words(rf"in front of|{FRONT}"),
    "behind": words(rf"in back of|behind|{BACK}"),
    "nearest": words(r"nearest|closest|nearer|closer"),
    "on": words(r"on (?:the )?top of|top of|on|atop|upon"),
    "in": words(r"inside of|inside|within|in"),
    "largest": words(r"largest(?: sized)?|biggest|greatest|larger|bigger"),
    "smallest": words(r"smallest|littlest|tiniest|smaller|littler"),
    "tallest": words(r"tallest|taller|highest"),
    "first": words(r"first"),
    "second": words(r"second"),
    "third": words(r"third"),
    "fourth": words(r"fourth"),
    "fifth": words(r"fifth"),
    "sixth": words(r"sixth"),
    "seventh": words(r"seventh"),
    "eighth": words(r"eighth"),
    "ninth": words(r"ninth"),
    "tenth": words(r"tenth"),
    "metal": words(r"metal|metallic"),
    "glass": words(r"glass"),
    "shiny": words(r"shiny|glossy|gleaming"),
    "see-through": words(r"see through|transparent"),
}  # fmt: skip
"""What a step of a program is called, and how texts say it; tried in this order."""
ORDINALS = (
    "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth",
)  # fmt: skip
FARTHEST = {
    "leftmost": "left", "rightmost": "right", "frontmost": "front", "rearmost": "behind",
}  # fmt: skip
"""What is said of the one that is farthest to a side."""
ANCHORED: dict[str, re.Pattern[str]] = {
    cue: re.compile(rf"(?<!\w)(?:{before})(?: the)?$")
    for cue, before in {
        "left": "left(?: hand)?(?: side)? of",
        "right": "right(?: hand)?(?: side)? of",
        "front": "front of",
        "behind": "behind|back of",
        "on": "on|on (?:the )?top of|atop|upon",
        "in": "in|inside|inside of|within",
        "nearest": "(?:nearest|nearer|closest|closer)(?: to)?",
        "between": "between|and",
        "same colour": "as|as that of|with|of|like",
        "same noun": "as",
        "same material": "as",
    }.items()
}
"""What stands before the thing that a step starts from."""
NUMBERS = {
    "both": 2, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8,
    "nine": 9, "ten": 10,
}  # fmt: skip
"""How many a word says that there are."""
SEVERAL = frozenset({"both", "all", "every", "everything", "these", "those"})
"""Words with which a phrase of several begins."""
FREE_WORDS = frozenset(
    " ".join(
        (
            "a an the this that these those which who whose what where there here that's",
            "it its it's they their them one ones thing things object objects item items",
            "everything something anything every each any both all",
            "two three four five six seven eight nine ten other",
            "as of to from for with by at and or so than",
            "far farthest farther furthest further most very just directly immediately over",
            "side sides hand counting counted seen visible made kind type sort colour coloured",
            "is are be am was were has have had having do does did can could would will may might",
            "i i'd i'm i'll me my you your we us our need want like looking look wish mind",
            "please kindly thanks thank know let let's",
            "handing pick up take get grab hold grasp lift fetch bring give pass find locate point",
            "show see spot reach identify select choose tell",
            "picture image table scene view pair pairs out",
        )
    ).split()
)
"""Words that say nothing of which thing is meant."""


def cues_of(step: Step) -> tuple[str, ...]:
    """Return what is said of a step."""
    value = step.value or ""
    match step.op:
        case "ordinal":
            count, _, side = value.partition(" ")
            return ORDINALS[int(count) - 1], side
        case "superlative":
            return (FARTHEST.get(value, value),)
        case "relate" | "pose" | "material":
            return (value,)
        case "same":
            return (f"same {value}",)
        case "hidden":
            return ("partly hidden",)
        case "not_colour":
            return ("not",)
        case "nearest" | "between":
            return (step.op,)
    return ()
