"""What `from blendtorch import btb` gives: the names of its 0.4 and of its older releases."""

from __future__ import annotations

from typing import NoReturn

from worker.scripts.btb import animation, arguments, camera, materials, offscreen, publisher, utils
from worker.scripts.btb.animation import AnimationController, Signal
from worker.scripts.btb.arguments import parse_blendtorch_args
from worker.scripts.btb.camera import Camera
from worker.scripts.btb.offscreen import OffScreenRenderer
from worker.scripts.btb.publisher import BlenderOutputChannel, DataPublisher, DuplexChannel

__all__ = [
    "AnimationController", "BlenderOutputChannel", "Camera", "DataPublisher", "DuplexChannel",
    "OffScreenRenderer", "Signal", "animation", "arguments", "camera", "materials", "offscreen",
    "parse_blendtorch_args", "publisher", "utils",
]  # fmt: skip

parts = {
    "animation": animation, "arguments": arguments, "camera": camera, "materials": materials,
    "offscreen": offscreen, "publisher": publisher, "utils": utils,
}  # fmt: skip
INSTEAD = {
    "CompositeRenderer": "name the passes that it took apart with --passes (depth, normal, index)",
    "CompositeSelection": "name the passes that it took apart with --passes (depth, normal, index)",
    "env": "the farm runs no environments of reinforcement learning",
    "gym": "the farm runs no environments of reinforcement learning",
}


def __getattr__(name: str) -> NoReturn:
    if name in INSTEAD:
        raise AttributeError(f"btb.{name} is not on this farm: {INSTEAD[name]}")
    raise AttributeError(f"btb has no {name!r} on this farm; it has {', '.join(__all__)}")
