"""Sentences are looked at beside what they mean: outlined, dotted, or marked as true of nothing."""

from __future__ import annotations

import io

import numpy as np
import pytest

from farm.dataset.preview.preview import page_of, picture_of, sheet_of
from farm.dataset.reader import open_dataset
from tests.support.table_views import (
    BLUE_MUG,
    GREEN_BOWL,
    RED_MUG,
    THINGS,
    the_one,
    write_table_views,
)
from tests.unit.dataset.preview.test_preview import data_of

pytest.importorskip("imagecodecs")
Image = pytest.importorskip("PIL.Image")
from PIL import ImageDraw  # noqa: E402  needs Pillow

from farm.dataset.preview import html_page  # noqa: E402
from farm.dataset.preview.coloured_text import Run, wrapped, write_runs  # noqa: E402
from farm.dataset.preview.outlines import (  # noqa: E402
    MOST_POINTS,
    object_outlines,
    simple_contours,
)
from farm.dataset.preview.sentences import (  # noqa: E402
    ANCHOR,
    NOTHING,
    SEVERAL,
    TARGET,
    choose_few,
    draw_sentence,
    outlines_of,
    runs_of,
)
from farm.dataset.preview.sheet import draw_few  # noqa: E402
from farm.dataset.preview.tiles import MOST_SENTENCES, draw_sentences  # noqa: E402

SIZE = (160, 120)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("told") / "tables"
    write_table_views(folder, size=SIZE)
    return open_dataset(folder)


def area(loop) -> float:
    x, y = np.array(loop).T
    return float(abs(x @ np.roll(y, 1) - y @ np.roll(x, 1)) / 2)


def disc(radius: float, size: int = 100) -> np.ndarray:
    y, x = np.mgrid[:size, :size] + 0.5 - size / 2
    return np.hypot(x, y) < radius


def close_to(colours: np.ndarray, colour) -> np.ndarray:
    """Return where (H, W) a picture has a colour, nearly."""
    return np.abs(colours.astype(int) - np.array(colour)).max(axis=-1) < 40


def test_outlines_enclose_what_the_mask_does_with_few_points():
    mask = disc(40) & ~disc(15)

    outer, hole = sorted(simple_contours(mask), key=area, reverse=True)

    assert area(outer) - area(hole) == pytest.approx(mask.sum(), rel=0.03)
    assert len(outer) + len(hole) < 60


def test_a_ragged_mask_has_no_endless_outline():
    rng = np.random.default_rng(0)

    loops = simple_contours(rng.random((120, 160)) < 0.4)

    assert 0 < sum(map(len, loops)) <= 4 * MOST_POINTS


def test_an_outline_lies_on_the_edge_of_its_object_at_every_size(data):
    view = data[1]
    index = view["index"]
    for size in (SIZE, (400, 300), (80, 60)):
        scale = size[0] / SIZE[0]

        found = object_outlines(view, [1, 2, 99], size)

        assert sorted(found) == [1, 2]
        for at, loops in found.items():
            x = np.array(loops[0])[:, 0] / scale
            columns = np.flatnonzero((index == at + 1).any(axis=0))
            assert len(loops) == 1
            assert (x.min(), x.max()) == pytest.approx((columns[0], columns[-1] + 1), abs=2)
            assert area(np.array(loops[0]) / scale) == pytest.approx(
                (index == at + 1).sum(), rel=0.12
            )


def test_boxes_stand_for_outlines_that_are_not_known(tmp_path):
    write_table_views(tmp_path / "plain", passes=("rgb",), size=SIZE)
    write_table_views(tmp_path / "broken", size=SIZE)
    for view in open_dataset(tmp_path / "broken"):
        (tmp_path / "broken" / view.path("index")).write_bytes(b"nothing")

    for place in ("plain", "broken"):
        view = open_dataset(tmp_path / place)[0]
        left, top, right, bottom = view.record.objects[1].box_px

        [loop] = object_outlines(view, [1], (320, 240))[1]

        assert loop[0] == (2 * left, 2 * top)
        assert loop[2] == (2 * right, 2 * bottom)


