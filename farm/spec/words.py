"""What people call things: the words that sentences about them may use."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError, model_validator

from farm.errors import SpecError
from farm.spec.base import Spec, first_reason
from farm.spec.plurals import VOWELS, plural_of, singular_of
from farm.spec.quote import quoted
from farm.spec.yaml_text import parse_yaml

GENERAL_NOUN, GENERAL_PLURAL = "object", "objects"
"""What everything may be called."""
SAYABLE = re.compile(r"(?=.*[^\W\d_])[^\W_](?:[\w '\u2019&+./-]*[\w'+])?")
"""Words as a sentence has them: letters, with digits, blanks and a few signs between."""
ARTICLES = ("a ", "an ", "the ")
MANY = " and "
"""What stands in the names of categories that are of several kinds of things."""
_NO_KINDS = """
architecture asset bathroom decor decoration decorative exterior food general home household indoor
industrial interior kitchen misc miscellaneous model nature none object office other outdoor prop
scan thing uncategorized undefined unknown
"""
NO_KINDS = frozenset(_NO_KINDS.split())
"""Categories of which no single thing is one."""


def _is_sayable(text: str) -> str:
    """Return words as a sentence has them.

    Raises:
        ValueError: No sentence can.
    """
    said = " ".join(text.split())
    if said.casefold().startswith(ARTICLES):
        raise ValueError(f"{quoted(text)} begins with an article: leave it out")
    if "_" in said or not SAYABLE.fullmatch(said):
        raise ValueError(f"{quoted(text)} is not a word that a sentence can say, such as mug")
    return said


def _is_sayable_or_empty(text: str) -> str:
    """Return the same of words that may be left out."""
    return _is_sayable(text) if text.strip() else ""


def _is_text(value: Any) -> Any:
    """Return a value of YAML.

    Raises:
        ValueError: YAML has read a word as something else: `no` is false for it.
    """
    if value is None:
        raise ValueError("it says nothing: write a word, or leave it out")
    if isinstance(value, bool | int | float):  # pydantic turns only a ValueError into a sentence
        raise ValueError(f"YAML reads it as {quoted(value)}: put it in quotes")  # noqa: TRY004
    return value


def _listed(value: Any) -> Any:
    """Let `cup, beaker` stand for a list."""
    if value is None:
        return ()
    if isinstance(value, str):
        return tuple(part.strip() for part in re.split("[,;]", value) if part.strip())
    return value


Word = Annotated[str, BeforeValidator(_is_text), AfterValidator(_is_sayable), Field(max_length=60)]
MaybeWord = Annotated[
    str, BeforeValidator(_is_text), AfterValidator(_is_sayable_or_empty), Field(max_length=60)
]


class AssetWords(Spec):
    """What one asset is called, and what is known of it beforehand."""

    noun: Word
    """Such as `mug`."""
    plural: MaybeWord = ""
    """Such as `mugs`; left out: by the usual rules."""
    article: str = Field(default="", pattern=r"^(a|an|)$")
    """`a` or `an`; left out: by the first letter."""
    synonyms: Annotated[tuple[Word, ...], BeforeValidator(_listed)] = ()
    """Other words for exactly that."""
    hypernym: Word | None = None
    """What kind of thing it is, such as `container`; things of different nouns share it."""
    confirmed: bool = False
    """A person has looked. Of what nobody has confirmed, sentences use only the hypernym, or
    `object`."""
    size_m: tuple[float, float] | None = None
    """Least and most metres that its longest side may measure."""
    symmetric: bool = False
    """It looks the same from all sides."""
    stands: bool = False
    """It must stand as its file has it, and may not lie."""
    material: Word | None = None
    """Such as `wooden`: said only where a person has confirmed it."""

    @model_validator(mode="after")
    def _sizes_are_a_range(self) -> Self:
        if self.size_m and not 0 < self.size_m[0] <= self.size_m[1]:
            raise ValueError(
                f"size_m: {list(self.size_m)} is not a range of metres, such as [0.07, 0.15]"
            )
        return self

    @property
    def nouns(self) -> tuple[str, ...]:
        """All words for exactly that; none where no person has confirmed them."""
        return (self.noun, *self.synonyms) if self.confirmed else ()

    @property
    def plural_noun(self) -> str:
        """Several of them."""
        return self.plural or plural_of(self.noun)

    @property
    def general(self) -> str:
        """The word for its kind."""
        return self.hypernym or GENERAL_NOUN


def article_of(word: str) -> str:
    """Return `a` or `an`, by the first letter."""
    return "an" if word[:1].lower() in VOWELS else "a"


def key_of(name: str, sha256: str) -> str:
    """Return what `words.yaml` calls a file of whose name there are several: `a.obj#1a2b3c4d`."""
    return f"{name}#{sha256[:8]}"


def words_for(words: Mapping[str, AssetWords], name: str, sha256: str) -> AssetWords | None:
    """Return the words of a file; those for it alone go before those for all of its name."""
    return words.get(key_of(name, sha256)) or words.get(name)


def of_category(category: str | None) -> AssetWords:
    """Return what a thing is called of which only the category of its source is known."""
    name = " ".join((category or "").replace("_", " ").replace("-", " ").split()).casefold()
    before, gap, word = name.rpartition(" ")
    kind = f"{before}{gap}{singular_of(word)}"
    if kind in NO_KINDS or MANY in kind or not SAYABLE.fullmatch(kind) or len(kind) > 60:
        return AssetWords(noun=GENERAL_NOUN)
    return AssetWords(noun=kind, hypernym=kind)


def read_words(text: str, *, name: str) -> dict[str, AssetWords]:
    """Return the words in a `words.yaml`: file name of an asset -> its words.

    Args:
        text: What the file holds.
        name: What errors call it.

    Raises:
        SpecError: It is not such a file.
    """
    return dict(entries(read_entries(text, name=name), name))


def read_entries(text: str, *, name: str) -> dict[Any, Any]:
    """Return what a `words.yaml` has for each asset, unread.

    Raises:
        SpecError: It is not such a file.
    """
    data = parse_yaml(text, name=name)
    if not isinstance(data, dict):
        raise SpecError(
            f"{name}: is not a list of words: it must map file names to words, such as "
            "`mug.glb: {noun: mug}`; `farm words propose` makes one"
        )
    return data


def entries(data: dict[Any, Any], name: str) -> Iterator[tuple[str, AssetWords]]:
    """Yield the words of each asset."""
    for asset, words in data.items():
        if not isinstance(words, dict):
            raise SpecError(
                f"{name}: {asset}: {quoted(words)} says nothing of it: write such as {{noun: mug}}"
            )
        try:
            yield str(asset), AssetWords.model_validate(words)
        except ValidationError as error:
            raise SpecError(f"{name}: {asset}: {reason_of(error, words)}") from None


def reason_of(error: ValidationError, words: dict[Any, Any]) -> str:
    """Return the first fault of an entry, and what to do about it."""
    strange = [str(key) for key in words if key not in AssetWords.model_fields]
    if strange:
        known = ", ".join(AssetWords.model_fields)
        return f"{quoted(strange[0])} is not something that is known of words: it takes {known}"
    if "noun" not in words:
        return "it has no noun: say what it is called, such as `noun: mug`"
    return first_reason(error)
