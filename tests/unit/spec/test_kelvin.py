"""The colour of light by its temperature."""

from __future__ import annotations

import pytest

from farm.spec.kelvin import HIGHEST_K, LOWEST_K, LUMINANCE, chromaticity, colour_of


@pytest.mark.parametrize(
    ("kelvin", "x", "y"),
    [  # of black bodies, as the CIE has them; illuminant A is 2856 K
        (2000, 0.5267, 0.4133),
        (2856, 0.4476, 0.4074),
        (4000, 0.3805, 0.3768),
        (5000, 0.3451, 0.3516),
        (6500, 0.3135, 0.3237),
        (10000, 0.2807, 0.2884),
    ],
)
def test_chromaticities_are_those_of_black_bodies(kelvin, x, y):
    assert chromaticity(kelvin) == pytest.approx((x, y), abs=0.001)


def test_a_temperature_does_not_change_how_bright_light_is():
    for kelvin in (LOWEST_K, 1900.0, 2222.0, 4000.0, 6500.0, HIGHEST_K):
        assert sum(a * b for a, b in zip(LUMINANCE, colour_of(kelvin), strict=True)) == (
            pytest.approx(1.0)
        )


def test_the_warmer_the_redder_and_6500_is_about_white():
    ratios = [colour_of(kelvin)[0] / (colour_of(kelvin)[2] + 1e-9) for kelvin in range(1700, 25000)]
    assert ratios == sorted(ratios, reverse=True)
    assert colour_of(6500.0) == pytest.approx((1.0, 1.0, 1.0), abs=0.05)


@pytest.mark.parametrize("kelvin", [0.0, 1000.0, 25_001.0, float("nan")])
def test_other_temperatures_are_refused(kelvin):
    with pytest.raises(ValueError, match=r"is not within 1667\.\.25000 K"):
        chromaticity(kelvin)
