"""The state of streams in Redis: lent, acknowledged, given again, bounded."""

from __future__ import annotations

import pytest

from farm.feeding.asking import Pull
from farm.feeding.book import NEWS, StreamBook
from farm.feeding.feed import StreamFeed
from farm.ledger import open_ledger
from farm.spec.stream import Sent, StreamPlan
from tests.support.waiting import wait_for

JOB = "0123456789ab"


@pytest.fixture
def book(redis_url):
    found = StreamBook(redis_url, bound_bytes=1000)
    yield found
    found.close()


def begin(book, *, length=10, stride=4, **plan):
    book.open(JOB, StreamPlan(name="test", length=length, **plan), stride=stride)


def push(book, *numbers, size_bytes=10):
    return [book.push(JOB, n, b"B" + str(n).encode(), size_bytes=size_bytes) for n in numbers]


def pull(book, consumer="a", **asked):
    told = {"queue": 3, "lease_s": 60.0} | asked
    return book.pull(JOB, Pull(consumer=consumer, **told))


def numbers(pulled):
    return [lent.number for lent in pulled.samples]


def test_a_consumer_gets_as_many_as_it_has_room_for(book):
    begin(book)
    push(book, 0, 1, 2, 3)

    first = pull(book, queue=3)
    full = pull(book, queue=3, holds=(0, 1, 2))
    after = pull(book, queue=3, holds=(1, 2), acks=(0,))

    assert [lent.data for lent in first.samples] == [b"B0", b"B1", b"B2"]
    assert numbers(full) == []
    assert numbers(after) == [3]
    state = book.state(JOB)
    assert (state.handed, state.acknowledged, state.lent, state.ready) == (4, 1, 3, 0)


def test_each_sample_goes_to_one_consumer(book):
    begin(book)
    push(book, 0, 1, 2, 3)

    assert numbers(pull(book, "a", queue=2)) == [0, 1]
    assert numbers(pull(book, "b", queue=9)) == [2, 3]


def test_what_did_not_arrive_is_sent_again(book):
    """An answer that was cut off on its way: the consumer does not say that it holds it."""
    begin(book)
    push(book, 0, 1)
    pull(book, queue=2)

    assert sorted(numbers(pull(book, queue=2, holds=(1,)))) == [0]


def test_a_dead_consumers_samples_go_to_another(book):
    begin(book)
    push(book, 0, 1, 2)
    pull(book, "dead", queue=2, lease_s=0.001)

    wait_for(lambda: numbers(pull(book, "b", queue=9, holds=(2,))) == [0, 1], "given again")

    assert book.state(JOB).handed == 3
    assert pull(book, "dead", queue=0, acks=(0,)).samples == ()


def test_a_consumer_that_was_thought_dead_keeps_what_nobody_else_has(book):
    begin(book)
    push(book, 0, 1)
    pull(book, "slow", queue=2, lease_s=0.001)
    wait_for(lambda: book.state(JOB).consumers == 0, "its lease has expired")
    taken = wait_for(lambda: numbers(pull(book, "b", queue=1)), "another has one of them")

    late = pull(book, "slow", queue=2, holds=(0, 1))

    assert list(late.drop) == taken
    assert book.state(JOB).lent == 2


def test_what_is_acknowledged_is_never_given_again(book):
    begin(book)
    push(book, 0)
    pull(book, queue=1)

    pull(book, queue=1, acks=(0,))

    assert push(book, 0) == ["known"]
    assert book.has(JOB, 0)
    assert numbers(pull(book, "b", queue=9)) == []
    assert book.size_bytes() == 0


def test_a_sample_that_was_made_twice_is_there_once(book):
    begin(book)

    assert push(book, 0, 0) == ["kept", "known"]
    assert numbers(pull(book, queue=9)) == [0]


def test_anybody_may_acknowledge_and_the_holder_hears_of_it(book):
    begin(book)
    push(book, 0, 1)
    pull(book, "loader", queue=2)

    pull(book, "trainer", queue=0, acks=(0,))

    assert pull(book, "loader", queue=2, holds=(0, 1)).drop == (0,)
    state = book.state(JOB)
    assert (state.acknowledged, state.lent, state.credits, state.consumers) == (1, 1, 2, 1)


def test_no_more_is_handed_out_than_was_asked_for(book):
    begin(book, length=3)
    push(book, 0, 1, 2, 3, 4)

    first = pull(book, queue=9)
    second = pull(book, "b", queue=9)

    assert len(first.samples) == 3
    assert first.over
    assert not first.short
    assert second.samples == ()


def test_a_stream_is_not_over_while_a_dead_consumers_samples_wait(book):
    begin(book, length=2)
    push(book, 0, 1)
    assert not pull(book, "dead", queue=1, lease_s=0.001).over
    assert numbers(pull(book, "b", queue=9, holds=(1,)))

    wait_for(lambda: 0 in numbers(pull(book, "b", queue=9, holds=(1,))), "given again")
    assert pull(book, "b", queue=9, holds=(0, 1)).over


def test_a_stream_is_over_once_all_others_have_shown_that_they_live(book):
    """What one has that died a moment ago must not be lost to those who could still take it."""
    begin(book, length=2)
    push(book, 0, 1)
    pull(book, "a", queue=1)
    pull(book, "b", queue=1)

    assert not pull(book, "b", queue=1, acks=(1,)).over
    pull(book, "a", queue=1, holds=(0,))  # it lives
    assert wait_for(lambda: pull(book, "b", queue=1).over or pull(book, "a", holds=(0,)).over, "")


