"""Matting: the object, its alpha and what is behind it, each in a folder, with equal names."""

from __future__ import annotations

from collections.abc import Iterator

from farm.dataset.export.base import Exporter, ExportPart, NumberedView, Written
from farm.dataset.export.cutouts import cutout_pixels
from farm.dataset.export.pictures import encode, picture, put_extras
from farm.spec.passes import PassName

OWN: frozenset[PassName] = frozenset({"rgb", "foreground", "background"})
"""Passes that have a place in the format."""


class MattingExporter(Exporter[list[str]]):
    """`<split>/{image,fg,alpha,bg}/`: colours of the object are its own, also at soft edges."""

    takes = frozenset({"link"})
    needs = (("foreground",), ("background",))

    def take(self, view: NumberedView) -> list[str]:
        pixels = cutout_pixels(view)
        files = {
            "fg": encode(pixels[..., :3], "png"),
            "alpha": encode(pixels[..., 3], "png"),
        }
        paths = [
            self.outbox.put(f"{view.split}/{folder}/{view.stem}.png", data)
            for folder, data in files.items()
        ]
        behind = self._put_picture(view, "background", "bg")
        paths += [*behind, *self._put_picture(view, "rgb", "image")]
        extras = tuple(name for name in self.options.passes if name not in OWN)
        return paths + put_extras(view, self.outbox, extras, link=self.options.link)

    def _put_picture(self, view: NumberedView, name: PassName, folder: str) -> list[str]:
        """Put a picture into a folder, if the view has it; return its path."""
        if name not in view.record.files:
            return []
        file = picture(view, name, self.options.image_format)
        path = f"{view.split}/{folder}/{view.stem}.{file.suffix}"
        return [file.put(self.outbox, path, link=self.options.link)]

    def write(self, part: ExportPart, taken: Iterator[list[str]]) -> Written:
        return Written([path for paths in taken for path in paths], [])
