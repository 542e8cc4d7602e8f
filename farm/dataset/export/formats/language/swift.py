"""ms-swift: JSON lines of messages with boxes or points, for Qwen-VL, InternVL and others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from farm.dataset.export.base import Lines, NumberedView, ViewFiles
from farm.dataset.export.formats.language.json_lines import put_json_lines
from farm.dataset.export.formats.language.sentences import Entry, SentenceFileExporter, one_line
from farm.spec.expression import Expression

BOX = "<bbox>"
"""Tag in place of a box or a point: ms-swift puts in the numbers that each model wants."""
NAMED = "<ref-object>"
ASKED_FOR = {
    "boxes": f"<image>Give the box of what is meant: {NAMED}",
    "points": f"<image>Point at what is meant: {NAMED}",
}
NOTHING = "There is nothing like that in the picture."
TAGS = ("<image>", "<video>", "<audio>", BOX, NAMED)


class SwiftExporter(SentenceFileExporter):
    """`images/<split>/`, `<split>.jsonl` with boxes and `<split>_points.jsonl` with points."""

    reader = "ms-swift"
    takes = frozenset({"link", "text"})
    needs = (("rgb",),)
    own_reasons: ClassVar = {"tags": "a tag of ms-swift, such as <image>, in the text"}

    def take(self, view: NumberedView) -> ViewFiles:
        record = view.record
        chosen = self.choose(record, lambda place: record.objects[place].box_px is not None)
        file = self.picture_of(view)
        path = f"images/{view.split}/{view.stem}.{file.suffix}"
        line: Entry = {"boxes": [], "points": [], "left_out": chosen.left_out}
        for each in chosen.sentences:
            boxes = [list(record.objects[target].box_px or ()) for target in each.said.targets]
            points = [list(point) for point in each.said.points_px]
            line["boxes"].append(message(path, "boxes", each.said, boxes))
            if len(points) == len(boxes):
                line["points"].append(message(path, "points", each.said, points))
        files = [file.put(self.outbox, path, link=self.options.link), *self.put_extras(view)]
        return ViewFiles(files, line)

    def finish(self, lines: Lines) -> list[str]:
        files = []
        for split in self.survey.splits:
            for kind, path in (("boxes", f"{split}.jsonl"), ("points", f"{split}_points.jsonl")):
                found = (each for line in lines(split) for each in line[kind])
                files.append(put_json_lines(self.outbox, path, found))
        return files

    def why_not(self, said: Expression, seen: Callable[[int], bool]) -> str | None:
        if any(tag in said.text for tag in TAGS):
            return "tags"
        return super().why_not(said, seen)


def message(path: str, kind: str, said: Expression, places: list[Any]) -> Entry:
    """Return the question after what a sentence means, and the answer."""
    return {
        "messages": [
            {"role": "user", "content": ASKED_FOR[kind]},
            {"role": "assistant", "content": BOX * len(places) or NOTHING},
        ],
        "images": [path],
        "objects": {"ref": [one_line(said.text)], "bbox": places, "bbox_type": "real"},
    }
