"""Traces added up: own times, shares, gaps; and the picture of them."""

from __future__ import annotations

import io

import pytest

from farm.dataset.trace.spans import Event, TraceFile, read_traces
from farm.dataset.trace.stages import TraceStats, stats_of
from farm.errors import SpecError
from farm.storage import FolderStorage

MS = 1000
DRAWN = ("task", "load", "sample", "map", "encode")


def named(what: str, name: str, tid: int = 0) -> Event:
    return Event(name=what, ph="M", pid=1, tid=tid, args={"name": name})


def span(name: str, start_ms: float, end_ms: float, *, tid: int = 0, view: str = "") -> Event:
    return Event(
        name=name, ph="X", pid=1, tid=tid, ts=start_ms * MS, dur=(end_ms - start_ms) * MS,
        args={"view": view} if view else {},
    )  # fmt: skip


def a_trace(*, start_ms: float = 0.0) -> TraceFile:
    """A task of 100 ms: 20 load, 10 of the map, 50 sampling in two views; 30 ms encoded beside."""
    at = [
        span("task", 0, 100), span("load", 0, 20),
        span("render", 20, 70, view="a"), span("map", 20, 30), span("sample", 35, 65),
        span("render", 70, 95, view="b"), span("sample", 75, 95),
        span("finish", 70, 90, tid=1, view="a"), span("encode", 72, 90, tid=1, view="a"),
        span("finish", 95, 99, tid=2, view="b"), span("encode", 95, 99, tid=2, view="b"),
    ]  # fmt: skip
    moved = [each.model_copy(update={"ts": each.ts + start_ms * MS}) for each in at]
    names = [
        named("process_name", "cpu-0@host"),
        named("thread_name", "renderer"),
        named("thread_name", "beside 1", 1),
        named("thread_name", "beside 2", 2),
    ]
    return TraceFile(traceEvents=(*names, *reversed(moved)), otherData={"title": "vase · studio"})


def row(stats: TraceStats, who: str, stage: str) -> float:
    return next(r.seconds for r in stats.stages if (r.who, r.stage) == (who, stage))


def test_a_stage_has_the_time_that_no_stage_within_it_took():
    stats = stats_of([a_trace()])

    assert (stats.tasks, stats.views) == (1, 2)
    assert stats.wall_s == pytest.approx(0.1)
    assert stats.once_s == pytest.approx(0.03)
    assert row(stats, "renderer", "sample") == pytest.approx(0.05)
    assert row(stats, "renderer", "other") == pytest.approx(0.02)
    assert row(stats, "beside", "encode") == pytest.approx(0.022)
    assert row(stats, "beside", "other") == pytest.approx(0.002)
    assert sum(r.seconds for r in stats.stages if r.who == "renderer") == pytest.approx(0.1)
    assert stats.paths["renderer/task/render/sample"] == pytest.approx(0.05)


def test_sampling_is_told_of_all_and_of_what_comes_with_each_view():
    stats = stats_of([a_trace()])

    assert stats.sampling_share == pytest.approx(0.5)
    assert stats.sampling_share_of_views == pytest.approx(50 / 70)
    assert stats_of([]).sampling_share == 0.0


def test_what_passes_between_tasks_is_told_of_each_worker():
    stats = stats_of([a_trace(start_ms=112), a_trace(), a_trace(start_ms=240)])

    assert stats.between_s == pytest.approx(0.02)
    assert stats_of([a_trace()]).between_s is None


def test_traces_are_read_one_by_one_and_a_broken_one_is_named(tmp_path):
    storage = FolderStorage(tmp_path)
    storage.put("vases/traces/a.1.json", a_trace().model_dump_json().encode())
    storage.put("vases/traces/notes.txt", b"mine")

    assert [trace.worker for trace in read_traces(storage, ["vases"])] == ["cpu-0@host"]

    storage.put("vases/traces/b.1.json", b'{"traceEvents": [{"ph": "X"}]}')
    with pytest.raises(SpecError, match=r"vases/traces/b\.1\.json: is not a trace: .*; delete it"):
        list(read_traces(storage, ["vases"]))


def test_the_picture_shows_stages_as_wide_as_they_took():
    image = pytest.importorskip("PIL.Image")
    drawing = pytest.importorskip("farm.dataset.trace.picture")

    png = drawing.draw_trace(stats_of([a_trace()]), a_trace(), title="vases", subtitle="2 views")

    with image.open(io.BytesIO(png)) as page:
        pixels = page.convert("RGB")
    inside = pixels.width - 2 * (44 + 26)
    wide = {name: widest(pixels, drawing.COLOURS[name]) for name in ("load", "map")}
    assert wide["load"] == pytest.approx(0.2 * inside, abs=30)  # words are written into it
    assert wide["map"] == pytest.approx(0.1 * inside, abs=30)


def widest(pixels, colour: str) -> int:
    """Return the most pixels of a colour in a row of the first card."""
    wanted = tuple(int(colour[place : place + 2], 16) for place in (1, 3, 5))
    rows = range(132 + 92, 132 + 92 + 3 * 34, 2)
    return max(
        sum(pixels.getpixel((across, row)) == wanted for across in range(pixels.width))
        for row in rows
    )
