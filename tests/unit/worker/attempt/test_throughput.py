import pytest

from farm.spec.task import Ticket

throughput = pytest.importorskip("worker.attempt.throughput")


@pytest.fixture
def now_s():
    return [0.0]


@pytest.fixture
def told():
    return []


@pytest.fixture
def worker(told, now_s):
    return throughput.Throughput(told.append, clock=lambda: now_s[0])


def do(worker, now_s, *, views, seconds, index=0):
    worker.begin(Ticket(job_id="job", index=index, attempt=1))
    now_s[0] += seconds
    for _ in range(views):
        worker.view_rendered()
    worker.end()


def test_the_speed_is_that_of_the_recent_tasks(worker, now_s):
    for _ in range(throughput.RECENT_TASKS):
        do(worker, now_s, views=1, seconds=100)
    for _ in range(throughput.RECENT_TASKS):
        do(worker, now_s, views=3, seconds=2)

    assert worker.views_per_s() == 1.5


def test_waiting_and_views_that_were_found_change_no_speed(worker, now_s):
    do(worker, now_s, views=4, seconds=2)
    now_s[0] += 1000
    do(worker, now_s, views=0, seconds=1)

    assert worker.views_per_s() == 2.0


def test_a_worker_that_rendered_nothing_has_no_speed(worker, now_s):
    worker.begin(Ticket(job_id="job", index=0, attempt=1))
    now_s[0] += 5

    assert worker.views_per_s() is None


def test_the_samples_of_a_view_are_those_of_the_recent_views_on_average(worker, now_s, told):
    for views, size in ((3, 0.5), (1, 4.5)):
        worker.begin(Ticket(job_id="job", index=0, attempt=1), view_megasamples=size)
        now_s[0] += 2
        for _ in range(views):
            worker.view_rendered()
        worker.end()

    assert (told[-1].views_per_s, told[-1].view_megasamples) == (1.0, 1.5)


def test_what_is_held_is_told_at_once_and_the_speed_about_once_a_second(worker, now_s, told):
    worker.begin(Ticket(job_id="job", index=7, attempt=1))
    for _ in range(40):
        now_s[0] += 0.125
        worker.view_rendered()
    worker.end()

    assert told[0].task == "job/7"
    assert [work.task for work in told[1:-1]] == ["job/7"] * 5
    assert told[-2].views_per_s == 8.0
    assert (told[-1].task, told[-1].views_per_s) == (None, 8.0)


def test_the_share_of_sampling_is_that_of_the_last_minutes(worker, now_s, told):
    """A task loads for 20 s; then each view samples for 8 s of 10 s."""
    worker.begin(Ticket(job_id="job", index=0, attempt=1), title="vase · studio")
    now_s[0] += 20
    for _ in range(3):
        now_s[0] += 10
        worker.view_rendered(8.0)
    worker.end()
    assert told[-1].sampling_share == pytest.approx(24 / 50)
    assert (told[0].title, told[-1].title) == ("vase · studio", "")

    worker.begin(Ticket(job_id="job", index=1, attempt=1))
    for _ in range(60):
        now_s[0] += 10
        worker.view_rendered(8.0)
    assert told[-1].sampling_share == pytest.approx(0.8)


def test_of_a_view_that_took_longer_than_the_last_minutes_only_these_count(worker, now_s, told):
    worker.begin(Ticket(job_id="job", index=0, attempt=1))
    now_s[0] += 2000
    worker.view_rendered(1990.0)

    assert told[-1].sampling_share == 1.0


def test_what_was_sampled_long_ago_says_nothing_of_the_next_task(worker, now_s, told):
    worker.begin(Ticket(job_id="job", index=0, attempt=1))
    now_s[0] += 10
    worker.view_rendered(9.0)
    worker.end()
    now_s[0] += 1000
    worker.begin(Ticket(job_id="job", index=1, attempt=1))

    assert told[-1].sampling_share is None
