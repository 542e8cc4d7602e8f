"""Models as they stand in the session's scene: brought, measured, numbered, one or several."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import bpy
import numpy as np
from numpy.typing import NDArray

from farm.errors import AssetError
from farm.spec.asset import Asset
from farm.spec.rigs import Frame
from worker.blender.camera import evaluated
from worker.blender.formats import importers, metaballs
from worker.blender.formats.importers import ImportedObjects
from worker.blender.frames import show_frame
from worker.blender.guards import disarm
from worker.blender.loader import Loader, check_total
from worker.blender.materials.in_file import show_as_in_file
from worker.blender.materials.own_numbers import keep_numbers
from worker.blender.models.belongings import Belongings, rename
from worker.blender.models.copies import Copies
from worker.blender.models.group import Models, joined
from worker.blender.models.measure import Measurement, measure
from worker.blender.models.model import (
    Model,
    add_bvh_anchor,
    add_instance,
    add_parent,
    describe,
    is_flat,
    scale_lamps,
    wants_bvh_anchor,
)  # fmt: skip

LARGEST = 1e12
"""Units that a model may measure; a part that is further off is there by mistake."""
COARSEST = 2e-3
"""Distance between places of points that Blender tells apart, as a share of a model's size: beyond
it the surface is of steps, and stands elsewhere than its record says."""
FIRST_FRAME = 1.0
"""The moment that several models show, each of which may have been saved at another one."""

SHARED = (
    "it shows objects of a linked file that labels cannot tell from those of another model beside "
    "it: make them local"
)

Key = tuple[str, str]
"""An asset's bytes and where they are."""


@dataclass(frozen=True, eq=False)
class Stood:
    """A model that stands beside others."""

    key: Key
    model: Model
    belongings: Belongings

    def step_aside(self, *, aside: bool) -> None:
        """Be out of the scene while others are measured, or be in it."""
        self.model.parent.hide_render = self.model.parent.hide_viewport = aside


