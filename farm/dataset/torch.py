"""A dataset for PyTorch; the `[torch]` extra has what it needs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from os import PathLike
from typing import Any

import numpy as np
from numpy.typing import NDArray

import farm.dataset
from farm import runs
from farm.arrays import Rows
from farm.dataset.expressions import PlainExpression, plain_expressions
from farm.dataset.reader import Dataset, DatasetError, DatasetView
from farm.errors import needing
from farm.spec.hint import hint
from farm.spec.passes import PASSES, PassKind, PassName

with needing("training needs", "pip install 'viewfarm[torch]'"):
    import torch
    from torch.nn.functional import interpolate
    from torch.utils.data import Dataset as TorchDataset
    from torch.utils.data._utils.collate import default_collate_fn_map

Sample = dict[str, Any]
"""The tensors of a view by pass, and its `name`."""
SMOOTH: frozenset[PassKind] = frozenset({"picture", "cutout"})
"""Kinds of passes that are averaged where they are made smaller."""
EXPRESSIONS = "expressions"
"""Under which a sample has its sentences."""


class Sentences(list[PlainExpression]):
    """The sentences of a view. Views have different numbers of them, so a batch is a list of these:
    PyTorch asks us how to put them side by side.
    """


def side_by_side(batch: Sequence[Sentences], *, collate_fn_map: Any = None) -> list[Sentences]:
    """Return the sentences of a batch, by view."""
    return list(batch)


default_collate_fn_map[Sentences] = side_by_side


class ViewDataset(TorchDataset):  # type: ignore[misc]  # torch is not there when types are checked
    """The views of a dataset as tensors, for a `DataLoader` with any number of workers.

        loader = DataLoader(ViewDataset("datasets", size=(256, 256)), batch_size=8, num_workers=4)

    Files are read and decoded where a view is asked for: in the loader's workers, forked or
    spawned. What they share is a number per view, so memory does not grow with the dataset's files
    nor, by copies, with the workers.
    """

    def __init__(  # noqa: PLR0913  each is one thing that a training may want otherwise
        self,
        data: Dataset | str | PathLike[str],
        passes: Sequence[PassName] = ("rgb", "mask"),
        *,
        split: str | None = None,
        size: tuple[int, int] | None = None,
        scale: bool = True,
        expressions: bool = False,
        transform: Callable[[Sample], Any] | None = None,
    ) -> None:
        """Open the dataset.

        Args:
            data: A dataset, or what `farm.dataset.open` takes.
            passes: Those that each sample has.
            split: Only the views of this split; only where `data` is a place.
            size: (width, height) that every pass is brought to, for views of different sizes.
            scale: Give pictures as float32 in 0..1, else with the bits that they were rendered in.
            expressions: Give the sentences of a view, too.
            transform: Called with each sample; what it returns is the sample.

        Raises:
            DatasetError: There is none, or its views lack a pass.
        """
        self.data = data if isinstance(data, Dataset) else farm.dataset.open(data, split=split)
        self.passes = tuple(passes)
        self.size = size
        self.scale = scale
        self.expressions = expressions
        self.transform = transform
        there = self.data[0].passes if len(self.data) else self.passes
        for name in self.passes:
            if name not in there:
                place = self.data.storage.place
                has = f"it has {', '.join(there)}{hint(name, there)}"
                raise DatasetError(f"{place}: has no pass {name!r}; {has}")

    def __len__(self) -> int:
        return len(self.data)

    def __getitem__(self, at: int) -> Any:
        """Read and decode a view.

        Returns:
            `name`, unique in the dataset, and by pass a tensor: `rgb` (3, H, W) and
            `mask` (1, H, W) float32 in 0..1; `index` and `material` (H, W) int64; others
            (channels, H, W) float32, with the values of the files. Passes of arrays, such as
            `tracks`, are a dict of tensors, a row for each point. `expressions`, if they are
            wanted: a list of dicts, as `plain_expressions` has them.
        """
        view = self.data[at]
        sample: Sample = {"name": view.key}
        for name in self.passes:
            sample[name] = self._sized(view, name)
        if self.expressions:
            sample[EXPRESSIONS] = Sentences(plain_expressions(view.record, self.size))
        return sample if self.transform is None else self.transform(sample)

    def _sized(self, view: DatasetView, name: PassName) -> Any:
        if PASSES[name].kind == "arrays":
            return tensors_of(name, view[name], view.record.resolution_px, self.size)
        tensor = tensor_of(view[name], name, scale=self.scale)
        return tensor if self.size is None else resized(tensor, name, self.size)


def tensors_of(
    name: PassName, rows: Rows, resolution_px: tuple[int, int], size: tuple[int, int] | None = None
) -> dict[str, torch.Tensor]:
    """Return the arrays of a pass as tensors of their own, by name: whole numbers as int64.

    Args:
        name: The pass.
        rows: (N,), with a field for each array.
        resolution_px: (width, height) of the view's pictures.
        size: That they are brought to; places in the picture, `px`, are scaled along, and
            silhouettes are those of the smaller picture.
    """
    if name == "amodal" and size is not None:
        rows = runs.resized(rows, resolution_px, size)
    found = {}
    for field in rows.dtype.names or ():
        values = np.ascontiguousarray(rows[field])
        if values.dtype.kind in "ui":
            values = values.astype(np.int64)
        if field == "px" and size is not None:
            values = values * np.divide(size, resolution_px).astype(np.float32)
        found[field] = torch.from_numpy(values.copy())
    return found


def tensor_of(values: NDArray[Any], name: PassName, *, scale: bool = True) -> torch.Tensor:
    """Return a decoded pass as a tensor of its own, channels first.

    Args:
        values: (H, W) or (H, W, channels), as `decode_pass` gives them.
        name: The pass.
        scale: Give pictures as float32 in 0..1.
    """
    kind = PASSES[name].kind
    if kind in ("integers", "yes_or_no"):
        return torch.from_numpy(values.astype(np.int64))
    planes = np.moveaxis(values, -1, 0) if values.ndim == 3 else values[np.newaxis]
    if kind not in ("picture", "cutout") or not scale:
        return torch.from_numpy(np.array(planes, order="C"))
    return torch.from_numpy(planes.astype(np.float32, order="C")) / float(
        np.iinfo(values.dtype).max
    )


def resized(tensor: torch.Tensor, name: PassName, size: tuple[int, int]) -> torch.Tensor:
    """Return a pass at another size: pictures are averaged, labels keep their values.

    Flow, which is in pixels, is scaled along.

    Args:
        tensor: (H, W) or (channels, H, W).
        name: The pass.
        size: (width, height).
    """
    width, height = size
    old_height, old_width = tensor.shape[-2:]
    if (old_width, old_height) == (width, height):
        return tensor
    planes = tensor.reshape(1, -1, old_height, old_width)
    if PASSES[name].kind in SMOOTH:
        top = _brightest(tensor.dtype)
        if PASSES[name].kind == "cutout":
            new = _straight(_averaged(_weighted(planes.float(), top), size), top)
        else:
            new = _averaged(planes.float(), size)
        new = new.clamp_(0, top)
        new = (new if tensor.is_floating_point() else new.round()).to(tensor.dtype)
    else:
        rows = _nearest(old_height, height)
        columns = _nearest(old_width, width)
        new = planes[..., rows[:, None], columns]
    if name in ("flow_forward", "flow_backward"):
        new = new * torch.tensor([width / old_width, height / old_height]).reshape(1, 2, 1, 1)
    return new.reshape(*tensor.shape[:-2], height, width)


def _averaged(planes: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    return interpolate(planes, size=(size[1], size[0]), mode="bilinear", antialias=True)


def _weighted(planes: torch.Tensor, top: float) -> torch.Tensor:
    """Weigh colours by their alpha: what is not there must not darken what is beside it."""
    return torch.cat([planes[:, :3] * planes[:, 3:] / top, planes[:, 3:]], dim=1)


def _straight(planes: torch.Tensor, top: float) -> torch.Tensor:
    """Undo `_weighted`."""
    alpha = planes[:, 3:]
    colours = torch.where(alpha > 0, planes[:, :3] * top / alpha.clamp(min=1e-6), 0.0)
    return torch.cat([colours, alpha], dim=1)


def _brightest(kind: torch.dtype) -> float:
    return 1.0 if kind.is_floating_point else float(torch.iinfo(kind).max)


def _nearest(old: int, new: int) -> torch.Tensor:
    """Return which of `old` pixels is at the centre of each of `new` ones."""
    return ((torch.arange(new) + 0.5) * old / new).long().clamp_(max=old - 1)
