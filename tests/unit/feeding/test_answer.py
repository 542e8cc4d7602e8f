from __future__ import annotations

import pytest

from farm.errors import StreamError
from farm.feeding.answer import read_answer, write_answer
from farm.feeding.asking import PREFIX, Lent, Pulled

SAMPLES = (Lent(7, bytes(PREFIX) + b"seven"), Lent(2**40, bytes(PREFIX) + bytes(200)))


@pytest.mark.parametrize(
    "told",
    [
        pytest.param(Pulled(), id="nothing"),
        pytest.param(Pulled(drop=(1, 2), over=True, short=True), id="over"),
        pytest.param(Pulled(gone=True), id="gone"),
        pytest.param(Pulled(samples=SAMPLES), id="samples"),
    ],
)
def test_an_answer_arrives_as_it_was_sent(told):
    head, samples = read_answer(write_answer(told))

    assert head == told._replace(samples=())
    assert [(number, bytes(data)) for number, data in samples] == [
        (lent.number, lent.data[PREFIX:]) for lent in told.samples
    ]


def test_samples_begin_where_arrays_may():
    body = write_answer(Pulled(samples=SAMPLES, drop=(1,)))

    places = [body.index(b"seven"), body.index(bytes(200), body.index(b"seven") + PREFIX)]

    assert places[0] % PREFIX == 0


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"<html>a page of a proxy, with some length to it</html>" * 3, id="a page"),
        pytest.param(write_answer(Pulled(samples=SAMPLES))[:-300], id="cut off"),
    ],
)
def test_something_else_is_told_in_a_sentence(body):
    with pytest.raises(StreamError, match="is not an answer to a stream"):
        read_answer(body)
