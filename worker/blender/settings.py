"""How Cycles is set: its device, what never changes, and what a task asks for."""

from __future__ import annotations

from typing import Any

from farm.errors import DeviceError
from farm.spec.render import ResolvedRender
from worker.blender.gpu_memory import LARGE_TILE_PX
from worker.blender.view_passes import Sampling, set_view_layer
from worker.device.device import Device

CLAMP_INDIRECT = 10.0
"""Brightest indirect sample, in units of the environment's own light; Blender's default."""
LIGHT_THRESHOLD = 0.01
"""Light below which shadow rays may be left out by lot; Blender's default."""
MAX_BOUNCES = 12
"""Times that light goes on after what it meets; Blender's default."""
CLEAR_BOUNCES = 8
"""Surfaces that a picture looks through; Blender's default."""
MOST_CLEAR_BOUNCES = 1024
"""Surfaces that labels look through; as many as Cycles can."""

Settings = Any
"""A scene or preferences with the properties that Cycles adds at run time."""


def choose_device(scene: Settings, preferences: Settings, device: Device) -> str:
    """Make Cycles use `device` alone and return the hardware's name.

    Args:
        scene: Whose pictures are to be rendered.
        preferences: Those of the Cycles add-on.
        device: The only one to be used; the others are switched off.

    Raises:
        DeviceError: Cycles does not list it. It is never replaced by the CPU.
    """
    scene.render.engine = "CYCLES"
    if device.kind == "cpu":
        scene.cycles.device = "CPU"
        return "CPU"
    kind = device.kind.upper()
    preferences.refresh_devices()
    listed = list(preferences.devices)
    chosen = [item for item in listed if item.type == kind]
    if not chosen:
        there = ", ".join(f"{item.type} {item.name}" for item in listed) or "nothing"
        raise DeviceError(f"{device} is not available: Cycles lists {there}")
    preferences.compute_device_type = kind
    for item in listed:
        item.use = item == chosen[0]
    scene.cycles.device = "GPU"
    return str(chosen[0].name)


def set_fixed(scene: Settings, *, threads: int | None) -> None:
    """Set what stays the same for every picture."""
    render, cycles = scene.render, scene.cycles
    render.film_transparent = True
    render.use_persistent_data = True
    render.use_compositing = False
    render.use_sequencer = False
    render.use_stamp = False
    render.dither_intensity = 0.0
    render.resolution_percentage = 100
    render.use_file_extension = False
    if threads is not None:
        render.threads_mode = "FIXED"
        render.threads = threads
    image = render.image_settings
    image.media_type = "MULTI_LAYER_IMAGE"  # before the format, which it offers
    image.file_format = "OPEN_EXR_MULTILAYER"
    image.color_depth = "32"
    image.exr_codec = "NONE"
    cycles.adaptive_min_samples = 0  # Cycles' own choice, by the threshold
    cycles.use_animated_seed = False
    # Blue noise, the automatic choice, depends on the largest sample count rendered before.
    cycles.sampling_pattern = "TABULATED_SOBOL"


def set_light_limits(scene: Settings, strength: float) -> None:
    """Set what Cycles measures light against, which goes with the strength of the environment."""
    scene.cycles.sample_clamp_indirect = CLAMP_INDIRECT * strength
    scene.cycles.light_sampling_threshold = LIGHT_THRESHOLD * strength


def set_tiles(scene: Settings, size_px: int) -> None:
    """Set how large a part of a picture Cycles works on at once; the picture stays the same."""
    scene.cycles.use_auto_tile = True
    scene.cycles.tile_size = size_px


def set_quality(
    scene: Settings, settings: ResolvedRender, *, device: Device, is_file_scene: bool
) -> None:
    """Set size and kind of the pictures to come; `set_sampling` says how well."""
    # Guides denoised together with the picture: half the time, and hardly another picture.
    own = "fast" if is_file_scene else "accurate"
    prefilter = own if settings.quality == "plain" else settings.prefilter
    render, cycles = scene.render, scene.cycles
    render.resolution_x, render.resolution_y = settings.resolution_px
    set_tiles(scene, LARGE_TILE_PX)
    cycles.denoiser = "OPTIX" if device.kind == "optix" else "OPENIMAGEDENOISE"
    cycles.denoising_prefilter = prefilter.upper()
    cycles.denoising_quality = "HIGH"
    cycles.denoising_use_gpu = device.kind != "cpu"


def set_sampling(scene: Settings, sampling: Sampling, *, bounces: int = MAX_BOUNCES) -> None:
    """Set what the next pictures hold and how well they are sampled."""
    clear_cut = sampling.clear_cut
    set_view_layer(scene.view_layers[0], sampling.cycles_passes, clear_cut=clear_cut)
    scene.cycles.transparent_max_bounces = MOST_CLEAR_BOUNCES if clear_cut else CLEAR_BOUNCES
    scene.cycles.samples = sampling.samples
    scene.cycles.use_adaptive_sampling = sampling.noise_threshold is not None
    if sampling.noise_threshold is not None:
        scene.cycles.adaptive_threshold = sampling.noise_threshold
    scene.cycles.use_denoising = sampling.denoise
    scene.cycles.max_bounces = bounces
