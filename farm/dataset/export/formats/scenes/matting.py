"""Matting: the object, its alpha and what is behind it, each in a folder, with equal names."""

from __future__ import annotations

from typing import ClassVar, NamedTuple

from farm.dataset.export.base import FileExporter, Lines, NumberedView, ViewFiles
from farm.dataset.export.passes.alpha_bleeding import alpha_bled
from farm.dataset.export.passes.cutouts import cutout_pixels
from farm.dataset.export.passes.pictures import encode, picture, put_extras
from farm.spec.passes import PassName

OWN: frozenset[PassName] = frozenset({"rgb", "foreground", "background"})
"""Passes that have a place in the format."""


class MatteFolders(NamedTuple):
    """What readers call the folders of a split."""

    colour: str
    alpha: str
    behind: str
    picture: str


class MattingExporter(FileExporter):
    """`<split>/{image,fg,alpha,bg}/`: colours of the object are its own, at soft edges and beyond.

    `<split>.txt` says which background goes with which foreground.
    """

    takes = frozenset({"link"})
    needs: tuple[tuple[PassName, ...], ...] = (("foreground",), ("background",))
    folders: ClassVar[MatteFolders] = MatteFolders("fg", "alpha", "bg", "image")

    def name_of(self, view: NumberedView) -> str:
        """Return what the files of a view are called, without a suffix."""
        return view.stem

    def take(self, view: NumberedView) -> ViewFiles:
        pixels, folders = cutout_pixels(view), self.folders
        colour = self._put(view, folders.colour, encode(alpha_bled(pixels), "png"))
        alpha = self._put(view, folders.alpha, encode(pixels[..., 3], "png"))
        behind = self._put_picture(view, "background", folders.behind)
        shown = self._put_picture(view, "rgb", folders.picture)
        extras = tuple(name for name in self.options.passes if name not in OWN)
        more = put_extras(view, self.outbox, extras, link=self.options.link)
        pair = [colour, *behind]  # what is behind it only where that is a pass
        return ViewFiles([colour, alpha, *behind, *shown, *more], pair)

    def _put(self, view: NumberedView, folder: str, data: bytes) -> str:
        return self.outbox.put(f"{view.split}/{folder}/{self.name_of(view)}.png", data)

    def _put_picture(self, view: NumberedView, name: PassName, folder: str) -> list[str]:
        """Put a picture into a folder, if the view has it; return its path."""
        if name not in view.record.files:
            return []
        file = picture(view, name, self.options.image_format)
        path = f"{view.split}/{folder}/{self.name_of(view)}.{file.suffix}"
        return [file.put(self.outbox, path, link=self.options.link)]

    def close(self, lines: Lines) -> list[str]:
        return [self._put_list(split, list(lines(split))) for split in self.survey.splits]

    def _put_list(self, split: str, pairs: list[list[str]]) -> str:
        """Write the pairs of a split, between which stands what no name has."""
        between = "|" if any(" " in path for pair in pairs for path in pair) else " "
        if between == "|":
            self.notes.append(
                f"names have spaces, so that | is between those of {split}.txt: tell PaddleSeg "
                "separator='|'"
            )
        text = "".join(f"{between.join(pair)}\n" for pair in pairs)
        return self.outbox.put_text(f"{split}.txt", text)
