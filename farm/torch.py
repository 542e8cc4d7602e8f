"""Datasets for PyTorch: those on a disk or a farm, and views while they are rendered.

    from farm.torch import StreamDataset, ViewDataset

The `[torch]` extra has what it needs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Self

import numpy as np

from farm.dataset.expressions import plain_expressions
from farm.dataset.torch import EXPRESSIONS, Sample, Sentences, ViewDataset, tensor_of, tensors_of
from farm.errors import needing
from farm.spec.passes import PASSES, PassName
from farm.stream import Stream, StreamedView
from farm.stream.batches import Pool
from farm.stream.handover import Handover
from farm.stream.tensors import Tensors

with needing("training needs", "pip install 'viewfarm[torch]'"):
    import torch
    from torch.utils.data import IterableDataset

__all__ = ["Sample", "StreamDataset", "ViewDataset"]


class StreamDataset(IterableDataset):  # type: ignore[misc]  # torch is not there when types are checked
    """Views of a job as they are rendered, for a `DataLoader` with any number of workers.

        views = StreamDataset("spec.yaml", passes=("rgb", "index"), length=100_000)
        for batch in DataLoader(views, batch_size=8, num_workers=4): ...

    Each view goes to one worker of one rank; all ranks that open the same stream share it. All
    other arguments are those of `farm.stream.Stream`.
    """

    def __init__(
        self,
        spec: Any,
        passes: Iterable[PassName] | None = None,
        *,
        scale: bool = True,
        expressions: bool = False,
        transform: Callable[[Sample], Any] | None = None,
        **stream: Any,
    ) -> None:
        """Begin a stream, or take part in one.

        Args:
            spec: As of `Stream`.
            passes: As of `Stream`.
            scale: Give pictures as float32 in 0..1, else with the bits that they were rendered in.
            expressions: Give the sentences of a view, too.
            transform: Called with each sample; what it returns is the sample.
            stream: As of `Stream`: `length`, `queue`, `timeout_s`, `ordered`, `record`, `farm`, ...
        """
        self.scale = scale
        self.expressions = expressions
        self.transform = transform
        self.stream = Stream(spec, None if passes is None else tuple(passes), **stream)
        self._handover = Handover()
        self._pool = Pool()

    def __iter__(self) -> Iterator[Any]:
        """Yield samples.

        Returns:
            Tensors by pass, as `ViewDataset` has them; what a script has told of the view; its
            `name`, unique in its dataset, and its `id`, by which `ack` acknowledges it.
        """
        views = iter(self.stream)
        try:
            for view in views:
                sample = self._sample(view)
                yield self._handover.sample(
                    sample if self.transform is None else self.transform(sample)
                )
        finally:
            views.close()  # type: ignore[attr-defined]  # it is a generator

    def batches(self, size: int) -> Iterator[dict[str, Any]]:
        """Yield batches without a `DataLoader`: the fastest way into one process.

        Returns:
            By pass a tensor as rendered, (size, H, W, ...), pinned where there is a GPU: neither
            scaled nor transformed, which is quicker there. As `Stream.batches` for the rest.
        """
        return self.stream.batches(size, memory=Tensors())

    def send(self, params: Any, ids: Any = None) -> int:
        """Say what the next views are to show, as `Stream.send`."""
        return self.stream.send(params, ids)

    def ack(self, ids: Iterable[str]) -> None:
        """Acknowledge views by their ids, such as `batch["id"]`."""
        self.stream.ack(ids)

    def close(self) -> None:
        """End it."""
        self.stream.close()
        self._handover.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def _sample(self, view: StreamedView) -> Sample:
        sample: Sample = {"name": view.name, "id": view.id}
        if view.sent_id is not None:
            sample["sent_id"] = view.sent_id
        if self.expressions:
            sample[EXPRESSIONS] = Sentences(plain_expressions(view.record))
        return sample | {name: self._tensor(view, name) for name in view}

    def _tensor(self, view: Mapping[str, Any], name: str) -> Any:
        value = view[name]
        if name not in PASSES:
            return self._copy(value) if isinstance(value, np.ndarray) else value
        if PASSES[name].kind == "arrays":
            return tensors_of(name, value, (1, 1))
        return tensor_of(value, name, scale=self.scale)

    def _copy(self, values: np.ndarray) -> Any:
        array, _same = self._pool.take(values.shape, values.dtype)
        array[...] = values
        return torch.from_numpy(array)
