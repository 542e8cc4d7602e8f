"""Batches as tensors of PyTorch, pinned where there is a GPU."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from farm.errors import needing
from farm.stream.batches import Pool

with needing("tensors need", "pip install 'viewfarm[torch]'"):
    import torch


class Tensors:
    """Memory of batches that are tensors.

    Without a GPU it is used again when its user has let go. Pinned memory comes from PyTorch, which
    uses it again itself: it alone knows whether a copy to the GPU still reads it.
    """

    def __init__(self, *, pinned: bool | None = None) -> None:
        """Begin; `pinned` left out: where there is a GPU."""
        self.pinned = torch.cuda.is_available() if pinned is None else pinned
        self.pool = Pool()

    def take(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> tuple[NDArray[Any], Any]:
        """Return an array, and the tensor that shows it."""
        if self.pinned:
            like = torch.from_numpy(np.empty(0, dtype)).dtype
            tensor = torch.empty(shape, dtype=like, pin_memory=True)
            return tensor.numpy(), tensor
        array, _same = self.pool.take(shape, dtype)
        return array, torch.from_numpy(array)
