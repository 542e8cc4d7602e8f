"""COLMAP: `images/` and `sparse/0/`, from which Gaussian splatting starts without a search."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from farm.dataset.export.base import NumberedView, ViewFiles
from farm.dataset.export.cameras import quaternion, world_from_opencv
from farm.dataset.export.formats.scenes import colmap_files as model
from farm.dataset.export.passes.points import Points, from_text, joined, ply, sample, to_text
from farm.dataset.export.scene_checks import is_off_centre
from farm.dataset.export.scene_exporter import Line, SceneExporter, by_role
from farm.dataset.export.scenes import lens_of
from farm.spec.passes import PassName


class Model(NamedTuple):
    """A scene as COLMAP has it."""

    cameras: dict[tuple[Any, ...], int]
    """Numbers of a lens, and the camera's own number."""
    images: list[model.Image]
    points: Points
    """In the order of the images that they are of."""


class ColmapExporter(SceneExporter):
    """`<scene>/images/` and `<scene>/sparse/0/`, in text and binary, in the view's world."""

    reader = "COLMAP"
    takes = frozenset({"link", "foreground", "points"})
    needs = (("rgb", "foreground"), ("depth",))
    own = frozenset[PassName]({"depth"})

    def check(self) -> None:
        super().check()
        shifted = [
            lens for each in self.scenes.scenes for lens in each.lenses if is_off_centre(lens)
        ]
        if shifted:
            self.notes.append(
                "lenses are shifted: cx and cy tell it, as gsplat and nerfstudio read them, but "
                "the first code of 3D Gaussian Splatting takes the middle of the picture instead"
            )

    def take_view(self, view: NumberedView, folder: str) -> ViewFiles:
        file = self.picture_of(view)
        name = f"{self.name_of(view)}.{file.suffix}"
        path = file.put(self.outbox, f"{folder}/images/{name}", link=self.options.link)
        pose = np.linalg.inv(world_from_opencv(view.record.camera, 1.0))
        line = {
            "name": name,
            "lens": lens_of(view.record),
            "rotation": quaternion(pose[:3, :3]).tolist(),
            "shift": pose[:3, 3].tolist(),
            "points": to_text(sample(view, self.points_of(view))),
        }
        return ViewFiles([path], line)

    def write_scene(self, folder: str, frames: list[Line]) -> list[str]:
        found = model_of(frames)
        if not len(found.points):
            self.notes.append(f"{folder}: depth is empty in all views, so there are no points")
        parts = {
            "cameras.txt": model.cameras_text(found.cameras),
            "images.txt": model.images_text(found.images),
            "points3D.txt": model.points_text(found.points, found.images),
            "cameras.bin": model.cameras_bytes(found.cameras),
            "images.bin": model.images_bytes(found.images),
            "points3D.bin": model.points_bytes(found.points, found.images),
            "points3D.ply": ply(found.points),
        }
        files = [self.outbox.put(f"{folder}/sparse/0/{name}", data) for name, data in parts.items()]
        return files + self._put_lists(folder, by_role(frames))

    def _put_lists(self, folder: str, roles: dict[str, list[Line]]) -> list[str]:
        """Write the names of views by what they are for, where readers look for them."""
        lists = {role: "".join(f"{each['name']}\n" for each in of) for role, of in roles.items()}
        files = [
            self.outbox.put_text(f"{folder}/{role}_list.txt", text) for role, text in lists.items()
        ]
        return [*files, self.outbox.put_text(f"{folder}/sparse/0/test.txt", lists["test"])]


def model_of(frames: list[Line]) -> Model:
    """Return what COLMAP has of views: images in the order of their names, numbered from 1."""
    cameras: dict[tuple[Any, ...], int] = {}
    images: list[model.Image] = []
    first = 1
    ordered = sorted(frames, key=lambda each: str(each["name"]))
    for number, frame in enumerate(ordered, start=1):
        seen = from_text(frame["points"])
        images.append(
            model.Image(
                number=number,
                rotation=tuple(frame["rotation"]),
                shift=tuple(frame["shift"]),
                camera=cameras.setdefault(tuple(frame["lens"]), len(cameras) + 1),
                name=frame["name"],
                px=seen["px"].astype(np.float64) + 0.5,
                first_point=first,
            )
        )
        first += len(seen)
    return Model(cameras, images, joined(each["points"] for each in ordered))
