"""One thing and several: English nouns, by the usual rules and their exceptions."""

from __future__ import annotations

VOWELS = "aeiou"
IRREGULAR = {
    "knife": "knives", "loaf": "loaves", "leaf": "leaves", "shelf": "shelves", "half": "halves",
    "wolf": "wolves", "calf": "calves", "scarf": "scarves", "life": "lives", "wife": "wives",
    "mouse": "mice", "man": "men", "woman": "women", "person": "people", "child": "children",
    "die": "dice", "foot": "feet", "tooth": "teeth", "goose": "geese", "ox": "oxen",
    "tomato": "tomatoes", "potato": "potatoes", "mango": "mangoes", "hero": "heroes",
    "echo": "echoes", "cactus": "cacti", "fish": "fish", "sheep": "sheep", "deer": "deer",
    "sushi": "sushi", "aircraft": "aircraft", "quiz": "quizzes",
}  # fmt: skip
"""What no rule makes."""
ALWAYS_SEVERAL = frozenset(
    {
        "scissors", "tongs", "pliers", "sunglasses", "spectacles", "eyeglasses",
        "headphones", "earphones", "binoculars", "tweezers", "trousers", "jeans", "pants",
        "shorts", "goggles", "scales", "clothes", "shears", "pajamas",
    }
)  # fmt: skip
"""Words that have no other form."""
WITH_IE = frozenset(
    {"cookies", "pies", "brownies", "movies", "smoothies", "hoodies", "ties", "calories", "veggies"}
)
"""Plurals of words that end in ie."""
LIKE_A_PLURAL = ("ss", "us", "is", "as")
"""Ends of words that are one thing, although they end in s: glass, cactus, iris, gas."""
ONE_OF = {many: one for one, many in IRREGULAR.items()}


def plural_of(noun: str) -> str:
    """Return several of what a noun names; of `loaf of bread` and `coffee mug`, what is counted."""
    if " of " in noun:
        counted, _, rest = noun.partition(" of ")
        return f"{plural_of(counted)} of {rest}"
    before, gap, word = noun.rpartition(" ")
    return f"{before}{gap}{plural_of_word(word)}"


def plural_of_word(word: str) -> str:
    """Return several of what one word names."""
    lower = word.lower()
    if lower in ALWAYS_SEVERAL:
        return word
    if lower in IRREGULAR:
        return word[:1] + IRREGULAR[lower][1:]
    if lower.endswith(("s", "x", "z", "ch", "sh")):
        return f"{word}es"
    if lower.endswith("y") and lower[-2:-1] not in (*VOWELS, ""):
        return f"{word[:-1]}ies"
    return f"{word}s"


def singular_of(word: str) -> str:
    """Return one of what a word, lower case, names; a word that names one thing stays."""
    if word in ONE_OF or word in ALWAYS_SEVERAL:
        return ONE_OF.get(word, word)
    if not word.endswith("s") or word.endswith(LIKE_A_PLURAL) or len(word) < 4:
        return word
    if word.endswith("ies") and word not in WITH_IE:
        return f"{word[:-3]}y"
    if word.endswith(("sses", "shes", "ches", "xes", "zes", "ffes")):
        return word[:-2]
    return word[:-1]
