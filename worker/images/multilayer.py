"""The passes of a render, from Cycles' multilayer EXR to arrays."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import OpenEXR
from numpy.typing import NDArray

from farm.errors import RenderError

AVERAGED_LAYERS = re.compile("Combined|Environment|Behind|Shadow Catcher|Noisy.*|Crypto.*")
"""Always of all samples."""
SHADOW = "Shadow Catcher"
"""Share of light that falls on a ground beside what casts shadows on it, 1 where there is none."""
SEEN_THROUGH = 1e-4
"""Of a pixel that is covered by all but this, what is behind is not known from itself."""


@dataclass(frozen=True, eq=False)
class Passes:
    """What one render of one view gave."""

    layers: dict[str, NDArray[np.float32]]
    """Pass name to (H, W, channels): `Combined` (RGBA), `Environment` (RGB), ..."""
    sample_s: float
    """Seconds that Cycles spent tracing paths, by its own clock (steps of 0.01 s)."""
    manifest: dict[str, str] = field(default_factory=dict)
    """Header of the cryptomatte: what its ids mean, as its specification has it."""
    view_layer: str = "ViewLayer"
    """Begins the names of all channels."""

    def over(self, other: Passes) -> Passes:
        """Return the labels of these passes and all else of `other`, of the same view."""
        return replace(
            self,
            layers=other.layers
            | {
                name: layer
                for name, layer in self.layers.items()
                if not AVERAGED_LAYERS.fullmatch(name)
            },
            sample_s=self.sample_s + other.sample_s,
            manifest=self.manifest or other.manifest,
        )

    def with_layer(self, name: str, layer: NDArray[np.float32]) -> Passes:
        """Return these passes with one more layer (H, W, channels)."""
        return replace(self, layers={**self.layers, name: layer})

    def before(self, picture: Passes) -> Passes:
        """Return these passes with the light of another engine's picture, which is opaque."""
        coverage = self.layers["Combined"][..., 3:]
        light = picture.layers["Combined"][..., :3]
        layers = {
            "Combined": np.concatenate([light, coverage], axis=-1),
            "Environment": np.zeros_like(light),
        }
        return replace(self, layers=self.layers | layers)

    @property
    def cryptomatte_layers(self) -> tuple[str, ...]:
        """Names of the layers of the cryptomatte, in order."""
        return tuple(sorted(name for name in self.layers if name.startswith("Crypto")))

    @property
    def cryptomatte_channels(self) -> tuple[str, ...]:
        """Names of the channels of the cryptomatte, in order."""
        return tuple(
            f"{self.view_layer}.{name}.{letter}"
            for name in self.cryptomatte_layers
            for letter in "rgba"
        )

    def picture(self, *, gain: float, shadowed: bool = False) -> NDArray[np.float32]:
        """Return the scene-linear picture (H, W, 3): the model before its environment.

        Args:
            gain: Factor on the light; 1 leaves the picture as it was rendered.
            shadowed: The model's shadow lies on the environment.
        """
        linear = self.layers["Combined"][..., :3].copy()
        if "Environment" in self.layers:  # else its film was opaque
            behind = self.layers["Environment"][..., :3]
            linear += behind * self.shadow if shadowed else behind
        if gain != 1.0:
            linear *= np.float32(gain)
        return linear

    @property
    def shadow(self) -> NDArray[np.float32]:
        """The share of light (H, W, 3) that the shadow on the ground leaves, 1 where it is not."""
        caught = self.layers.get(SHADOW)
        if caught is None:
            return np.ones_like(self.layers["Combined"][..., :3])
        return np.maximum(caught[..., :3], np.float32(0.0))

    @property
    def foreground(self) -> NDArray[np.float32]:
        """The light (H, W, 4) of all but the environment, and how much of it that covers; light is
        that of the whole pixel: where a half is covered, half of it."""
        return self.layers["Combined"]

    @property
    def colours(self) -> NDArray[np.float32]:
        """The light (H, W, 3) of what covers pixels, whatever share of them it covers; 0 where
        nothing does.

        A denoiser spreads light over edges, but leaves coverage as it is. Divided by that, its
        light would be too weak at threads and too strong beside them: so it counts as much as it is
        covered, and else that of before.
        """
        light, covered = self.layers["Combined"][..., :3], np.clip(self.alpha, 0, 1)[..., None]
        raw = self.layers["Noisy Image"][..., :3] if "Noisy Image" in self.layers else light
        settled = covered * light + (1 - covered) * raw
        there = covered > 0
        return np.divide(settled, covered, out=np.zeros_like(light), where=there)

    @property
    def background(self) -> NDArray[np.float32]:
        """The light (H, W, 3) of the environment alone.

        In a pixel that is covered in part it is that of the very rays that pass by, so that both
        together are the picture; only where none does it is what another look has found there.
        """
        free = 1.0 - self.alpha[..., None]
        seen = self.layers["Environment"][..., :3] / np.maximum(free, SEEN_THROUGH)
        return np.where(free >= SEEN_THROUGH, seen, self.layers["Behind"][..., :3])

    @property
    def alpha(self) -> NDArray[np.float32]:
        """How much of each pixel (H, W) the model covers, 0..1."""
        return self.layers["Combined"][..., 3]


