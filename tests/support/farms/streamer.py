"""The stand-in for a renderer, which here hands on samples of one colour each.

`hold-view-<number>` in the storage folder makes the view of that number in the stream wait;
`made/<number>` counts how often it was made.
"""

from __future__ import annotations

import os
import threading
from pathlib import Path

import numpy as np

from farm.errors import AssetError
from farm.feeding.sink import open_sink
from farm.settings import Settings
from farm.spec.expression import Expression
from farm.spec.task import RenderTask, view_id
from farm.spec.view import View
from farm.stream.sample import Encoded, Sample
from tests.builders import a_record
from tests.support.farms.painter import picture
from worker.attempt.celery_task import Renderer
from worker.attempt.lease import LedgerLease
from worker.render.writers.streamed_views import StreamedViews

PIXELS = int(os.environ.get("STREAM_PIXELS", "16"))
"""Width and height of what is not encoded."""


def open_streamer(settings: Settings) -> Renderer:
    root = Path(settings.storage)
    sink = open_sink(
        settings.redis_url.get_secret_value(),
        bound_bytes=settings.stream_bytes,
        folder=settings.stream_folder,
    )
    pause = threading.Event()

    def render(task: RenderTask, *, attempt: int, worker: str, lease: LedgerLease) -> None:
        streamed = StreamedViews(task, sink)
        if (root / f"fail-{task.index}").exists() or (root / "fail-all").exists():
            raise AssetError("vase.blend", "there is nothing to render")
        for view in task.views:
            lease.confirm()
            number = streamed.number(view)
            while (root / f"hold-view-{number}").exists():
                pause.wait(0.01)
                lease.confirm()
            if streamed.has(view):
                continue
            streamed.put(view, sample_of(task, view, streamed))
            (root / "made").mkdir(exist_ok=True)
            with (root / "made" / str(number)).open("a") as made:
                made.write(".")
            lease.view_done()

    return render


def sample_of(task: RenderTask, view: View, streamed: StreamedViews) -> Sample:
    colour = view.seed % 256
    files = {"rgb": picture(colour, channels=3), "mask": picture(colour)}
    record = a_record(view, files=files, model=task.assets[0], hdr=task.assets[1])
    said = Expression(text=f"the {view.name}", kind="attribute", level=1, program=(), targets=())
    record = record.model_copy(
        update={"view_id": view_id(task, view), "expressions": (said,) * (view.index % 3)}
    )
    if streamed.stream.encoding == "files":
        passes: dict[str, object] = {name: Encoded("png", data) for name, data in files.items()}
    else:
        passes = {"rgb": np.full((PIXELS, PIXELS, 3), colour, np.uint8)}
    return Sample.of(record.view_id, {**passes, **streamed.told(view, record)})