class Standing:
    """Stands models in a scene."""

    def __init__(
        self, scene: bpy.types.Scene, loader: Loader, render_nothing: Callable[[], None]
    ) -> None:
        self._scene = scene
        self._loader = loader
        self._render_nothing = render_nothing
        self._stood: list[Stood] = []
        """The models that stand beside each other."""

    def free(self) -> None:
        """Remove all models, and all that came with them."""
        for each in self._stood:
            each.belongings.free_copies()
        self._stood = []
        self._loader.free()

    def one(self, asset: Asset, *, file_lights: bool, frame: Frame = "unit-cube") -> Model:
        """Stand a model alone, in a frame, where none stands.

        Raises:
            AssetError: It cannot be read, or shows nothing.
        """
        brought = self._loader.bring_model(asset, file_lights=file_lights)
        model, found = self._show(asset, brought, file_lights=file_lights)
        model.frame = frame
        if file_lights:
            scale_lamps(self._loader.strangers(), model.bounds.scale_in(frame))
        if wants_bvh_anchor(found, true_strength=model.true_strength):
            add_bvh_anchor(self._scene, model.collection)
            model.has_bvh_anchor = True
        model.turn(0.0)
        return model

    def several(self, assets: Sequence[Asset]) -> Models:
        """Stand models beside each other, in this order, where their files have them.

        Those that stand there already stay; the others go.

        Raises:
            AssetError: One cannot be read, shows nothing, or cannot stand beside the others.
        """
        slots = self._keep([key_of(asset) for asset in assets])
        stood = [slot or self._add(asset) for slot, asset in zip(slots, assets, strict=True)]
        self._stood = stood
        rename(each.belongings for each in stood)
        for each in stood:
            each.step_aside(aside=False)
        models = joined(each.model for each in stood)
        models.put_back()
        return models

    def _keep(self, keys: list[Key]) -> list[Stood | None]:
        """Free the models that are not among `keys`; return the others, aside, by their place."""
        waiting, slots = list(self._stood), list[Stood | None]()
        for key in keys:
            found = next((each for each in waiting if each.key == key), None)
            if found is not None:
                waiting.remove(found)
            slots.append(found)
        self._stood = [each for each in slots if each is not None]
        in_use = [each.belongings.copies for each in self._stood]
        for each in waiting:
            if not any(each.belongings.copies is copies for copies in in_use):
                each.belongings.free_copies()
        self._loader.free(but=[each.belongings for each in self._stood])
        for each in self._stood:
            each.model.clear_cut.turn(on=False)
            self._put_aside(each)
        return slots

    def _add(self, asset: Asset) -> Stood:
        """Stand one more model; it is aside."""
        key = key_of(asset)
        same = next((each for each in self._stood if each.key == key), None)
        stood = (same and self._copied(same)) or self._brought(asset)
        self._stood.append(stood)
        self._put_aside(stood)
        return stood

    def _put_aside(self, stood: Stood) -> None:
        stood.step_aside(aside=True)
        rename([stood.belongings], aside=True)

    def _brought(self, asset: Asset) -> Stood:
        """Stand a model that comes from its file."""
        brought = self._loader.bring_model(asset, file_lights=False, others_faces=self._faces)
        model, found = self._show(asset, brought, file_lights=False)
        if brought.frame != FIRST_FRAME:
            self._hold_still(asset, brought.frame, found)
        copies = Copies()
        if self._is_shared(model):  # objects of a file that both models link
            alone = self._copy(model, copies)
            if alone is None:
                raise AssetError(asset.path, SHARED)
            bpy.data.objects.remove(model.parent)
            model = alone
        belongings = self._loader.collect()
        belongings.names |= copies.names(belongings.names)
        return Stood(key_of(asset), model, belongings)

    def _copied(self, same: Stood) -> Stood | None:
        """Stand a model that stands already once more; None where it takes its file again."""
        again = [item for item in same.model.rendered if item.modifiers]  # other meshes are shared
        faces = disarm.expected_total(again)
        check_total(Path(same.key[1]), self._faces + faces)
        copies = Copies()
        model = self._copy(same.model, copies)
        if model is None:
            self._loader.free(but=[each.belongings for each in self._stood])
            return None
        belongings = self._loader.collect()
        belongings.names |= copies.names(same.belongings.names)
        belongings.copies = same.belongings.copies
        return Stood(same.key, replace(model, faces=faces), belongings)

    def _copy(self, model: Model, copies: Copies) -> Model | None:
        """Show copies of a model's objects; None where that is not the same, or not only them."""
        collection = copies.of_collection(model.collection)
        model.parent.hide_render = True
        parent = add_instance(self._scene, collection)
        found = measure(self._scene, self._render_nothing, keeping=True)
        rendered = [copies.objects.get(item) for item in model.rendered]
        whole = tuple(item for item in rendered if item is not None)
        bounds = found.bounds()
        if (
            bounds is None
            or set(found.objects) != {item.session_uid for item in rendered if item is not None}
            or len(whole) != len(rendered)
            or not np.allclose([bounds.low, bounds.high], [model.bounds.low, model.bounds.high])
        ):
            return None
        return replace(model, collection=collection, parent=parent, rendered=whole)

    @property
    def _faces(self) -> int:
        """Faces of all that stands beside each other."""
        return sum(each.model.faces for each in self._stood)

    def _is_shared(self, model: Model) -> bool:
        """Tell whether another model shows some of the same objects."""
        others = {item for each in self._stood for item in each.model.rendered}
        return not others.isdisjoint(model.rendered)

    def _hold_still(self, asset: Asset, frame: float, found: Measurement) -> None:
        """Let a model that was saved at another moment look the same at the one that all show."""
        show_frame(self._scene, frame)  # now that the model is in it
        disarm.stop_motion(self._loader.strange_ids())
        self._scene.frame_set(int(FIRST_FRAME))
        if not measure(self._scene, self._render_nothing, keeping=True).is_like(found):
            reason = (
                f"it moves by itself, so it cannot stand beside others as it is at frame {frame:g},"
                f" where it was saved: save it at frame {FIRST_FRAME:g}, or apply what moves it"
            )
            raise AssetError(asset.path, reason)

    def _show(
        self, asset: Asset, brought: ImportedObjects, *, file_lights: bool
    ) -> tuple[Model, Measurement]:
        """Show what a file renders through one parent, and measure it alone."""
        objects = metaballs.as_meshes(self._scene, brought.objects)
        collection, parent = add_parent(self._scene, objects)
        found = measure(self._scene, self._render_nothing, keeping=True)
        if found.panels and not file_lights and not found.is_all_panels:
            disarm.hide(found.panels.values())
            found = measure(self._scene, self._render_nothing, keeping=True)
        bounds = found.bounds()
        if bounds is None or is_flat(bounds):
            reason = importers.nothing_to_render(self._loader.strange_ids())
            raise AssetError(asset.path, reason)
        if bounds.size > LARGEST:
            raise AssetError(asset.path, f"it is {bounds.size:.1e} units in size: it is damaged")
        if (step := bounds.step) > COARSEST * bounds.size:
            raise AssetError(asset.path, too_far(bounds.size, step))
        show_as_in_file(found.materials.values(), found.objects.values(), self._matrix_of)
        keep_numbers(found.materials.values(), found.objects.values())
        model = describe(collection, parent, bounds, found, meshes=self._loader.meshes())
        model.metres_per_file_unit, model.unread = brought.metres_per_unit, brought.unread
        return model, found

    def _matrix_of(self, item: bpy.types.Object) -> NDArray[np.float64]:
        """Return `file_from_object` of an object of the file."""
        return np.array(evaluated(self._scene, item).matrix_world, np.float64)


def too_far(size: float, step: float) -> str:
    """Say why a model cannot be shown that is far from the origin of its file."""
    return (
        f"it is {size:.3g} units in size and so far from the origin of its file that Blender tells "
        f"places there apart by {step:.3g} units alone: move it to the origin, in the program that "
        "made it"
    )


def key_of(asset: Asset) -> Key:
    """Return what is the same of two places of one asset."""
    return asset.sha256, asset.path