class Held:
    """Passes that were taken from Blender's memory; until they are let go, as files are removed."""

    def __init__(self, passes: Passes, whole: Callable[[Passes], Passes] | None = None) -> None:
        self._passes: Passes | None = passes
        self._whole = whole

    def put_into(self, whole: Callable[[Passes], Passes]) -> Held:
        """Return the same, of which a whole picture is made when they are read."""
        assert self._passes is not None
        return Held(self._passes, whole)

    @property
    def alpha(self) -> NDArray[np.float32]:
        """How much of each pixel (H, W) is covered, before they are read."""
        assert self._passes is not None
        return self._passes.alpha

    def read(self) -> Passes:
        """Return the passes, laid out as they are read from a file.

        Raises:
            RenderError: They were let go.
        """
        if self._passes is None:
            raise RenderError("the render was let go")
        layers = {name: np.ascontiguousarray(each) for name, each in self._passes.layers.items()}
        passes = replace(self._passes, layers=layers)
        return passes if self._whole is None else self._whole(passes)

    def unlink(self, *, missing_ok: bool = False) -> None:
        """Let go of the passes.

        Raises:
            RenderError: They were before, and that is not `missing_ok`.
        """
        if self._passes is None and not missing_ok:
            raise RenderError("the render was let go")
        self._passes = None


Delivery = Path | Held
"""What a render leaves: a file, or passes that never were in one. Whoever has it lets it go, by its
`unlink`."""


def read_passes(path: Delivery) -> Passes:
    """Read what a render left.

    Raises:
        RenderError: It is not there or not whole.
    """
    if isinstance(path, Held):
        return path.read()
    try:
        with OpenEXR.File(str(path), separate_channels=True) as exr:
            seconds, manifest = told_by(exr.header(0))
            channels = {
                name: channel.pixels
                for part in exr.parts
                for name, channel in part.channels.items()
            }
    except (RuntimeError, OSError) as error:
        raise RenderError(f"{path}: the render was not written completely") from error
    return Passes(grouped(channels), seconds, manifest)


def read_once(path: Delivery) -> Passes:
    """Read a render and let it go."""
    try:
        return read_passes(path)
    finally:
        path.unlink(missing_ok=True)


def told_once(path: Path) -> tuple[float, dict[str, str]]:
    """Return what a render's header tells: the seconds of path tracing, and what the numbers of its
    cryptomatte mean; remove the file.

    Raises:
        RenderError: It is not there or not whole.
    """
    try:
        with OpenEXR.File(str(path), header_only=True) as exr:
            return told_by(exr.header(0))
    except (RuntimeError, OSError) as error:
        raise RenderError(f"{path}: the render was not written completely") from error
    finally:
        path.unlink(missing_ok=True)


def told_by(header: dict[str, object]) -> tuple[float, dict[str, str]]:
    """Return what a header tells, as `told_once` does."""
    manifest = {key: str(value) for key, value in header.items() if key.startswith("cryptomatte/")}
    return sample_seconds(header), manifest


def read_index(path: Delivery) -> NDArray[np.uint16]:
    """Return which object each pixel (H, W) of a render shows, 0 for none; let it go."""
    return np.rint(read_once(path).layers["Object Index"][..., 0]).astype(np.uint16)


def grouped(channels: dict[str, NDArray[np.float32]]) -> dict[str, NDArray[np.float32]]:
    """Put `ViewLayer.Combined.R` and its like together, in the order R G B A, X Y Z W or U V A."""
    names: dict[str, list[str]] = {}
    for name in channels:
        names.setdefault(name.split(".")[-2], []).append(name)
    order = {letter: place for place, letter in enumerate("UVRGBArgbaXYZW")}
    return {
        layer: np.stack(
            [channels[name] for name in sorted(members, key=lambda n: order.get(n[-1], 99))],
            axis=-1,
        )
        for layer, members in names.items()
    }


def sample_seconds(header: dict[str, object]) -> float:
    """Return the seconds of path tracing that Cycles noted in the EXR's header."""
    for key, value in header.items():
        if re.fullmatch(r"cycles\..*\.render_time", key):
            seconds = 0.0
            for part in str(value).split(":"):  # [[days:]hours:]minutes:seconds
                seconds = seconds * 60 + float(part)
            return seconds
    return 0.0
