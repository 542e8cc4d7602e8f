"""A model that stands a second time: other objects, so that labels tell them apart, same meshes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import bpy


@dataclass(eq=False)
class Copies:
    """Copies of objects and of the collections that show them.

    What acts on an object without being shown, such as its armature, acts on its copy, too.
    """

    objects: dict[bpy.types.Object, bpy.types.Object] = field(default_factory=dict)
    collections: dict[bpy.types.Collection, bpy.types.Collection] = field(default_factory=dict)

    def of_collection(self, original: bpy.types.Collection) -> bpy.types.Collection:
        """Return the copy of a collection, with copies of all that it shows."""
        if original in self.collections:
            return self.collections[original]
        copy = bpy.data.collections.new(original.name)
        self.collections[original] = copy
        copy.hide_render = original.hide_render
        copy.instance_offset = original.instance_offset
        for item in original.objects:
            copy.objects.link(self._of_object(item))
        for child in original.children:
            copy.children.link(self.of_collection(child))
        return copy

    def _of_object(self, original: bpy.types.Object) -> bpy.types.Object:
        if original in self.objects:
            return self.objects[original]
        copy: Any = original.copy()  # its stubs say that there may be none
        made: bpy.types.Object = copy
        self.objects[original] = made
        shown = original.instance_collection
        if original.instance_type == "COLLECTION" and shown is not None:
            made.instance_collection = self.of_collection(shown)
        return made

    def names(self, of_originals: dict[int, str]) -> dict[int, str]:
        """Return what files call the originals, by the session ids of the copies."""
        pairs = [*self.objects.items(), *self.collections.items()]
        return {
            copy.session_uid: of_originals.get(original.session_uid, original.name)
            for original, copy in pairs
        }