def test_a_target_is_outlined_and_an_anchor_dotted(data):
    view = data[0]
    [nearest] = [each for each in view.record.expressions if each.kind == "nearest"]
    picture = Image.new("RGB", (480, 360), (90, 90, 90))

    draw_sentence(picture, nearest, outlines_of(view, [nearest], picture.size), TARGET, ANCHOR)

    drawn = np.asarray(picture)
    there = np.kron(view["index"], np.ones((3, 3), int))
    rim = {at: rim_of(there == at + 1) for at in range(1, 4)}
    (target,), (anchor,) = nearest.targets, nearest.phrases[1].objects
    (other,) = {1, 2, 3} - {target, anchor}
    solid = way_around(close_to(drawn, TARGET) & rim[target])
    dots = way_around(close_to(drawn, ANCHOR) & rim[anchor])
    assert solid > 0.95
    assert 0.3 < dots < 0.8
    assert (drawn[rim[other]] == 90).all()
    assert not (close_to(drawn, TARGET) & ~rim[target]).any()


def way_around(drawn: np.ndarray) -> float:
    """Return the share of the way around a thing on which something is drawn."""
    y, x = np.nonzero(drawn)
    if not len(x):
        return 0.0
    turns = np.arctan2(y - y.mean(), x - x.mean()) / (2 * np.pi)
    return len(np.unique((turns * 180).astype(int))) / 180


def rim_of(mask: np.ndarray) -> np.ndarray:
    """Return the pixels within a few of the edge of a mask."""
    near = np.zeros_like(mask)
    for right in range(-4, 5):
        for down in range(-4, 5):
            near |= np.roll(mask, (down, right), (0, 1)) != mask
    return near


def test_a_view_has_a_card_for_each_sentence_and_those_true_of_nothing_are_framed(data):
    view = data[0]
    plain = Image.new("RGB", (400, 300), (90, 90, 90))

    cards = draw_sentences(view, plain)

    assert len(cards) == len(view.record.expressions) == 5
    assert len({card.size for card in cards}) == 1
    framed = [close_to(np.asarray(card), NOTHING)[:310, :412].sum() > 2000 for card in cards]
    assert framed == [not each.targets for each in view.record.expressions]
    words = [np.asarray(card)[320:] for card in cards]
    assert close_to(words[0], TARGET).sum() > 40
    assert close_to(words[3], ANCHOR).sum() > 40
    assert close_to(words[4], TARGET).sum() == 0


def test_the_page_of_a_view_is_longer_by_its_sentences(data, tmp_path):
    write_table_views(tmp_path, size=SIZE, sentences=lambda _objects: ())
    silent = open_dataset(tmp_path)

    pages = [Image.open(io.BytesIO(picture_of(each, each[0].name))) for each in (data, silent)]

    assert pages[0].height > pages[1].height + 300


def test_a_page_of_a_view_ends_somewhere(tmp_path):
    write_table_views(
        tmp_path, [THINGS], views=1, size=(24, 18),
        sentences=lambda objects: tuple(the_one(objects, 1) for _ in range(MOST_SENTENCES + 5)),
    )  # fmt: skip

    cards = draw_sentences(open_dataset(tmp_path)[0], Image.new("RGB", (40, 30)))

    assert len(cards) == MOST_SENTENCES


def test_a_sheet_shows_a_few_sentences_of_each_view_in_colours_of_their_own(data, tmp_path):
    write_table_views(tmp_path, size=SIZE, sentences=lambda _objects: ())

    told = np.asarray(Image.open(io.BytesIO(sheet_of(data, limit=4))))
    silent = np.asarray(Image.open(io.BytesIO(sheet_of(open_dataset(tmp_path), limit=4))))

    for colour in (*SEVERAL[:2], NOTHING):
        assert close_to(told, colour).sum() > 100
        assert close_to(silent, colour).sum() == 0


