"""What stands for a picture in a script: the farm renders it when the script is done."""

from __future__ import annotations

from typing import Any, NoReturn

from worker.scripts.failures import RefusedCall

SENTENCE = (
    "the farm renders the picture when the script is done with the frame: publish what render() "
    "returns as it is, and change pictures where they are read"
)


class Picture:
    """The farm's own picture of the view, which is not rendered yet."""

    def __init__(self, mode: str = "rgb") -> None:
        self.mode = mode

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        raise RefusedCall(SENTENCE)

    def refuse(self, *_: object) -> NoReturn:
        """Say that there are no pixels yet."""
        raise RefusedCall(SENTENCE)

    __getitem__ = __len__ = __iter__ = __array__ = refuse
    __add__ = __mul__ = __truediv__ = __sub__ = __pow__ = refuse
