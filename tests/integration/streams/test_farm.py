"""Streams of a farm over HTTP: samples for one consumer, for several, and what may go wrong."""

from __future__ import annotations

import re
import threading

import numpy as np
import pytest

import farm.dataset
from farm.cli.remote.tables import stream_words
from farm.client import Client
from farm.client.streams import find
from farm.errors import NotFoundError, RequestRefusedError, SpecError, StreamError
from farm.feeding.asking import Pull
from farm.stream import Stream, replay
from farm.training import consumer as consumers
from farm.training.source import FarmSource
from tests.integration.streams.conftest import SILENCE_S
from tests.support.waiting import wait_for


def ids(views):
    return [view.id for view in views]


def test_all_views_of_a_spec_arrive_once(farm):
    farm.start_worker()
    with farm.stream(views=10, per_task=4) as stream:
        views = list(stream)

    assert sorted(view.number for view in views) == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]
    assert {view.name for view in views} == {f"view_{yaw:03d}_00" for yaw in range(0, 360, 36)}
    first = min(views, key=lambda view: view.number)
    np.testing.assert_array_equal(first["rgb"], np.full((64, 64, 3), colour(first), np.uint8))
    farm.wait_job(stream.job_id, "completed")


def colour(view):
    return view.record.view.seed % 256 * 20 % 256


def test_a_length_that_a_spec_does_not_have_is_filled_with_further_seeds(farm):
    farm.start_worker()
    with farm.stream(views=3, length=11, ordered=True) as stream:
        views = list(stream)

    assert len(views) == 11
    assert [view.name for view in views[:4]] == [
        "view_000_00", "view_120_00", "view_240_00", "view_000_00-1",
    ]  # fmt: skip
    assert len({view.record.view_id for view in views}) == 11


