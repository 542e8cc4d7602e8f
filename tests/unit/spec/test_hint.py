import pytest

from farm.spec.hint import hint, none_of


@pytest.mark.parametrize(
    ("word", "names", "said"),
    [
        ("masks", ("rgb", "mask"), "; did you mean 'mask'?"),
        ("MASK", ("rgb", "mask"), "; did you mean 'mask'?"),
        ("filmic", ("AgX", "Filmic"), "; did you mean 'Filmic'?"),
        ("alpha", ("rgb", "mask"), ""),
        ("", ("rgb", "mask"), ""),
        ("mask", (), ""),
    ],
)
def test_the_nearest_name_is_suggested_if_it_is_near(word, names, said):
    assert hint(word, names) == said


def test_an_endless_word_costs_little_and_is_shown_short():
    said = none_of("a" * 10_000_000, ("rgb", "mask"))

    assert said == f"'{'a' * 80}' is not one of rgb, mask"
