"""Samples between a worker's end of a stream and its consumers, by memory of one machine."""

from __future__ import annotations

import os
import threading

import numpy as np
import pytest

from farm.feeding.asking import Pull
from farm.feeding.book import StreamBook
from farm.feeding.sink import Sink
from farm.local.stream_farm import StreamAddress
from farm.spec.stream import StreamPlan
from farm.stream.memory import free_files
from farm.stream.sample import Sample
from farm.stream.wire import pack, unpack
from farm.training.consumer import Consumer
from farm.training.source import LocalSource
from tests.support.waiting import wait_for

JOB = "0123456789ab"
SAMPLES, QUEUE = 60, 4


@pytest.fixture
def memory(tmp_path):
    folder = tmp_path / "memory"
    folder.mkdir()
    return folder


@pytest.fixture
def source(redis_url, tmp_path, memory):
    """Return what makes a consumer's end."""
    address = StreamAddress(
        job_id=JOB,
        redis_url=redis_url,
        samples=memory,
        bound_bytes=1 << 20,
        farm_pid=os.getpid(),
        words_file=tmp_path / "words",
    )
    return lambda: LocalSource(StreamBook(redis_url, bound_bytes=1 << 20), address)


@pytest.fixture
def sink(redis_url, memory):
    book = StreamBook(redis_url, bound_bytes=1 << 20)
    book.open(JOB, StreamPlan(name="test", length=SAMPLES), stride=1)
    yield Sink(book, memory)
    book.close()


def put(sink, number):
    image = np.full((40, 40), number, np.uint8)
    sink.put(JOB, number, pack(Sample(f"s-{number}", {"image": image})))


def fed(sink):
    """Put all samples, no more at a time than there are credits for."""
    for number in range(SAMPLES):
        wait_for(lambda: sink.book.state(JOB).size_bytes < QUEUE * 1700, "there is room")
        put(sink, number)


def test_the_memory_of_what_was_used_is_used_again(sink, source, memory):
    thread = threading.Thread(target=fed, args=(sink,))
    thread.start()
    consumer = Consumer(source(), JOB, queue=QUEUE, timeout_s=60.0)
    kept = {}
    for number, data in consumer:
        image = unpack(data).fields["image"]
        assert (image == number).all()
        if number % 20 == 0:
            kept[number] = image  # for longer than the stream has it
    consumer.close()
    thread.join()

    assert all((image == number).all() for number, image in kept.items())
    assert len(list(memory.iterdir())) <= 2 * QUEUE + len(kept)


def test_what_another_acknowledges_is_used_again(sink, source, memory):
    """As a training does for its loader's workers."""
    put(sink, 0)
    worker, training = source(), source()
    got = worker.pull(Pull(consumer="a", queue=1, lease_s=60.0), 0.0)
    ((number, data),) = got.samples

    training.pull(Pull(consumer="b", queue=0, lease_s=60.0, acks=(number,)), 0.0)
    assert len(free_files(memory)) == 1
    put(sink, 1)
    assert (unpack(data).fields["image"] == 0).all()  # the worker still looks at it

    worker.close()
    training.close()


def test_a_sample_that_was_put_twice_leaves_no_file(sink, memory):
    put(sink, 0)
    put(sink, 0)

    assert len(list(memory.iterdir())) == 1
