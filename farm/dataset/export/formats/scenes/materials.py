"""Materials: a folder for each map, with channels and encodings as glTF has them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import JsonValue

from farm.dataset.export.base import Exporter, ExportPart, Lines, NumberedView, Written
from farm.dataset.export.passes.pictures import encode, pass_file, put_extras
from farm.dataset.export.passes.srgb import colour_bytes, normal_bytes, share_bytes
from farm.spec.passes import PassName

Bytes = NDArray[np.uint8]
FULL = 255
STRENGTH_FILE = "emissive_strength.json"
"""Says how often light is brighter than 1: `KHR_materials_emissive_strength`."""
AS_THEY_ARE: frozenset[PassName] = frozenset({"rgb", "mask", "surface_valid"})
"""Passes that go along anyway; others that are asked for go beside, with all of their bits."""


class Maps(NamedTuple):
    """The files of a view, and what its numbers were divided by."""

    files: list[str]
    stem: str
    strength: float


class MaterialsExporter(Exporter[Maps]):
    """`<split>/{base_color,metallic_roughness,normal,...}/`, of any camera and light."""

    takes = frozenset({"link"})
    needs = (("base_color",), ("roughness",), ("metallic",), ("normal", "normal_geometry"))

    def take(self, view: NumberedView) -> Maps:
        files = [self._put(view, folder, paint(view)) for folder, paint in PAINTED.items()]
        if "transmission" in view.record.files:
            files.append(self._put(view, "transmission", transmission(view)))
        strength = 1.0
        if "emission" in view.record.files:
            light = np.nan_to_num(view.pixels("emission"), posinf=0.0)
            strength = max(1.0, float(light.max(initial=0.0)))
            files.append(self._put(view, "emissive", colour_bytes(light / np.float32(strength))))
        files += [*self._put_as_it_is(view, "rgb", "image"), *self._put_as_it_is(view, "mask")]
        files += self._put_as_it_is(view, "surface_valid", "valid")
        extras = tuple(name for name in self.options.passes if name not in AS_THEY_ARE)
        files += put_extras(view, self.outbox, extras, link=self.options.link)
        return Maps(files, view.stem, strength)

    def _put(self, view: NumberedView, folder: str, pixels: Bytes) -> str:
        path = f"{view.split}/{folder}/{view.stem}.png"
        return self.outbox.put(path, encode(pixels, "png"))

    def _put_as_it_is(self, view: NumberedView, name: PassName, folder: str = "") -> list[str]:
        """Put a pass that the view has as it is, pictures in 8 bits; return its path."""
        if name not in view.record.files:
            return []
        file = pass_file(view, name, self.options.image_format)
        path = f"{view.split}/{folder or name}/{view.stem}.{file.suffix}"
        return [file.put(self.outbox, path, link=self.options.link)]

    def write(self, part: ExportPart, taken: Iterator[Maps]) -> Written:
        files: list[str] = []
        lines: list[JsonValue] = []
        for maps in taken:
            files += maps.files
            if maps.strength > 1.0:
                lines.append({"stem": maps.stem, "strength": maps.strength})
        return Written(files, lines)

    def close(self, lines: Lines) -> list[str]:
        files = []
        for split in self.survey.splits:
            bright = {line["stem"]: line["strength"] for line in lines(split)}
            if bright:
                text = json.dumps(bright, indent=2) + "\n"
                files.append(self.outbox.put_text(f"{split}/{STRENGTH_FILE}", text))
        return files


def base_colour(view: NumberedView) -> Bytes:
    """Return the map of colours: sRGB, and opacity as alpha; nothing where there is nothing."""
    colours = view.pixels("base_color")
    shown = np.any(normals_of(view) != 0, axis=-1)
    opacity = view.pixels("opacity") if "opacity" in view.record.files else shown
    alpha = share_bytes(np.where(shown, opacity, 0.0).astype(np.float32))
    return np.dstack([colour_bytes(colours), alpha])


def metallic_roughness(view: NumberedView) -> Bytes:
    """Return the map with roughness as green and metal as blue; red would be occlusion: none."""
    green, blue = share_bytes(view.pixels("roughness")), share_bytes(view.pixels("metallic"))
    return np.dstack([np.full_like(green, FULL), green, blue])


def transmission(view: NumberedView) -> Bytes:
    """Return the map whose red is what is let through."""
    return np.repeat(share_bytes(view.pixels("transmission"))[..., None], 3, axis=-1)


def normal(view: NumberedView) -> Bytes:
    """Return the map of normals: x right, y up, z towards the camera."""
    return normal_bytes(normals_of(view))


def normals_of(view: NumberedView) -> NDArray[np.float32]:
    """Return the normals (H, W, 3) of a view in its camera's frame; 0 where there is nothing."""
    name: PassName = "normal" if "normal" in view.record.files else "normal_geometry"
    return np.asarray(view.pixels(name), np.float32)


PAINTED: dict[str, Callable[[NumberedView], Bytes]] = {
    "base_color": base_colour,
    "metallic_roughness": metallic_roughness,
    "normal": normal,
}
