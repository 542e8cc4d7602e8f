"""What is true is proven; of each kind of lie `verify` says what it is."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from farm.dataset.images import decode_pass
from farm.dataset.proof.measured import USUAL
from farm.dataset.proof.proof import Proof, prove
from farm.dataset.reader import open_dataset
from farm.dataset.verify.report import VerifyReport
from farm.dataset.verify.verify import verify
from farm.spec.expression import Expression
from farm.spec.passes import PassName
from farm.spec.record import ViewRecord
from farm.spec.words import AssetWords
from tests.support.changed_datasets import ChangedDataset
from tests.support.tabletop_views import (
    KITCHEN,
    PASSES,
    TRUE,
    Block,
    make_view,
    says,
    write_tabletop,
)

pytest.importorskip("imagecodecs")
pytest.importorskip("OpenEXR")

Line = dict[str, Any]
RED_MUG, BLUE_MUG, CAN, BOX, CUP, BOTTLE = range(1, 7)


def look_at(folder: Path) -> VerifyReport:
    return verify(open_dataset(folder), workers=2)


def told(report: VerifyReport) -> dict[str, tuple[str, ...]]:
    return {check.check: check.examples for check in report.checks if check.found}


def seen(
    *sentences: Expression,
    blocks: tuple[Block, ...] = KITCHEN,
    passes: tuple[PassName, ...] = PASSES,
) -> Proof:
    """Return the proof of sentences about blocks."""
    record, files = make_view(0, blocks, sentences, passes)
    arrays = {
        name: decode_pass(data, record.files[name].path, name) for name, data in files.items()
    }
    return prove(record, arrays, USUAL)


def verdict(sentence: Expression, blocks: tuple[Block, ...] = KITCHEN) -> str:
    (proven,) = seen(sentence, blocks=blocks).sentences
    return proven.verdict


def test_what_is_true_is_proven(tmp_path: Path) -> None:
    write_tabletop(tmp_path / "blocks", TRUE, views=2)

    report = look_at(tmp_path / "blocks")

    assert not report.wrong, told(report)
    assert report.sentences is not None
    assert report.sentences.checked == report.sentences.true == 2 * len(TRUE)
    assert report.sentences.by_kind["plural"].true == 2
    looked = {check.check: check.looked_at for check in report.checks}
    assert looked["sentences"] == 2 * len(TRUE)
    assert looked["things"] == 2


def test_datasets_without_sentences_have_no_such_checks(tmp_path: Path) -> None:
    from tests.support.datasets import write_dataset

    write_dataset(tmp_path / "balls", passes=PASSES)

    report = look_at(tmp_path / "balls")

    assert report.sentences is None
    assert not {"things", "sentences", "unproven"} & {check.check for check in report.checks}


class Lie:
    """A dataset of true sentences of which one thing is changed."""

    def __init__(self, folder: Path) -> None:
        write_tabletop(folder, TRUE)
        self.data = ChangedDataset(folder)
        self.line = self.data.lines[0]

    def sentence(self, part: str) -> Line:
        """Return the sentence that holds some words."""
        return next(each for each in self.line["expressions"] if part in each["text"])

    def thing(self, place: int) -> Line:
        return self.line["objects"][place]

    def pixels(self, name: PassName, how: Callable[[np.ndarray], None]) -> None:
        """Change a pass in place."""

        def changed(array: np.ndarray) -> np.ndarray:
            how(array)
            return array

        self.data.change(name, changed, at=0)

    def told(self) -> dict[str, tuple[str, ...]]:
        self.data.save()
        return told(look_at(self.data.folder))


def swap_target(lie: Lie) -> None:
    it = lie.sentence("blue mug.")
    it["targets"] = [RED_MUG]
    it["phrases"][0]["objects"] = [RED_MUG]
    it["boxes_px"] = [lie.thing(RED_MUG)["box_px"]]
    it["points_px"] = lie.sentence("leftmost")["points_px"]


def change_colour_of_program(lie: Lie) -> None:
    lie.sentence("Pick up the blue mug")["program"][2]["value"] = "red"


def change_colour_in_text(lie: Lie) -> None:
    lie.sentence("Lift the mug")["text"] = "Lift the mug that is not tan."


def change_colour_of_both(lie: Lie) -> None:
    it = lie.sentence("Pick up the blue mug")
    it["text"] = "Pick up the pink mug."
    it["program"][2]["value"] = "pink"


def turn_relation_round(lie: Lie) -> None:
    it = lie.sentence("left of the can")
    it["program"][3]["value"] = "right"


def put_cup_onto_table(lie: Lie) -> None:
    lie.thing(CUP)["on"] = [0]


def put_mug_onto_box(lie: Lie) -> None:
    lie.thing(RED_MUG)["on"] = [BOX]


def let_mug_rest_on_nothing(lie: Lie) -> None:
    lie.thing(RED_MUG)["on"] = []


def remove_object(lie: Lie) -> None:
    del lie.line["objects"][BOTTLE]


def forget_pixels_of_object(lie: Lie) -> None:
    lie.thing(BOTTLE)["indices"] = [99]


def push_things_away(lie: Lie) -> None:
    def change(depth: np.ndarray) -> None:
        depth[:] += 0.05

    lie.pixels("depth", change)


def push_one_thing_away(lie: Lie) -> None:
    x0, y0, x1, y1 = map(int, lie.thing(CAN)["box_px"])

    def change(depth: np.ndarray) -> None:
        depth[y0:y1, x0:x1] += 0.03

    lie.pixels("depth", change)


def swap_indices_in_pass(lie: Lie) -> None:
    def change(index: np.ndarray) -> None:
        one, other = index == RED_MUG + 1, index == BLUE_MUG + 1
        index[one], index[other] = BLUE_MUG + 1, RED_MUG + 1

    lie.pixels("index", change)


def swap_indices_in_record(lie: Lie) -> None:
    one, other = lie.thing(RED_MUG), lie.thing(BLUE_MUG)
    one["indices"], other["indices"] = other["indices"], one["indices"]


def repaint(lie: Lie) -> None:
    def change(albedo: np.ndarray) -> None:
        blue = albedo[..., 2] > 2 * albedo[..., 0]
        albedo[blue] = (0.02, 0.35, 0.03)

    lie.pixels("albedo", change)


def say_other_colour_of_thing(lie: Lie) -> None:
    lie.thing(BLUE_MUG)["attributes"]["colour"] = "yellow"


def say_thing_is_metal(lie: Lie) -> None:
    lie.thing(BOTTLE)["attributes"]["materials"] = ["metal"]


def say_bottle_stands(lie: Lie) -> None:
    lie.thing(BOTTLE)["attributes"]["pose"] = "upright"


def enlarge_box(lie: Lie) -> None:
    lie.thing(CAN)["size"] = [1.5 * side for side in lie.thing(CAN)["size"]]


def shrink_box(lie: Lie) -> None:
    lie.thing(CAN)["size"] = [0.8 * side for side in lie.thing(CAN)["size"]]


def shift_pose(lie: Lie) -> None:
    lie.thing(CAN)["camera_from_object"][0][3] += 0.02


def shift_camera(lie: Lie) -> None:
    lie.line["camera"]["world_from_camera"][2][3] += 0.05


def tilt_camera(lie: Lie) -> None:
    pose = np.array(lie.line["camera"]["world_from_camera"])
    turn = np.eye(4)
    turn[1:3, 1:3] = [[0.94, -0.342], [0.342, 0.94]]
    lie.line["camera"]["world_from_camera"] = (turn @ pose).tolist()


def move_box_in_picture(lie: Lie) -> None:
    lie.thing(CAN)["box_px"] = [side + 5 for side in lie.thing(CAN)["box_px"]]


def move_box_of_sentence(lie: Lie) -> None:
    it = lie.sentence("Pick up the blue mug")
    it["boxes_px"] = [[side + 1 for side in it["boxes_px"][0]]]


def move_point(lie: Lie) -> None:
    it = lie.sentence("Pick up the blue mug")
    it["points_px"] = [[it["points_px"][0][0], 3.5]]


def cut_phrase(lie: Lie) -> None:
    lie.sentence("Pick up the blue mug")["phrases"][0]["end"] -= 2


def stretch_phrase(lie: Lie) -> None:
    lie.sentence("Pick up the blue mug")["phrases"][0]["end"] = 400


def move_phrase(lie: Lie) -> None:
    it = lie.sentence("Pick up the blue mug")
    it["phrases"][0] |= {"start": 0, "end": 7}


def mean_other_anchor(lie: Lie) -> None:
    lie.sentence("left of the can")["phrases"][1]["objects"] = [BOX]


def rename_thing(lie: Lie) -> None:
    lie.thing(CAN)["words"]["noun"] = "jar"


def add_twin(lie: Lie) -> None:
    lie.thing(CAN)["words"] |= {"noun": "mug"}


def unconfirm(lie: Lie) -> None:
    lie.thing(CAN)["words"] |= {"confirmed": False}


def hide_target(lie: Lie) -> None:
    lie.thing(BLUE_MUG)["visible_fraction"] = 0.3


def let_negative_hit(lie: Lie) -> None:
    it = lie.sentence("green mug")
    it["text"] = it["text"].replace("green", "blue")
    it["program"][2]["value"] = "blue"


def repeat_sentence_it_was_made_of(lie: Lie) -> None:
    it = lie.sentence("green mug")
    it["edited_from"] = it["text"]


def call_it_relation(lie: Lie) -> None:
    lie.sentence("Pick up the blue mug")["kind"] = "relation"


def lose_target_of_plural(lie: Lie) -> None:
    it = lie.sentence("both mugs")
    for field in ("targets", "boxes_px", "points_px"):
        it[field] = it[field][:1]
    it["phrases"][0]["objects"] = [RED_MUG]


def break_program(lie: Lie) -> None:
    lie.sentence("Pick up the blue mug")["program"][1]["inputs"] = [2]


def empty_text(lie: Lie) -> None:
    it = lie.sentence("Pick up the blue mug")
    it["text"], it["phrases"] = " ", []


LIES: dict[Callable[[Lie], None], tuple[str, str]] = {
    swap_target: ("sentences", "is said of 1 (red_mug), but is true of 2 (blue_mug)"),
    change_colour_of_program: ("sentences", "is said of 2 (blue_mug), but is true of 1 (red_mug)"),
    change_colour_in_text: ("claims", "says red never, its program once"),
    change_colour_of_both: ("sentences", "but is true of nothing"),
    turn_relation_round: ("sentences", "is said of 1 (red_mug), but is true of 2 (blue_mug)"),
    put_cup_onto_table: ("things", "(yellow_cup) is said to touch object 0 (board), which is 80.0"),
    put_mug_onto_box: ("things", "1 (red_mug) is said to touch object 4 (green_box), which is"),
    let_mug_rest_on_nothing: ("things", "object 1 (red_mug) rests on nothing"),
    remove_object: ("things", "index 7 is of no object of the record"),
    forget_pixels_of_object: ("things", "object 6 (white_bottle) is said to be seen, but no pixel"),
    push_things_away: ("things", "outside of its box"),
    push_one_thing_away: ("things", "of object 3 (red_can) lie outside of its box"),
    swap_indices_in_pass: ("things", "of object 1 (red_mug) lie outside of its box"),
    swap_indices_in_record: ("things", "of object 1 (red_mug) lie outside of its box"),
    repaint: ("sentences", "Pick up the blue mug"),
    say_other_colour_of_thing: ("things", "is said to be yellow, which 0% of its pixels are"),
    say_thing_is_metal: ("things", "is said to be metal, but scatters 85% of the light"),
    say_bottle_stands: ("things", "is said to be upright, which its pose is not"),
    enlarge_box: ("things", "the box of object 3 (red_can) reaches"),
    shrink_box: ("things", "of object 3 (red_can) lie outside of its box"),
    shift_pose: ("things", "of object 3 (red_can) lie outside of its box"),
    shift_camera: ("things", "but its lowest point is 50.0 mm above its top"),
    tilt_camera: ("things", "is said to be on object 0 (board), but its lowest"),
    move_box_in_picture: ("things", "the box of object 3 (red_can) is"),
    move_box_of_sentence: ("claims", "for 2 (blue_mug), whose box is not that"),
    move_point: ("claims", "for 2 (blue_mug), which is not there"),
    cut_phrase: ("claims", 'which cuts a word: "the blue m"'),
    stretch_phrase: ("claims", "but its text has 21 characters"),
    move_phrase: ("claims", '"Pick up" does not say what 2 (blue_mug) is called'),
    mean_other_anchor: ("claims", "means 4 (green_box), which no step of its program finds"),
    rename_thing: ("sentences", "left of the can"),
    add_twin: ("sentences", "Grab both mugs"),
    unconfirm: ("ambiguous", "perhaps 3 (red_can)"),
    hide_target: ("claims", "names 2 (blue_mug), of which only 30% are seen"),
    let_negative_hit: ("sentences", "is said of nothing, but is true of 2 (blue_mug)"),
    repeat_sentence_it_was_made_of: ("claims", "is the very sentence"),
    call_it_relation: ("claims", "is of kind relation, of which its program has no step"),
    lose_target_of_plural: ("sentences", "is said of 1 (red_mug), but is true of 1"),
    break_program: ("sentences", "its program cannot be run: step 1 takes the result of a step"),
    empty_text: ("claims", "has no text"),
}  # fmt: skip


@pytest.mark.parametrize("lie", LIES, ids=lambda lie: lie.__name__)
def test_lies_are_named(tmp_path: Path, lie: Callable[[Lie], None]) -> None:
    told_as = Lie(tmp_path / "blocks")
    lie(told_as)
    check, words = LIES[lie]

    found = told_as.told()

    assert any(words in example for example in found.get(check, ())), found


TWIN = Block("mug", "blue", (0.05, -0.2))


@pytest.mark.parametrize(
    ("added", "part"),
    [
        (TWIN, "blue mug."),
        (TWIN._replace(paint="red", at=(0.25, 0.0)), "red object to the right"),
        (Block("bottle", "white", (0.1, 0.3), size=(0.06, 0.06, 0.22)), "behind the blue mug"),
        (Block("cup", "red", (-0.35, 0.25)), "nearest to the cup"),
        (Block("vessel", "white", (-0.12, -0.2)), "second vessel"),
        (Block("crate", "white", (0.05, 0.25), size=(0.22, 0.1, 0.05)), "largest"),
        (Block("can", "green", (0.0, -0.1)), "left of the can"),
        (Block("thing", "metal", (0.05, -0.2), words=AssetWords(noun="gadget")), "both mugs"),
        (Block("mug", "metal", (0.05, -0.2)), "not red"),
    ],
)
def test_another_thing_makes_a_sentence_untrue(added: Block, part: str) -> None:
    sentence = next(each for each in TRUE if part in each.text)

    assert verdict(sentence) == "true"
    assert verdict(sentence, (*KITCHEN, added)) in ("ambiguous", "false")


def test_a_margin_is_not_enough() -> None:
    """Just a bit to the left is neither left nor not left."""
    near = Block("cup", "white", (-0.01, -0.25))
    blocks = (Block("can", "red", (0.0, 0.0)), near)
    left = says("Take [the cup left of the can].", "relation",
                ["scene", "noun can <0", "unique <1", "relate left <2", "noun cup <3"], [2],
                [("the can", 1)])  # fmt: skip

    assert verdict(left, blocks) == "false"
    assert verdict(left, (blocks[0], near._replace(at=(-0.05, -0.2)))) == "true"


@pytest.mark.parametrize(
    ("lacking", "part", "what"),
    [
        ("albedo", "Pick up the blue mug", "needs the pass albedo"),
        ("depth", "left of the can", "needs the pass depth"),
        ("index", "Grab both mugs", "needs the pass index"),
    ],
)
def test_what_passes_do_not_show_is_not_proven(
    tmp_path: Path, lacking: PassName, part: str, what: str
) -> None:
    write_tabletop(
        tmp_path / "blocks", TRUE, passes=tuple(name for name in PASSES if name != lacking)
    )

    report = look_at(tmp_path / "blocks")

    assert not report.wrong, told(report)
    assert report.sentences is not None
    assert report.sentences.unproven
    assert report.sentences.unproven + report.sentences.true == len(TRUE)
    notes = {check.check: check for check in report.checks}
    assert notes["unproven"].found == report.sentences.unproven
    assert notes["unproven"].is_note
    (sentence,) = [each for each in TRUE if part in each.text]
    proven = seen(sentence, passes=tuple(name for name in PASSES if name != lacking)).sentences[0]
    assert (proven.verdict, proven.reason) == ("unproven", what)


def test_a_lie_by_the_records_own_word_is_false_without_passes() -> None:
    sentence = says("Take [the green mug].", "attribute",
                    ["scene", "noun mug <0", "colour green <1"], [1])  # fmt: skip

    (proven,) = seen(sentence, passes=("rgb", "mask", "index", "depth")).sentences

    assert proven.verdict == "false"


def test_sentences_name_what_a_job_lets_them(tmp_path: Path) -> None:
    """With `visible_px` of 1000 a job names nothing of 500 pixels."""
    write_tabletop(tmp_path / "blocks", TRUE[:1])
    summary = tmp_path / "blocks" / "dataset.json"
    told_of = json.loads(summary.read_text())
    told_of["spec"]["recipe"] = {"visible_px": 5000}
    summary.write_text(json.dumps(told_of))

    report = look_at(tmp_path / "blocks")

    assert "of which only" in told(report)["claims"][0]


def record_of(blocks: tuple[Block, ...] = KITCHEN) -> ViewRecord:
    return make_view(0, blocks, TRUE)[0]
