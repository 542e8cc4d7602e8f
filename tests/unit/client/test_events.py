from farm.client.events import follow, parse_events
from tests.unit.client.small_farm import a_job_info

JOB = "0123456789ab"


def seen(client):
    jobs = follow(client.connection, JOB, poll_every_s=0.001)
    return [(job.state, job.views_done) for job in jobs]


def test_a_job_is_followed_by_its_events_to_its_end(small, client):
    small.jobs[JOB] = a_job_info(views_done=1)
    small.stream = [a_job_info(views_done=2), a_job_info(views_done=40, state="completed")]

    assert seen(client) == [("running", 1), ("running", 2), ("completed", 40)]


def test_a_stream_that_breaks_is_asked_for_again(small, client):
    small.jobs[JOB] = a_job_info(views_done=1)
    small.stream = [a_job_info(views_done=2)]
    steps = []
    for job in follow(client.connection, JOB, poll_every_s=0.001):
        steps.append(job.views_done)
        if len(steps) == 4:
            small.stream = [a_job_info(state="cancelled")]

    assert steps[:4] == [1, 2, 2, 2]
    assert sum("/v1/events" in request for request in small.requests) >= 2


def test_without_events_the_job_is_asked_for(small, client):
    small.jobs[JOB] = a_job_info(views_done=1)
    steps = 0
    for _job in follow(client.connection, JOB, poll_every_s=0.001):
        steps += 1
        if steps == 3:
            small.jobs[JOB] = a_job_info(state="completed")

    assert steps == 4
    assert sum("/v1/events" in request for request in small.requests) == 1


def test_a_job_that_is_over_is_not_waited_for(small, client):
    small.jobs[JOB] = a_job_info(state="failed")

    assert client.wait(JOB).state == "failed"
    assert not any("/v1/events" in request for request in small.requests)


def test_events_are_parsed_as_the_standard_says():
    lines = [
        ": hi",
        "",
        "event: job",
        "data: {",
        "data:}",
        "id: 3",
        "",
        "data: plain",
        "",
        "data: cut",
    ]

    assert list(parse_events(lines)) == [("job", "{\n}"), ("message", "plain")]


def test_a_job_is_over_when_its_datasets_are_whole(small, client):
    small.jobs[JOB] = a_job_info()
    small.stream = [a_job_info(state="completed", views_done=40, finishing=True)]
    steps = []
    for job in follow(client.connection, JOB, poll_every_s=0.001):
        steps.append((job.state, job.finishing))
        if len(steps) == 3:
            small.jobs[JOB] = a_job_info(state="completed", views_done=40)
            small.stream = []

    assert steps[:2] == [("running", False), ("completed", True)]
    assert steps[-1] == ("completed", False)


def test_nobody_waits_for_the_datasets_of_a_cancelled_job(small, client):
    small.jobs[JOB] = a_job_info(state="cancelled", finishing=True)

    assert client.wait(JOB).state == "cancelled"
