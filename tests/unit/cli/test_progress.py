import pytest

from farm.cli.progress import duration, facts, file_size
from farm.local.job.status import Status


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (4.25, "4.2 s"),
        (59.4, "59 s"),
        (200, "3 min 20 s"),
        (18600, "5 h 10 min"),
        (183600, "2 d 3 h"),
        (18_039 * 86_400, "18,039 d"),
    ],
)
def test_durations_are_said_as_a_person_says_them(seconds, text):
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("size", "text"), [(7, "7 B"), (1500, "1.5 KB"), (2_200_000_000, "2.2 GB"), (3e12, "3.0 TB")]
)
def test_sizes_are_said_as_a_person_says_them(size, text):
    assert file_size(size) == text


def test_progress_says_views_tasks_failures_speed_and_eta():
    status = Status(views=100, views_there=40, tasks=10, tasks_done=4, tasks_failed=1,
                    views_per_s=0.5, eta_s=120.0)  # fmt: skip

    assert facts(status) == "4/10 tasks  1 failed  0.50 views/s  ETA 2 min 0 s"


def test_progress_says_that_it_loads_before_the_first_view():
    status = Status(views=100, views_there=0, tasks=10, tasks_done=0, tasks_failed=0,
                    views_per_s=None, eta_s=None)  # fmt: skip

    assert facts(status) == "0/10 tasks  loading"