def test_several_consumers_share_a_stream(farm):
    farm.start_worker()
    found: list[list[str]] = [[], []]
    with farm.stream(views=20) as first:
        second = Stream(f"farm:{first.job_id}", queue=8, timeout_s=SILENCE_S)

        def read(stream, into):
            into += ids(stream)

        threads = [
            threading.Thread(target=read, args=pair)
            for pair in zip((first, second), found, strict=True)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        second.close()

    assert len(found[0]) + len(found[1]) == 20
    assert not set(found[0]) & set(found[1])


def test_a_stream_that_nobody_reads_costs_nothing_and_stops_no_other_job(farm):
    farm.start_worker()
    with farm.stream(views=8) as stream:
        job_id = farm.submit(tasks=1)  # of a kind that the stand-in cannot do: it gets there
        wait_for(lambda: farm.show(job_id)["failures"], "the job after it is served")
        assert stream.state().rendering == 0
        assert farm.show(stream.job_id)["counts"]["pending"] > 0


def test_a_job_tells_how_its_stream_stands(farm):
    with farm.stream(views=8) as stream:
        unread = farm.client_job(stream.job_id)
        farm.start_worker()
        views = iter(stream)
        next(views)
        read = farm.client_job(stream.job_id)
        views.close()

    assert unread.stream.consumers == 0
    assert read.stream.credits == 8
    assert read.stream.bound_bytes == 1 << 20
    assert re.match(
        r"\d of 8 samples given out, .* 8 credits of 1 consumer; .* of 1", stream_words(read.stream)
    )
    assert farm.client_job(farm.submit(tasks=1)).stream is None


def test_no_more_is_rendered_than_consumers_have_room_for(farm):
    farm.start_worker()
    with farm.stream(views=40, per_task=2, queue=4) as stream:
        views = iter(stream)
        next(views)
        wait_for(
            lambda: stream.state().ready + stream.state().lent == 4,
            "all credits are used",
            story=lambda: farm.story(stream),
        )
        farm.submit(tasks=1)
        wait_for(lambda: sum(farm.made().values()) >= 4, "made")

        assert len(farm.made()) == 4
        assert next(views)
        views.close()


def test_a_consumer_that_is_answered_late_takes_leave_in_silence(farm, monkeypatch):
    """Its thread still asks when whoever trains has waited for long enough and gone on."""
    monkeypatch.setattr(consumers, "LEAVES_S", 0.01)
    asked, answer, pull = threading.Event(), threading.Event(), FarmSource.pull

    def pull_late(source, *told):
        asked.set()
        answer.wait()
        return pull(source, *told)

    monkeypatch.setattr(FarmSource, "pull", pull_late)
    with farm.stream() as stream:
        source = FarmSource(find(Client(farm.api.url), stream.job_id))
        consumer = consumers.Consumer(source, stream.job_id, queue=4, timeout_s=SILENCE_S)
        asked.wait()
        consumer.close()
        answer.set()
        consumer.thread.join()

        assert stream.state().consumers == 0


def test_what_was_sent_is_shown_and_comes_back_with_its_id(farm):
    farm.start_worker()
    with farm.stream(views=8, per_task=2, length=5, duplex=True) as stream:
        stream.send([{"camera": {"yaw_deg": 10.0 * n}} for n in range(5)], ids=range(5))

        views = list(stream)

    told = {view.sent_id: view.record.view.camera.yaw_deg for view in views}
    assert told == {0: 0.0, 1: 10.0, 2: 20.0, 3: 30.0, 4: 40.0}


def test_without_duplex_views_that_nothing_was_sent_for_are_the_specs(farm):
    farm.start_worker()
    with farm.stream(views=4, per_task=4, length=4, ordered=True) as stream:
        stream.send({"light": {"strength": 0.25}}, ids="dim")

        views = list(stream)

    assert [view.sent_id for view in views] == ["dim", None, None, None]
    assert [view.record.view.light.strength for view in views] == [0.25, 1.0, 1.0, 1.0]


def test_parameters_that_views_do_not_have_are_refused_at_once(farm):
    with (
        farm.stream() as stream,
        pytest.raises(RequestRefusedError, match="no 'size'; what can be sent is camera, light"),
    ):
        stream.send({"size": 3})


def test_batches_hold_all_views(farm):
    farm.start_worker()
    with farm.stream(views=10) as stream:
        batches = list(stream.batches(4))

    assert [len(batch["id"]) for batch in batches] == [4, 4, 2]
    assert [batch["rgb"].shape for batch in batches] == [(n, 64, 64, 3) for n in (4, 4, 2)]
    assert len({each for batch in batches for each in batch["id"]}) == 10
    farm.wait_job(stream.job_id, "completed")


def test_a_stream_that_is_closed_before_its_end_is_seen_is_complete(farm):
    farm.start_worker()
    with farm.stream(views=8, per_task=4) as stream:
        views = iter(stream)
        taken = [next(views).name for _ in range(7)]
        farm.ended.set()
        farm.thread.join()
        taken += [view.name for view in views]
    farm.serve()
    farm.thread.start()

    assert len(set(taken)) == 8
    farm.wait_job(stream.job_id, "completed")


def test_what_is_recorded_is_an_ordinary_dataset(farm, tmp_path):
    farm.start_worker()
    with farm.stream(views=6, record=tmp_path / "recorded") as stream:
        views = {view.name: view for view in stream}

    data = farm_dataset(tmp_path / "recorded")
    assert {view.name for view in data} == set(views)
    for view in data:
        np.testing.assert_array_equal(view["rgb"], views[view.name]["rgb"])
        assert view.record == views[view.name].record
    again = list(replay(tmp_path / "recorded", shuffle=True, seed=1))
    assert sorted(view.name for view in again) == sorted(views)
    assert [view.name for view in again] != [view.name for view in replay(tmp_path / "recorded")]
    looped = replay(tmp_path / "recorded", loop=True)
    assert [next(looped).name for _ in range(7)][6] == next(replay(tmp_path / "recorded")).name


def farm_dataset(folder):
    return farm.dataset.open(folder, every=True)


def test_a_silent_stream_says_that_no_worker_is_alive(farm):
    with (
        farm.stream(timeout_s=1.0) as stream,
        pytest.raises(StreamError, match=r"no sample came for 1 s: no worker is alive"),
    ):
        next(iter(stream))


def test_a_silent_stream_names_the_worker_that_renders(farm):
    farm.tell("hold-view-1")
    farm.start_worker()
    with farm.stream() as stream:
        next(iter(stream))
        with (
            Stream(f"farm:{stream.job_id}", timeout_s=1.0) as second,
            pytest.raises(StreamError, match=r"worker w0@\S+ has had task 0 for \d+ s"),
        ):
            next(iter(second))


def test_a_stream_whose_tasks_fail_says_why(farm):
    farm.tell("fail-all")
    farm.start_worker()
    with (
        farm.stream(views=2) as stream,
        pytest.raises(StreamError, match=r"ended after 0 of 2 samples: .*nothing to render"),
    ):
        list(stream)


def test_views_of_tasks_that_failed_are_replaced(farm):
    farm.tell("fail-0")
    farm.start_worker()
    with farm.stream(views=8, per_task=4, ordered=True) as stream:
        views = list(stream)

    assert [view.number for view in views] == [4, 5, 6, 7, 8, 9, 10, 11]


def test_a_cancelled_stream_says_so(farm):
    with farm.stream(name="mine") as stream:
        farm.turn(stream.job_id, "cancel")
        with pytest.raises(StreamError, match=f"{stream.job_id} was cancelled"):
            next(iter(stream))


def test_a_token_that_may_only_look_is_refused(farm, monkeypatch):
    monkeypatch.setenv("FARM_URL", farm.api.url)
    monkeypatch.setenv("FARM_TOKEN", farm.api.tokens["read"])

    with pytest.raises(RequestRefusedError, match="needs a token with the role submit"):
        farm.stream()


def test_a_job_that_is_no_stream_is_told_of(farm):
    job_id = farm.submit(tasks=1)

    with pytest.raises(NotFoundError, match="that job is not streamed"):
        Stream(f"farm:{job_id}")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        pytest.param({"queue": 0}, "queue: 0 is not a whole number from 1", id="queue"),
        pytest.param({"timeout_s": 0}, "timeout_s: 0", id="timeout"),
        pytest.param({"length": 0}, "length", id="length"),
        pytest.param({"record": "old.btr"}, r"\.btr files hold pickles", id="btr"),
        pytest.param({"record": "s3://bucket/x"}, "is not a folder of this machine", id="bucket"),
        pytest.param({"encoding": "jpeg"}, "encoding", id="encoding"),
        pytest.param({"name": "a b"}, "name", id="name"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(farm, options, words):
    with pytest.raises((SpecError, RequestRefusedError), match=words):
        farm.stream(**options)


def test_a_stream_of_ones_own_is_cancelled_when_it_is_closed(farm):
    with farm.stream() as stream:
        pass
    with farm.stream(name="kept") as kept:
        pass

    farm.wait_job(stream.job_id, "cancelled")
    assert farm.show(kept.job_id)["state"] == "queued"


def test_a_stream_that_was_used_whole_is_not_cancelled_before_its_last_task_is_written_down(farm):
    book = farm.api.services.streams
    with farm.stream(views=1) as stream:
        book.push(stream.job_id, 0, b"sample", size_bytes=6)
        book.pull(stream.job_id, Pull(consumer="a", queue=1, lease_s=60.0))
        book.pull(stream.job_id, Pull(consumer="a", queue=1, lease_s=60.0, acks=(0,)))

    assert farm.show(stream.job_id)["state"] in ("queued", "completed")


def test_batches_for_which_there_is_no_room_say_what_to_change(farm):
    """Two samples fit into the bound; a batch of eight never comes."""
    farm.start_worker(STREAM_PIXELS="400")
    with farm.stream(views=1) as first:
        assert len(list(first)) == 1  # its worker has started: only room is lacking from here on
    with (
        farm.stream(views=8, per_task=1, encoding="arrays", timeout_s=15.0) as stream,
        pytest.raises(
            StreamError, match=r"no room for another sample: 2 samples .* raise FARM_STREAM_BYTES"
        ),
    ):
        next(stream.batches(8))
