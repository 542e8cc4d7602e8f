"""Other words for the sentences of a dataset: kept where they mean the same."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

import farm.dataset
from farm.cli.main import make_app
from farm.dataset.edits.paraphrase import read_paraphrases
from farm.dataset.reader import open_dataset
from farm.dataset.verify.verify import verify
from farm.errors import SpecError
from farm.expressions.lexicon import Lexicon
from farm.expressions.parse import read
from farm.spec.expression import Expression, ExpressionKind, Phrase
from farm.spec.label import ObjectLabel
from tests.support.table_views import BLUE_MUG, GREEN_BOWL, RED_BOWL, RED_MUG, write_table_views

THINGS = (RED_MUG, BLUE_MUG, GREEN_BOWL, RED_BOWL)
RED, BLUE, GREEN, BOTH, NONE = (
    "Pick up the red mug.", "Where is the blue mug?", "Find the green bowl, please.",
    "Both mugs.", "The green mug.",
)  # fmt: skip


def sentence(
    text: str, kind: ExpressionKind, objects: Sequence[ObjectLabel], *places: int
) -> Expression:
    """A sentence with the program that it is read as."""
    reading = read(text, Lexicon([each.words for each in objects if each.words]))
    span = reading.phrases[0]
    boxes = [objects[place].box_px for place in places]
    return Expression(
        text=text,
        kind=kind,
        level=1,
        program=reading.program,
        targets=places,
        boxes_px=tuple(box for box in boxes if box),
        points_px=tuple(((b[0] + b[2]) / 2, (b[1] + b[3]) / 2) for b in boxes if b),
        phrases=(Phrase(start=span.start, end=span.end, objects=places),),
        negative=not places,
        edited=None if places else "colour red > green",
        edited_from=None if places else "The red mug.",
    )


def told(objects: Sequence[ObjectLabel]) -> tuple[Expression, ...]:
    at = {
        (label.attributes.colour, label.words.noun): place
        for place, label in enumerate(objects)
        if label.words and label.attributes
    }
    red, blue, green = at["red", "mug"], at["blue", "mug"], at["green", "bowl"]
    return (
        sentence(RED, "attribute", objects, red),
        sentence(BLUE, "attribute", objects, blue),
        sentence(GREEN, "attribute", objects, green),
        sentence(BOTH, "plural", objects, *sorted((red, blue))),
        sentence(NONE, "none", objects),
    )


@pytest.fixture
def place(tmp_path: Path) -> Path:
    folder = tmp_path / "tables"
    write_table_views(folder, (THINGS,), views=2, size=(128, 96), sentences=told)
    return folder


def run(place: Path, lines: Sequence[object], *options: str) -> Result:
    file = place.parent / "paraphrases.jsonl"
    file.write_text("\n".join(json.dumps(line) for line in lines))
    return CliRunner().invoke(
        make_app(), ["dataset", "paraphrase", str(place), str(file), *options]
    )


def line(text: str, *others: str, **more: str) -> dict[str, object]:
    return {"text": text, "paraphrase": others[0] if len(others) == 1 else others, **more}


def paraphrases_in(place: Path) -> list[list[str]]:
    """Of each view."""
    return [
        [each.text for each in view.expressions if each.source == "paraphrase"]
        for view in farm.dataset.open(place)
    ]


def test_what_means_the_same_is_kept_in_all_views_that_have_the_sentence(place: Path) -> None:
    done = run(
        place,
        [
            line(RED, "Could you grab the mug that's red?", "Get me the red cup"),
            line(BOTH, "all of the mugs, please", "the two cups"),
            line(NONE, "Is there a green mug?"),
        ],
    )

    assert done.exit_code == 0, done.output
    assert done.stdout == f"{place}: 2 views, 2 rewritten; 10 paraphrases kept, 0 not\n"
    assert paraphrases_in(place) == [
        [
            "Could you grab the mug that's red?", "Get me the red cup", "all of the mugs, please",
            "the two cups", "Is there a green mug?",
        ]
    ] * 2  # fmt: skip


def test_a_paraphrase_has_phrases_of_its_own_and_all_else_of_its_sentence(place: Path) -> None:
    run(place, [line(RED, "Get me the red cup")])

    for view in farm.dataset.open(place):
        own, other = (
            next(each for each in view.expressions if each.text == text)
            for text in (RED, "Get me the red cup")
        )
        assert other.text[other.phrases[0].start : other.phrases[0].end] == "the red cup"
        assert other.phrases[0].objects == own.phrases[0].objects == own.targets
        assert [step.value for step in other.program] == [None, "cup", "red"]
        same = {"text": RED, "phrases": own.phrases, "program": own.program, "source": "grammar"}
        assert other.model_copy(update=same) == own


def test_paraphrases_are_proven_like_all_sentences(place: Path) -> None:
    before = verify(open_dataset(str(place)), workers=1)

    run(place, [line(RED, "Get me the red cup"), line(GREEN, "the bowl which is green")])

    after = verify(open_dataset(str(place)), workers=1)
    for name in ("sentences", "ambiguous", "claims"):
        one, other = (
            next(each for each in report.checks if each.check == name) for report in (before, after)
        )
        assert (other.looked_at, other.found) == (one.looked_at + 4, one.found) == (14, 0)


@pytest.mark.parametrize(
    ("text", "other", "why", "reason"),
    [
        pytest.param(RED, "the blue mug", "other meaning", "means something else", id="colour"),
        pytest.param(RED, "the red bowl", "other meaning", "means something else", id="noun"),
        pytest.param(RED, "Get the mug.", "other meaning", "means something else", id="less"),
        pytest.param(
            RED, "the red mug to the left of the blue mug", "other meaning",
            "means something else", id="more",
        ),
        pytest.param(RED, "the red object", "other meaning", "means something else", id="wider"),
        pytest.param(RED, "Get the red mugs.", "other number", "speaks of several", id="several"),
        pytest.param(BOTH, "the three mugs", "other number", "speaks of 3", id="three"),
        pytest.param(RED, "Get the crimson mug.", "unread", "crimson", id="unknown word"),
        pytest.param(RED, "Put the red mug away.", "unread", "put", id="another deed"),
        pytest.param(RED, "pick up the  RED mug.", "said before", "already", id="the same"),
        pytest.param(RED, "the red || mug", "no sentence", "signs", id="bars"),
        pytest.param(RED, "the red\x00mug", "no sentence", "signs", id="control characters"),
        pytest.param(RED, "", "unread", "0 words", id="nothing"),
    ],
)  # fmt: skip
def test_what_means_something_else_is_refused_and_told(
    place: Path, text: str, other: str, why: str, reason: str
) -> None:
    before = (place / "views.jsonl").read_bytes()
    refused = place.parent / "refused.jsonl"

    done = run(place, [line(text, other)], "--refused", str(refused))

    assert done.exit_code == 0, done.output
    assert "0 paraphrases kept, 2 not" in done.stdout
    told = [json.loads(each) for each in refused.read_text().splitlines()]
    assert [(each["text"], each["paraphrase"], each["why"]) for each in told] == [
        (text, other, why)
    ] * 2
    assert reason in told[0]["reason"]
    assert reason in done.stdout
    assert (place / "views.jsonl").read_bytes() == before


def test_one_for_a_certain_view_is_added_to_that_alone(place: Path) -> None:
    name = next(iter(farm.dataset.open(place))).name

    done = run(place, [line(RED, "the mug that is red", view=name)])

    assert "2 views, 1 rewritten; 1 paraphrase kept, 0 not" in done.stdout
    assert paraphrases_in(place) == [["the mug that is red"], []]


def test_the_same_file_again_adds_nothing(place: Path) -> None:
    lines = [line(RED, "the mug that is red")]
    run(place, lines)
    before = (place / "views.jsonl").read_bytes()

    again = run(place, lines)

    assert again.exit_code == 0
    assert "0 paraphrases kept, 2 not" in again.stdout
    assert "2 there already" in again.stdout
    assert (place / "views.jsonl").read_bytes() == before


def test_counts_can_be_read_by_programs(place: Path) -> None:
    lines = [
        line(RED, "the mug that is red", "the blue mug"),
        line("No such sentence.", "The mug."),
    ]

    done = run(place, lines, "--json")

    assert json.loads(done.stdout) == {
        "views": 2, "rewritten": 2, "kept": 2, "refused": {"other meaning": 2}, "unknown": 1,
    }  # fmt: skip


def test_sentences_of_the_file_that_no_view_has_are_told(place: Path) -> None:
    done = run(place, [line(RED, "the mug that is red"), line("No such sentence.", "The mug.")])

    assert done.exit_code == 0
    assert '1 sentence of the file in no view: "No such sentence."' in done.stdout


def test_a_file_for_another_dataset_is_an_error(place: Path) -> None:
    done = run(place, [line("No such sentence.", "The mug.")])

    assert isinstance(done.exception, SpecError)
    assert "has no sentence of the file, such as 'No such sentence.'" in str(done.exception)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        pytest.param(b"", "is empty", id="empty"),
        pytest.param(b"\n \n", "is empty", id="blank"),
        pytest.param(b"{", "line 1: Invalid JSON", id="half a line"),
        pytest.param(b'{"text": "a"}\n', "line 1: paraphrase", id="a field is missing"),
        pytest.param(b'{"text": "a", "paraphrase": 3}\n', "line 1: paraphrase", id="a number"),
        pytest.param(b'\n{"text": "", "paraphrase": "b"}\n', "line 2: text", id="no text"),
        pytest.param(b"[1]", "line 1: Input should be", id="a list of numbers"),
        pytest.param(b"[", "is not JSON", id="half a list"),
        pytest.param(b"\xff\xfe", "not text in UTF-8", id="not text"),
    ],
)
def test_a_file_that_is_none_of_paraphrases_is_an_error(
    tmp_path: Path, data: bytes, reason: str
) -> None:
    file = tmp_path / "paraphrases.jsonl"
    file.write_bytes(data)

    with pytest.raises(SpecError, match=reason) as caught:
        read_paraphrases(file)

    assert str(file) in str(caught.value)


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="cannot be read"):
        read_paraphrases(tmp_path / "none.jsonl")


@pytest.mark.parametrize(
    "data",
    [
        pytest.param('\ufeff{"text": "a", "paraphrase": "b", "model": "x"}\r\n', id="of Windows"),
        pytest.param('[{"text": "a", "paraphrase": ["b"]}]', id="one list"),
        pytest.param('{"text": "a", "paraphrase": "b"}', id="no line break at the end"),
        pytest.param('{"text": "a\u2028", "paraphrase": "b"}\n', id="a separator of lines"),
    ],
)
def test_files_are_read_as_programs_write_them(tmp_path: Path, data: str) -> None:
    file = tmp_path / "paraphrases.jsonl"
    file.write_bytes(data.encode())

    (found,) = read_paraphrases(file)

    assert (found.text.strip(), found.paraphrases) == ("a", ("b",))
