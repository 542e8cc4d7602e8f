"""Random lies about views whose sentences are true: one thing is changed, in a record or a pass."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from farm.dataset.proof.measured import Naming
from farm.dataset.proof.proof import prove
from farm.spec.expression import ColourTerm
from farm.spec.passes import PassName
from farm.spec.record import ViewRecord, read_record

Arrays = dict[PassName, NDArray[Any]]
Json = dict[str, Any]
TERMS = get_args(ColourTerm)
OPPOSITE = {"left": "right", "right": "left", "front": "behind", "behind": "front"}
SAID = {
    "left": ("to the left of", "to the right of"),
    "right": ("to the right of", "to the left of"),
    "front": ("in front of", "behind"),
    "behind": ("behind", "in front of"),
}
PAINTS = {
    "red": (0.6, 0.02, 0.02), "green": (0.03, 0.35, 0.04), "blue": (0.02, 0.05, 0.6),
    "yellow": (0.85, 0.7, 0.02), "black": (0.004, 0.004, 0.004), "white": (0.9, 0.9, 0.9),
}  # fmt: skip


class NotHereError(Exception):
    """A view of which this cannot be lied."""


class Told(NamedTuple):
    """A lie, and whether it is found."""

    lie: str
    what: str
    noticed: bool


class View:
    """A view that is lied about."""

    def __init__(self, record: ViewRecord, arrays: Arrays, rng: np.random.Generator) -> None:
        self.line: Json = record.model_dump(mode="json")
        self.arrays = {name: array.copy() for name, array in arrays.items()}
        self.rng = rng
        self.what = ""

    def pick(self, options: list[Any]) -> Any:
        """Return one of several, by chance."""
        if not options:
            raise NotHereError
        return options[int(self.rng.integers(len(options)))]

    def sentence(self, holds: Callable[[Json], bool] = lambda _: True) -> Json:
        """Return a sentence of which something holds."""
        found = self.pick([each for each in self.line["expressions"] if holds(each)])
        self.what = found["text"]
        assert isinstance(found, dict)
        return found

    def target(self) -> int:
        """Return an object that a sentence refers to."""
        found = {at for each in self.line["expressions"] for at in each["targets"]}
        place = int(self.pick(sorted(found)))
        self.what = self.thing(place)["name"]
        return place

    def thing(self, place: int) -> Json:
        thing = self.line["objects"][place]
        assert isinstance(thing, dict)
        return thing

    def pixels(self, place: int) -> NDArray[np.bool_]:
        return np.isin(self.arrays["index"], self.thing(place)["indices"])

    def others(self, place: int) -> list[int]:
        """Return other objects that are seen well."""
        called = [at for at, each in enumerate(self.line["objects"]) if each.get("words")]
        return [at for at in called if at != place and np.count_nonzero(self.pixels(at)) > 100]

    def record(self) -> ViewRecord:
        return read_record(json_of(self.line))


def json_of(line: Json) -> str:
    import json

    return json.dumps(line)


def is_single(sentence: Json) -> bool:
    return len(sentence["targets"]) == 1 and not sentence["negative"]


def has_step(*ops: str) -> Callable[[Json], bool]:
    return lambda each: any(step["op"] in ops for step in each["program"])


def another_target(view: View) -> None:
    it = view.sentence(is_single)
    other = view.pick(view.others(it["targets"][0]))
    v, u = np.nonzero(view.pixels(other))
    middle = int(((v - v.mean()) ** 2 + (u - u.mean()) ** 2).argmin())
    it["targets"], it["boxes_px"] = [other], [view.thing(other)["box_px"]]
    it["points_px"] = [[u[middle] + 0.5, v[middle] + 0.5]]
    for phrase in it["phrases"]:
        if phrase["role"] == "target":
            phrase["objects"] = [other]


def one_target_less(view: View) -> None:
    it = view.sentence(lambda each: len(each["targets"]) > 2)
    gone = int(view.rng.integers(len(it["targets"])))
    for field in ("targets", "boxes_px", "points_px"):
        del it[field][gone]
    for phrase in it["phrases"]:
        if phrase["role"] == "target":
            phrase["objects"] = list(it["targets"])


def one_target_more(view: View) -> None:
    it = view.sentence(lambda each: len(each["targets"]) > 1)
    other = view.pick([at for at in view.others(0) if at not in it["targets"]])
    v, u = np.nonzero(view.pixels(other))
    it["targets"] = [*it["targets"], other]
    it["boxes_px"].append(view.thing(other)["box_px"])
    it["points_px"].append([u[0] + 0.5, v[0] + 0.5])
    for phrase in it["phrases"]:
        if phrase["role"] == "target":
            phrase["objects"] = list(it["targets"])


def replaced(it: Json, old: str, new: str) -> None:
    """Replace a word of a sentence, and shift its phrases."""
    match = re.search(rf"\b{re.escape(old)}\b", it["text"])
    if not match:
        raise NotHereError
    start, more = match.start(), len(new) - len(old)
    it["text"] = it["text"][:start] + new + it["text"][start + len(old) :]
    for phrase in it["phrases"]:
        phrase["start"] += more * (phrase["start"] > start)
        phrase["end"] += more * (phrase["end"] > start)


def another_colour(view: View, *, program: bool = True, text: bool = True) -> None:
    it = view.sentence(lambda each: has_step("colour")(each) and not each["negative"])
    step = view.pick([each for each in it["program"] if each["op"] == "colour"])
    said = [each["value"] for each in it["program"] if each["op"] in ("colour", "not_colour")]
    new = view.pick([term for term in TERMS if term not in said])
    if text:
        if said.count(step["value"]) > 1:
            raise NotHereError
        replaced(it, step["value"], new)
    if program:
        step["value"] = new


def another_colour_in_text(view: View) -> None:
    another_colour(view, program=False)


def another_colour_in_program(view: View) -> None:
    another_colour(view, text=False)


def another_noun_in_text(view: View) -> None:
    it = view.sentence(has_step("noun"))
    nouns = [each["value"] for each in it["program"] if each["op"] == "noun"]
    old = view.pick([noun for noun in nouns if noun != "object" and nouns.count(noun) == 1])
    known = {each["words"]["noun"] for each in view.line["objects"] if each.get("words")}
    replaced(it, old, view.pick(sorted(known - set(nouns))))


def another_noun_in_program(view: View) -> None:
    it = view.sentence(has_step("noun"))
    step = view.pick([s for s in it["program"] if s["op"] == "noun" and s["value"] != "object"])
    known = {each["words"]["noun"] for each in view.line["objects"] if each.get("words")}
    step["value"] = view.pick(sorted(known - {step["value"]}))


def turned_relation(view: View, *, text: bool = True, program: bool = True) -> None:
    it = view.sentence(lambda each: has_step("relate")(each) and not each["negative"])
    steps = [s for s in it["program"] if s["op"] == "relate" and s["value"] in OPPOSITE]
    if len(steps) != 1:
        raise NotHereError
    if text:
        replaced(it, *SAID[steps[0]["value"]])
    if program:
        steps[0]["value"] = OPPOSITE[steps[0]["value"]]


def turned_relation_in_text(view: View) -> None:
    turned_relation(view, program=False)


def turned_relation_in_program(view: View) -> None:
    turned_relation(view, text=False)


def another_place_of_row(view: View) -> None:
    it = view.sentence(lambda each: has_step("ordinal")(each) and not each["negative"])
    step = next(each for each in it["program"] if each["op"] == "ordinal")
    count, side = step["value"].split()
    names = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth")
    new = int(count) % 3 + 1
    replaced(it, names[int(count) - 1], names[new - 1])
    step["value"] = f"{new} {side}"


def another_superlative(view: View) -> None:
    it = view.sentence(lambda each: has_step("superlative")(each) and not each["negative"])
    step = next(each for each in it["program"] if each["op"] == "superlative")
    other = {
        "largest": "smallest", "smallest": "largest", "leftmost": "rightmost",
        "rightmost": "leftmost", "frontmost": "rearmost", "rearmost": "frontmost",
    }  # fmt: skip
    step["value"] = other.get(step["value"], "smallest")


def taken_for_negative(view: View) -> None:
    it = view.sentence(lambda each: not each["negative"])
    it |= {"negative": True, "kind": "none", "targets": [], "boxes_px": [], "points_px": []}
    it |= {"edited": "colour red > blue", "edited_from": "The other one."}
    for phrase in it["phrases"]:
        if phrase["role"] == "target":
            phrase["objects"] = []


def given_a_target(view: View) -> None:
    it = view.sentence(lambda each: each["negative"])
    other = view.pick(view.others(0))
    v, u = np.nonzero(view.pixels(other))
    it |= {"negative": False, "kind": "attribute", "edited": None, "edited_from": None}
    it |= {"targets": [other], "boxes_px": [view.thing(other)["box_px"]]}
    it["points_px"] = [[u[0] + 0.5, v[0] + 0.5]]
    for phrase in it["phrases"]:
        if phrase["role"] == "target":
            phrase["objects"] = [other]


def forgotten_thing(view: View) -> None:
    view.thing(view.target())["indices"] = [60_000]


def swapped_words(view: View) -> None:
    one = view.target()
    noun = view.thing(one)["words"]["noun"]
    different = [at for at in view.others(one) if view.thing(at)["words"]["noun"] != noun]
    two = view.thing(view.pick(different))
    one_words, two["words"] = two["words"], view.thing(one)["words"]
    view.thing(one)["words"] = one_words


def swapped_pixels(view: View) -> None:
    one = view.target()
    two = view.pick(view.others(one))
    here, there = view.pixels(one), view.pixels(two)
    index = view.arrays["index"]
    index[here], index[there] = view.thing(two)["indices"][0], view.thing(one)["indices"][0]


def moved_depth(view: View) -> None:
    view.arrays["depth"][view.pixels(view.target())] += view.rng.uniform(0.03, 0.3)


def moved_pose(view: View) -> None:
    pose = view.thing(view.target())["camera_from_object"]
    pose[int(view.rng.integers(2))][3] += view.rng.uniform(0.02, 0.2)


def larger_box(view: View) -> None:
    thing = view.thing(view.target())
    thing["size"] = [side * view.rng.uniform(1.6, 3.0) for side in thing["size"]]


def smaller_box(view: View) -> None:
    thing = view.thing(view.target())
    thing["size"] = [side * view.rng.uniform(0.3, 0.8) for side in thing["size"]]


def moved_contact(view: View) -> None:
    one = view.target()
    view.thing(one)["on"] = [view.pick(view.others(one))]


def lost_contact(view: View) -> None:
    view.thing(view.target()).update({"on": [], "inside": []})


def too_little_seen(view: View) -> None:
    view.thing(view.target())["visible_fraction"] = float(view.rng.uniform(0.0, 0.35))


def repainted(view: View) -> None:
    one = view.target()
    said = view.thing(one)["attributes"]["colour"]
    if said is None:
        raise NotHereError
    paint = view.pick(sorted(set(PAINTS) - {said}))
    view.arrays["albedo"][view.pixels(one)] = PAINTS[paint]


def another_attribute(view: View) -> None:
    thing = view.thing(view.target())
    said = thing["attributes"]["colour"]
    if said is None:
        raise NotHereError
    thing["attributes"]["colour"] = view.pick([term for term in PAINTS if term != said])


def shifted_span(view: View) -> None:
    it = view.sentence(lambda each: bool(each["phrases"]))
    phrase = view.pick(it["phrases"])
    phrase["start"] += int(view.rng.integers(1, 4))


def moved_box(view: View) -> None:
    it = view.sentence(lambda each: bool(each["targets"]))
    it["boxes_px"][0] = [side + 2.0 for side in it["boxes_px"][0]]


def moved_point(view: View) -> None:
    it = view.sentence(lambda each: bool(each["targets"]))
    v, u = np.nonzero(~view.pixels(it["targets"][0]))
    at = int(view.rng.integers(len(v)))
    it["points_px"][0] = [u[at] + 0.5, v[at] + 0.5]


def another_anchor(view: View) -> None:
    it = view.sentence(
        lambda each: any(p["role"] == "anchor" and p["objects"] for p in each["phrases"])
    )
    phrase = view.pick([p for p in it["phrases"] if p["role"] == "anchor" and p["objects"]])
    known = {at for other in it["phrases"] for at in other["objects"]}
    phrase["objects"] = [view.pick([at for at in view.others(0) if at not in known])]


def another_kind(view: View) -> None:
    it = view.sentence(is_single)
    kinds = ("between", "ordinal", "plural", "negation", "none", "superlative", "nearest", "same")
    it["kind"] = view.pick([kind for kind in kinds if kind != it["kind"]])


def added_word(view: View) -> None:
    it = view.sentence(lambda each: "the " in each["text"])
    replaced(it, "the", "the striped")


def turned_camera(view: View) -> None:
    pose = np.array(view.line["camera"]["world_from_camera"])
    angle = view.rng.uniform(0.1, 0.4)
    turn = np.eye(4)
    turn[1:3, 1:3] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    view.line["camera"]["world_from_camera"] = (turn @ pose).tolist()


LIES: tuple[Callable[[View], None], ...] = (
    another_target, one_target_less, one_target_more, another_colour, another_colour_in_text,
    another_colour_in_program, another_noun_in_text, another_noun_in_program, turned_relation,
    turned_relation_in_text, turned_relation_in_program, another_place_of_row, another_superlative,
    taken_for_negative, given_a_target, forgotten_thing, swapped_words, swapped_pixels, moved_depth,
    moved_pose, larger_box, smaller_box, moved_contact, lost_contact, too_little_seen, repainted,
    another_attribute, shifted_span, moved_box, moved_point, another_anchor, another_kind,
    added_word, turned_camera,
)  # fmt: skip


def random_lie(
    record: ViewRecord, arrays: Mapping[PassName, NDArray[Any]], naming: Naming, seed: int
) -> Told | None:
    """Lie about a view by chance and say whether that is found; None where it cannot be lied so."""
    rng = np.random.default_rng(seed)
    lie = LIES[int(rng.integers(len(LIES)))]
    view = View(record, dict(arrays), rng)
    try:
        lie(view)
    except NotHereError:
        return None
    proof = prove(view.record(), view.arrays, naming)
    wrong = [each for each in proof.sentences if each.claims or each.verdict in BAD]
    return Told(lie.__name__, view.what, bool(wrong or proof.scene))


BAD = ("false", "ambiguous")