def test_consumers_of_one_training_do_not_wait_for_each_other(book):
    begin(book, length=2)
    push(book, 0, 1)
    pull(book, "a", queue=1, group="g")
    pull(book, "b", queue=1, group="g")

    assert pull(book, "b", queue=1, group="g", acks=(1,)).over


def test_who_leaves_gives_back_what_it_did_not_use(book):
    begin(book)
    push(book, 0, 1)
    pull(book, "a", queue=2)

    pull(book, "a", queue=0, acks=(0,), leaves=True)

    assert book.state(JOB).consumers == 0
    assert numbers(pull(book, "b", queue=9)) == [1]


def test_samples_never_take_more_bytes_than_they_may(book):
    begin(book)

    assert push(book, 0, 1, size_bytes=600) == ["kept", "full"]
    assert book.size_bytes() == 600
    pull(book, queue=9)
    pull(book, queue=9, acks=(0,))
    assert push(book, 1, size_bytes=5000) == ["kept"]  # alone it may be larger than the bound


def test_an_ordered_stream_waits_for_what_is_due(book):
    begin(book, ordered=True, stride=4)
    for task in (0, 1):
        book.feed(JOB, task, 4)
    push(book, 5, 1, 4)

    assert numbers(pull(book, queue=9)) == []
    push(book, 0)
    assert numbers(pull(book, queue=9)) == [0, 1]
    push(book, 3, 2)
    assert numbers(pull(book, queue=9, holds=(0, 1))) == [2, 3, 4, 5]


def test_an_ordered_stream_passes_over_what_failed_and_what_has_fewer_views(book):
    begin(book, ordered=True, stride=4)
    book.feed(JOB, 0, 2)
    book.feed(JOB, 1, 4)
    book.feed(JOB, 2, 4)
    push(book, 0, 1, 8, 9)

    assert numbers(pull(book, queue=9)) == [0, 1]
    book.skip(JOB, 1)
    assert numbers(pull(book, queue=9, holds=(0, 1))) == [8, 9]


def test_parameters_stay_with_their_task(book):
    """Another attempt of it shows the same."""
    begin(book, duplex=True)
    book.send(JOB, [Sent(params={"x": n}, id=n) for n in range(3)])

    first = book.feed(JOB, 0, 2)
    second = book.feed(JOB, 1, 2)
    again = book.feed(JOB, 0, 2)

    assert [sent.id for sent in first] == [0, 1]
    assert [sent.params for sent in second] == [{"x": 2}]
    assert again == first
    assert book.waiting_params(JOB) == 0


def test_a_task_all_of_whose_views_were_used_takes_no_parameters(book):
    begin(book, duplex=True, stride=2)
    book.send(JOB, [Sent(id=0)])
    book.feed(JOB, 0, 2)
    push(book, 0)
    pull(book, queue=9)
    pull(book, queue=9, acks=(0,))
    book.send(JOB, [Sent(id=1)])

    assert book.feed(JOB, 0, 2) is None
    assert book.waiting_params(JOB) == 1


def test_nothing_is_left_of_a_stream_that_is_over(book):
    begin(book)
    book.feed(JOB, 0, 4)
    book.send(JOB, [Sent()])
    push(book, 0, 1, 2)
    pull(book, queue=2)
    pull(book, queue=2, acks=(0,))

    book.close_stream(JOB)
    book.close_stream(JOB)

    assert push(book, 3) == ["over"]
    late = pull(book, queue=2, holds=(1,), acks=(1,))
    assert (late.over, late.short) == (True, True)
    assert book.size_bytes() == 0
    book.client.delete(NEWS, "farm:stream-bytes")
    assert book.client.keys("farm:stream*") == [f"farm:stream:{JOB}".encode()]
    assert book.client.ttl(f"farm:stream:{JOB}") > 0


def test_a_stream_that_ended_early_hands_out_what_is_ready_and_says_so(book):
    begin(book)
    push(book, 0)

    book.end(JOB)

    last = pull(book, queue=9)
    assert (numbers(last), last.over, last.short) == ([0], True, True)


def test_an_unknown_stream_is_told_of(book):
    assert pull(book).gone
    assert book.state(JOB) is None
    assert push(book, 0) == ["over"]


def test_memory_is_flat_over_many_samples(book):
    begin(book, length=20_000, stride=8)

    def kept():
        return sum(book.client.memory_usage(key) for key in book.client.keys("farm:stream*"))

    def run(start, end):
        for number in range(start, end):
            if number % 8 == 0:
                book.feed(JOB, number // 8, 8)
            push(book, number)
            pull(book, queue=4)
            pull(book, queue=4, acks=(number,))

    run(0, 200)
    before = kept()
    run(200, 2000)

    assert book.state(JOB).acknowledged == 2000
    assert kept() < before + 4000  # bits of what was acknowledged, and little else


def test_a_stream_that_begins_while_the_dispatcher_looks_stays(book, redis_url):
    ledger = open_ledger(redis_url)
    ledger.add_job(JOB, tasks=3, views=10)
    begin(book)
    push(book, 0)

    StreamFeed(ledger, book).look([])  # of jobs that were read before it began

    assert numbers(pull(book)) == [0]
    ledger.cancel(JOB)
    ledger.settle(JOB)
    StreamFeed(ledger, book).look([])
    assert pull(book).over
    ledger.store.client.close()


def test_whoever_acknowledges_hears_which_files_in_memory_are_free(book):
    begin(book)
    book.push(JOB, 0, b"Fjob.0.abc", size_bytes=10)
    book.push(JOB, 1, b"B1", size_bytes=10)
    pull(book, "a")

    assert pull(book, "b", acks=(0, 1)).freed == ("job.0.abc",)
    assert pull(book, "a", acks=(0,)).freed == ()
