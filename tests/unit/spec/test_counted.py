import pytest

from farm.spec.counted import counted


@pytest.mark.parametrize(
    ("number", "words"),
    [(0, "0 views"), (1, "1 view"), (2, "2 views"), (1200, "1,200 views")],
)
def test_numbers_of_things_read_as_people_write_them(number, words):
    assert counted(number, "view") == words
