"""Three models built by code and three HDRIs that come with Blender: enough for a first dataset."""

from worker.blender.samples.write import write_samples

__all__ = ["write_samples"]
