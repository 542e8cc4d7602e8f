"""What people call things: the words that sentences about them may use."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Self

from pydantic import Field, ValidationError, model_validator

from farm.errors import SpecError
from farm.spec.base import Spec, first_reason
from farm.spec.plurals import VOWELS, plural_of
from farm.spec.yaml_text import parse_yaml

GENERAL_NOUN, GENERAL_PLURAL = "object", "objects"
"""What everything may be called."""


class AssetWords(Spec):
    """What one asset is called, and what is known of it beforehand."""

    noun: str = Field(min_length=1, max_length=60)
    """Such as `mug`."""
    plural: str = Field(default="", max_length=60)
    """Such as `mugs`; left out: by the usual rules."""
    article: str = Field(default="", pattern=r"^(a|an|)$")
    """`a` or `an`; left out: by the first letter."""
    synonyms: tuple[str, ...] = ()
    """Other words for exactly that."""
    hypernym: str | None = None
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
    material: str | None = None
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


def read_words(text: str, *, name: str) -> dict[str, AssetWords]:
    """Return the words in a `words.yaml`: file name of an asset -> its words.

    Args:
        text: What the file holds.
        name: What errors call it.

    Raises:
        SpecError: It is not such a file.
    """
    data = parse_yaml(text, name=name)
    if not isinstance(data, dict):
        raise SpecError(
            f"{name}: is not a list of words: it must map file names to words, such as "
            "`mug.glb: {noun: mug}`; `farm words propose` makes one"
        )
    return dict(entries(data, name))


def entries(data: dict[Any, Any], name: str) -> Iterator[tuple[str, AssetWords]]:
    """Yield the words of each asset."""
    for asset, words in data.items():
        try:
            yield str(asset), AssetWords.model_validate(words)
        except ValidationError as error:
            raise SpecError(f"{name}: {asset}: {first_reason(error)}") from None