def test_sentences_about_one_thing_have_an_outline_each(data):
    """One hid the other."""
    one = the_one(data[0].record.objects, 1)
    alike = [one.model_copy(update={"text": str(at)}) for at in range(3)]

    drawn = np.asarray(draw_few(data[0], Image.new("RGB", (400, 300), (90, 90, 90)), alike))

    for colour in SEVERAL[:3]:
        assert way_around(close_to(drawn, colour)) > 0.95
    assert way_around(close_to(drawn, SEVERAL[3])) == 0.0


def test_few_sentences_are_of_many_kinds_and_other_views_show_others(data):
    told = data[0].record.expressions

    few = [choose_few(told, 3, first=view) for view in range(len(told))]

    assert all(len({each.kind for each in some}) == 3 for some in few)
    assert all(sum(not each.targets for each in some) == 1 for some in few)
    assert {each.text for some in few for each in some} == {each.text for each in told}
    assert choose_few((), 3, first=7) == []
    assert len(choose_few(told, 99, first=2)) == len(told)


def test_of_phrases_in_phrases_the_inner_one_shows(data):
    """`the box nearest to the can`: all of it means the box, its end the can."""
    one = data[0].record.expressions[3]
    first, second = one.phrases
    whole = first.model_copy(update={"end": len(one.text)})

    runs = runs_of(one.model_copy(update={"phrases": (second, whole)}), TARGET, ANCHOR)

    assert [run.text for run in runs] == [
        one.text[: second.start],
        one.text[second.start :],
    ]
    assert [run.colour for run in runs] == [TARGET, ANCHOR]


def test_phrases_that_do_not_fit_the_text_do_no_harm(data):
    one = data[0].record.expressions[3]
    first, second = one.phrases
    wild = (
        first.model_copy(update={"start": 3, "end": 5_000}),
        second,
        second.model_copy(update={"start": second.start + 1}),
        first.model_copy(update={"start": 4, "end": 2}),
    )

    runs = runs_of(one.model_copy(update={"phrases": wild}), TARGET, ANCHOR)

    assert "".join(run.text for run in runs) == one.text


def test_text_is_wrapped_at_words_and_those_that_are_too_wide_are_broken():
    draw = ImageDraw.Draw(Image.new("RGB", (300, 200)))
    runs = [Run("the small red ", "white"), Run("mug", "red"), Run(", " + "x" * 60, "white")]

    words = list(wrapped(draw, runs, size=16, room=100))

    assert "".join(word.text for word in words) == "".join(r.text for r in runs).replace(" ", "")
    assert max(word.x + draw.textlength(word.text, font_size=16) for word in words) <= 112
    assert [word.line for word in words] == sorted(word.line for word in words)
    comma, mug = (next(w for w in words if w.text == text) for text in (",", "mug"))
    assert comma.line == mug.line  # a comma is never first on a line


def test_text_that_is_too_long_ends_with_an_ellipsis():
    picture = Image.new("RGB", (200, 200))
    draw = ImageDraw.Draw(picture)

    lines = write_runs(draw, (0, 0), [Run("word " * 50, "white")], size=16, room=150, lines=2)

    shown = np.asarray(picture).any(axis=-1)
    assert lines == 2
    assert shown[:45].any()
    assert not shown[48:].any()
    assert not shown[:, 152:].any()


def test_scenes_follow_each_other_whatever_stands_there(tmp_path):
    """Their views were sorted by the names of their assets."""
    write_table_views(tmp_path, [(RED_MUG,), (BLUE_MUG,), (GREEN_BOWL,)], size=(24, 18))

    shown = data_of(page_of(open_dataset(tmp_path), limit=6)[0])["views"]

    assert [view["title"] for view in shown] == [f"scene {at // 2}" for at in range(6)]


