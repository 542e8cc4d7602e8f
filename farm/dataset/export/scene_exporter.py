"""What the formats for 3D learning share: a folder per scene, and files about all of its views."""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from pydantic import JsonValue

from farm.dataset.export.base import (
    ExportJob,
    ExportPart,
    FileExporter,
    Lines,
    NumberedView,
    ViewFiles,
)
from farm.dataset.export.cameras import only_pinholes
from farm.dataset.export.passes.cutouts import cutout, needs_cutouts, needs_pictures
from farm.dataset.export.passes.pictures import PassFile, picture, put_extras
from farm.dataset.export.passes.points import MOST, share_of
from farm.dataset.export.safe_names import plain_name
from farm.dataset.export.scene_checks import (
    enough_views,
    light_stays,
    note_on_lights,
    note_on_old_frames,
    note_on_scripts,
    splits_are_known,
    things_stay,
)
from farm.dataset.export.scenes import Scene, Scenes
from farm.spec.passes import PassName

Line = dict[str, Any]


class SceneExporter(FileExporter):
    """Writes `<scene>/`, or `<split>/<scene>/` where splits keep whole scenes apart."""

    takes = frozenset({"link", "foreground"})
    reader: ClassVar[str]
    """What people call the format."""
    cut_out: ClassVar[bool] = False
    """Its pictures always are of the object alone, with alpha."""
    own: ClassVar[frozenset[PassName]] = frozenset()
    """Passes that have a place in the format, beside the picture."""

    def __init__(self, job: ExportJob) -> None:
        super().__init__(job)
        only_pinholes(self.survey, self.reader)
        self.scenes = Scenes(self.survey)
        things_stay(self.scenes, self.reader)
        if not self.options.foreground:
            light_stays(self.scenes, self.reader)
        if self.shows_cutouts:
            needs_cutouts(self.survey, self.options, self.reader)
        else:
            needs_pictures(self.survey, self.reader)
        self.is_split = self.survey.splits.keys() != {"train"}
        """The dataset has splits."""
        self.check()
        self.notes += note_on_lights(self.scenes) + note_on_scripts(self.scenes)
        self.notes += note_on_old_frames(self.scenes)

    @property
    def shows_cutouts(self) -> bool:
        """Pictures are of the object alone, with alpha."""
        return self.cut_out or self.options.foreground

    def check(self) -> None:
        """Refuse scenes that the format cannot hold.

        Raises:
            SpecError: There is one.
        """
        enough_views(self.scenes, self.reader)
        splits_are_known(self.scenes, self.reader)

    def scene_of(self, view: NumberedView) -> Scene:
        """Return the scene of a view."""
        return self.scenes.scenes[self.scenes.number(view.number)]

    def folder_of(self, view: NumberedView) -> str:
        """Return the folder of a view's scene."""
        scene = self.scene_of(view)
        if scene.is_split or not self.is_split:
            return scene.name
        return f"{view.split}/{scene.name}"

    def role_of(self, view: NumberedView) -> str:
        """Return what a view is for: to train, validate or test."""
        return self.scene_of(view).role(view.split, view.view.name)

    def name_of(self, view: NumberedView) -> str:
        """Return what a view is called in its scene, without a suffix."""
        return plain_name(view.view.name)

    def facts_of(self, part: ExportPart) -> JsonValue:
        return [self.facts_of_view(view) for view in part.views]

    def facts_of_view(self, view: NumberedView) -> JsonValue:
        """Return what the files of a view follow from, beside the view."""
        scene = self.scene_of(view)
        own = [self.folder_of(view), self.role_of(view), self.name_of(view)]
        box: JsonValue = [*scene.box.low, *scene.box.high] if scene.box else None
        return [*own, scene.views, box]

    def points_of(self, view: NumberedView) -> int:
        """Return how many points of its scene a view gives."""
        told = "points" in self.options.model_fields_set
        return share_of(self.options.points if told else MOST, self.scene_of(view).views)

    def picture_of(self, view: NumberedView) -> PassFile:
        """Return the picture of a view: the whole, or the object alone.

        Raises:
            DamagedFileError: A file is not what was recorded.
            SpecError: The object's own colour is not known.
        """
        if self.shows_cutouts:
            return cutout(view)
        return picture(view, "rgb", self.options.image_format)

    def take(self, view: NumberedView) -> ViewFiles:
        folder = self.folder_of(view)
        frame = self.take_view(view, folder)
        held = self.own | {"foreground" if self.shows_cutouts else "rgb"}
        extras = tuple(name for name in self.options.passes if name not in held)
        files = frame.files + put_extras(view, self.outbox, extras, link=self.options.link)
        facts = {"folder": folder, "role": self.role_of(view), "name": self.name_of(view)}
        return ViewFiles(files, {**facts, **frame.line})

    @abstractmethod
    def take_view(self, view: NumberedView, folder: str) -> ViewFiles:
        """Write the files of a view into the folder of its scene."""

    def close(self, lines: Lines) -> list[str]:
        files: list[str] = []
        with self.outbox.scratch() as scratch:
            for folder, path in by_folder(self._all(lines), scratch).items():
                with path.open(encoding="utf-8") as file:
                    frames = [json.loads(line) for line in file]
                files += self.write_scene(folder, frames)
        self.notes += self.notes_in_the_end()
        return files

    def notes_in_the_end(self) -> list[str]:
        """Return what a person should know once all scenes are written."""
        return []

    def _all(self, lines: Lines) -> Iterator[Line]:
        for split in self.survey.splits:
            yield from lines(split)

    @abstractmethod
    def write_scene(self, folder: str, frames: list[Line]) -> list[str]:
        """Write what the views of a scene share; return its files."""


def by_folder(lines: Iterator[Line], scratch: Path) -> dict[str, Path]:
    """Sort lines into a file for each scene: only one scene is held at a time."""
    paths: dict[str, Path] = {}
    with ExitStack() as last:
        at, file = "", None
        for line in lines:
            folder = line["folder"]
            if file is None or folder != at:
                last.close()
                path = paths.setdefault(folder, scratch / f"{len(paths)}.jsonl")
                at, file = folder, last.enter_context(path.open("a", encoding="utf-8"))
            file.write(json.dumps(line) + "\n")
    return paths


def by_role(frames: list[Line]) -> dict[str, list[Line]]:
    """Return the frames to train, validate and test, and of other splits.

    Where only one of the last two is there, it stands for the other: readers open both.
    """
    found: dict[str, list[Line]] = {"train": [], "val": [], "test": []}
    for frame in frames:
        found.setdefault(frame["role"], []).append(frame)
    found["val"] = found["val"] or found["test"]
    found["test"] = found["test"] or found["val"]
    return found


def pose_of(view: NumberedView) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return the pose (4, 4) of a view's camera: x right, y up, it looks along -Z."""
    return np.array(view.record.camera.world_from_camera)
