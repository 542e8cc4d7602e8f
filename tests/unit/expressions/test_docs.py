"""What the page about sentences shows is as it says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from farm.dataset.edits.paraphrase import read_paraphrases
from farm.expressions.levels import level_of
from farm.expressions.lexicon import Lexicon
from farm.expressions.parse import read
from farm.spec.expression import Expression, ExpressionRules
from tests.support.seen_scenes import called

PAGE = (Path(__file__).parents[3] / "docs" / "expressions.md").read_text(encoding="utf-8")
LEXICON = Lexicon([called(noun) for noun in ("mug", "bowl", "can", "apple", "bottle")])


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, flags=re.DOTALL)


def examples() -> list[tuple[str, str]]:
    rows = re.findall(r"^\| `(\w+)` \| (.+) \|$", PAGE, flags=re.MULTILINE)
    return [(kind, text) for kind, texts in rows if kind != "none" for text in texts.split(" · ")]


def test_the_sentence_is_one() -> None:
    shown = Expression.model_validate_json(blocks("json")[0])

    reading = read(shown.text, LEXICON)
    assert reading.program == shown.program
    assert [(each.start, each.end) for each in reading.phrases] == [
        (each.start, each.end) for each in shown.phrases
    ]
    assert level_of(shown.program, shown.rivals) == shown.level


@pytest.mark.parametrize(("kind", "text"), examples())
def test_examples_are_read_as_their_kinds(kind: str, text: str) -> None:
    said = re.sub(r"\bit\b", "the bowl", text.split(", of ")[0])

    operations = {step.op for step in read(said, LEXICON).program}

    wanted = {"relation": "relate", "negation": "not_colour", "attribute": "noun", "plural": "noun"}
    assert wanted.get(kind, kind) in operations


def test_the_rules_are_rules() -> None:
    (rules,) = blocks("yaml")

    ExpressionRules.model_validate(yaml.safe_load(rules)["recipe"]["expressions"])


def test_the_paraphrases_are_paraphrases(tmp_path: Path) -> None:
    file = tmp_path / "paraphrases.jsonl"
    file.write_text(blocks("json")[1], encoding="utf-8")

    lines = read_paraphrases(file)

    for line in lines:
        for other in line.paraphrases:
            if "cup" not in other:
                assert read(other, LEXICON).program == read(line.text, LEXICON).program
