"""Spans that are taken down, and the format that they are told in."""

from __future__ import annotations

import json
import threading

import pytest

from worker.trace import NO_TRACE, TaskTrace


def events(trace: TaskTrace) -> list[dict]:
    told = json.loads(trace.to_json(process="cpu-0@host", facts={"title": "vase"}))
    assert told["otherData"] == {"title": "vase"}
    return told["traceEvents"]


def test_spans_are_told_as_complete_events_with_their_threads():
    """Of the format that Perfetto and speedscope read: `ph` X, whole microseconds."""
    trace = TaskTrace()
    with trace.span("render", "view_1"), trace.span("sample"):
        pass
    other = threading.Thread(target=lambda: trace.add("read", 5_000, 9_999, "view_1"))
    other.start()
    other.join()

    told = events(trace)

    names = {event["tid"]: event["args"]["name"] for event in told if event["ph"] == "M"}
    assert names == {0: "renderer", 1: "beside 1"}
    spans = {event["name"]: event for event in told if event["ph"] == "X"}
    assert spans["render"]["args"] == {"view": "view_1"}
    assert spans["sample"]["args"] == {}
    assert spans["read"]["tid"] == 1
    assert all(isinstance(span[key], int) for span in spans.values() for key in ("ts", "dur"))
    outer, inner = spans["render"], spans["sample"]
    assert outer["ts"] <= inner["ts"]
    assert inner["ts"] + inner["dur"] <= outer["ts"] + outer["dur"]


def test_a_span_that_fails_is_taken_down():
    trace = TaskTrace()

    with pytest.raises(ValueError, match="why"), trace.span("load"):
        raise ValueError("why")

    assert [event["name"] for event in events(trace) if event["ph"] == "X"] == ["load"]


def test_nothing_is_made_where_nobody_asks():
    assert not NO_TRACE.is_on
    assert NO_TRACE.span("render", "view_1") is NO_TRACE.span("load")
