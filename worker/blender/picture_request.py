"""What is asked of the pictures to come: how they are rendered, and which passes they have."""

from __future__ import annotations

from typing import NamedTuple

from farm.spec.passes import BACKGROUNDS, PICTURES, PassName
from farm.spec.render import ResolvedRender
from worker.blender.view_passes import Sampling, plan_samplings, plan_without_picture


class PictureRequest(NamedTuple):
    """What is asked for, whatever stands in the scene."""

    settings: ResolvedRender
    passes: tuple[PassName, ...]
    """What is rendered, whether or not it is written."""

    @property
    def has_own_picture(self) -> bool:
        """The picture is EEVEE's, beside what Cycles gives."""
        return self.settings.engine == "eevee" and not PICTURES.isdisjoint(self.passes)

    @property
    def wants_behind(self) -> bool:
        """What is behind all else is asked for, also where something stands before it."""
        return not BACKGROUNDS.isdisjoint(self.passes)

    def samplings(self, *, see_through: bool, blurred: bool) -> tuple[Sampling, ...]:
        """Return what Cycles must be asked for.

        Args:
            see_through: A sample may pass through a surface of the model.
            blurred: The camera has a depth of field.
        """
        settings = self.settings
        if self.has_own_picture:
            return plan_without_picture(
                self.passes, samples=settings.samples, see_through=see_through, blurred=blurred
            )
        return plan_samplings(
            self.passes,
            samples=settings.samples,
            denoise=settings.denoise,
            noise_threshold=settings.noise_threshold,
            see_through=see_through,
            blurred=blurred,
        )
