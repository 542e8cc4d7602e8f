"""What a script was started with."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from worker.scripts.btb.here import here


class Sockets(dict[str, str]):
    """Names of sockets: whichever a script asks for is there, and leads to the farm."""

    def __missing__(self, name: str) -> str:
        return f"farm://{name}"


def parse_blendtorch_args(argv: Any = None) -> tuple[SimpleNamespace, list[str]]:
    """Return `btid`, `btseed` and `btsockets`, and no other arguments."""
    del argv
    return SimpleNamespace(btid=0, btseed=here().seed, btsockets=Sockets()), []