def test_a_page_finds_sentences_by_what_they_say(data):
    found = data_of(page_of(data, limit=4)[0])

    views = {
        view["key"]: said for view, said in zip(found["views"], found["sentences"], strict=True)
    }
    record = data[0].record
    assert [said["text"] for said in views[data[0].key]] == [e.text for e in record.expressions]
    nearest = views[data[0].key][3]
    assert nearest == {
        "text": record.expressions[3].text, "kind": "nearest", "level": 3,
        "nouns": [*dict.fromkeys(s.value for s in record.expressions[3].program if s.op == "noun")],
        "colours": [s.value for s in record.expressions[3].program if s.op == "colour"],
        "meant": 1, "negative": False,
    }  # fmt: skip
    assert [said["negative"] for said in views[data[0].key]] == [False] * 4 + [True]
    shown = found["views"][0]
    assert shown["size"] == [400, 300]
    meant = {at for each in shown["record"]["expressions"] for at in each["targets"]}
    assert set(map(int, shown["outlines"])) >= meant
    assert all(path.startswith("M") and path.endswith("Z") for path in shown["outlines"].values())
    assert max(map(len, shown["outlines"].values())) < 2000


def test_what_a_sentence_says_ends_no_element(tmp_path):
    evil = "</script><script>alert(1)</script><!--"

    def bad(objects):
        one = the_one(objects, 1)
        steps = (
            one.program[0],
            one.program[1].model_copy(update={"value": evil}),
            *one.program[2:],
        )
        return (one.model_copy(update={"text": evil, "program": steps, "edited_from": evil}),)

    write_table_views(tmp_path, size=SIZE, sentences=bad)
    data = open_dataset(tmp_path)

    page, _ = page_of(data, limit=2)

    assert "alert(1)</script>" not in page
    assert (
        page.count("<!--")
        == html_page.files("farm.dataset.preview")
        .joinpath(html_page.TEMPLATE)
        .read_text()
        .count("<!--")
        - 2
    )  # the marks of where data goes
    assert data_of(page)["sentences"][0][0]["nouns"] == [evil]
    picture_of(data, data[0].name)


def test_a_page_of_endless_sentences_shows_the_first_of_each_view(data, monkeypatch):
    monkeypatch.setattr(html_page, "MOST_SENTENCES", 8)

    found = data_of(page_of(data, limit=4)[0])

    assert [len(some) for some in found["sentences"]] == [2] * 4
    assert [len(view["record"]["expressions"]) for view in found["views"]] == [2] * 4
    assert {view["more"] for view in found["views"]} == {3}


def test_a_page_of_many_views_has_what_it_shows_of_their_records(data, monkeypatch):
    """Whole records of things on tables are some 40 kB."""
    [whole, brief] = [
        data_of(page_of(data, limit=4)[0])["views"]
        for _most in (1000, 3)
        if not monkeypatch.setattr(html_page, "WHOLE_RECORDS", _most)
    ]

    assert [view["whole"] for view in (*whole, *brief)] == [True] * 4 + [False] * 4
    for many, few in zip(whole, brief, strict=True):
        assert len(str(few["record"])) < 0.5 * len(str(many["record"]))
        for part in ("objects", "expressions"):
            for all_of, some_of in zip(many["record"][part], few["record"][part], strict=True):
                assert some_of.items() <= all_of.items()
        assert [said["text"] for said in few["record"]["expressions"]] == [
            said["text"] for said in many["record"]["expressions"]
        ]


def test_a_page_without_sentences_has_none(tmp_path):
    write_table_views(tmp_path, size=SIZE, sentences=lambda _objects: ())

    found = data_of(page_of(open_dataset(tmp_path), limit=4)[0])

    assert found["sentences"] == [[]] * 4
    assert found["views"][0]["outlines"] == {}
