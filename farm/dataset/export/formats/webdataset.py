"""WebDataset: shards of tar files that are read in a stream."""

from __future__ import annotations

import io
from collections.abc import Iterator

import numpy as np
from webdataset.writer import TarWriter

from farm.dataset.export.base import Exporter, ExportJob, ExportPart, NumberedView, Written
from farm.dataset.export.passes.pictures import pass_file
from farm.spec.passes import PASSES, PassName
from farm.spec.record import ViewRecord
from farm.storage.shards import sample_key

Sample = dict[str, str | bytes]
PIXEL_BYTES: dict[PassName, int] = {
    name: {"integers": 2, "yes_or_no": 1, "cryptomatte": 4 * 24, "cutout": 8}.get(
        info.kind, 4 * len(info.channels)
    )
    for name, info in PASSES.items()
}
"""Of a pixel in the array of a label; arrays are not compressed."""


class TarExporter(Exporter[Sample]):
    """`<split>-<number>.tar`: of each view `rgb.png`, `mask.png`, `depth.npy`, ..., `json`."""

    takes = frozenset({"shard_mb"})
    part_views = 1000
    by_size = True
    originals = True

    def __init__(self, job: ExportJob) -> None:
        super().__init__(job)
        self._passes = self.options.passes

    def take(self, view: NumberedView) -> Sample:
        sample: Sample = {
            "__key__": sample_key(view.stem),
            "json": view.record.model_dump_json().encode(),
        }
        for name in self._passes or view.view.passes:
            suffix, data = self._entry(view, name)
            sample[f"{name}.{suffix}"] = data
        return sample

    def write(self, part: ExportPart, taken: Iterator[Sample]) -> Written:
        path = f"{part.name}.tar"
        with (
            self.outbox.open(path) as file,
            TarWriter(
                file, encoder=False, mtime=0, user="farm", group="farm", format="PAX_FORMAT"
            ) as shard,
        ):
            for sample in taken:
                shard.write(sample)
        return Written([path], [])

    def size_of(self, record: ViewRecord) -> int:
        width, height = record.resolution_px
        wanted = self._passes or record.files
        return sum(
            width * height * PIXEL_BYTES[name] if self._is_array(name) else file.size_bytes
            for name, file in record.files.items()
            if name in wanted
        )

    def _is_array(self, name: PassName) -> bool:
        """Say whether a pass becomes an array: webdataset's decoders make 8-bit RGB of every PNG,
        and know no EXR; NPZ they know.
        """
        pixels = PASSES[name].kind not in ("picture", "arrays")
        return pixels and self.options.image_format != "original"

    def _entry(self, view: NumberedView, name: PassName) -> tuple[str, bytes]:
        if self._is_array(name):
            file = io.BytesIO()
            np.save(file, view.pixels(name), allow_pickle=False)
            return "npy", file.getvalue()
        found = pass_file(view, name, self.options.image_format)
        return found.suffix, found.data
