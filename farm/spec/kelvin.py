"""The colour of light by its temperature: black bodies, in linear Rec.709.

The chromaticities are the cubic splines of Kim et al. (US patent 7,024,034, 2006; "Design of
Advanced Color Temperature Control System for HDTV Applications", J. Korean Physical Society 41,
2002), made for 1667 to 25000 K.
"""

from __future__ import annotations

LOWEST_K, HIGHEST_K = 1667.0, 25_000.0
SPLINE_X = (
    (4000.0, (-0.2661239e9, -0.2343589e6, 0.8776956e3, 0.179910)),
    (HIGHEST_K, (-3.0258469e9, 2.1070379e6, 0.2226347e3, 0.240390)),
)
"""Up to a temperature T: the factors of 1/T^3, 1/T^2, 1/T and 1 of x."""
SPLINE_Y = (
    (2222.0, (-1.1063814, -1.34811020, 2.18555832, -0.20219683)),
    (4000.0, (-0.9549476, -1.37418593, 2.09137015, -0.16748867)),
    (HIGHEST_K, (3.0817580, -5.87338670, 3.75112997, -0.37001483)),
)
"""Up to a temperature: the factors of x^3, x^2, x and 1 of y."""
REC709_FROM_XYZ = (
    (3.2404542, -1.5371385, -0.4985314),
    (-0.9692660, 1.8760108, 0.0415560),
    (0.0556434, -0.2040259, 1.0572252),
)
LUMINANCE = (0.2126, 0.7152, 0.0722)


def chromaticity(kelvin: float) -> tuple[float, float]:
    """Return CIE 1931 x and y of a black body.

    Raises:
        ValueError: The formula does not hold for this temperature.
    """
    if not LOWEST_K <= kelvin <= HIGHEST_K:
        raise ValueError(f"{kelvin:g} K is not within {LOWEST_K:g}..{HIGHEST_K:g} K")
    x = polynomial(1.0 / kelvin, SPLINE_X, kelvin)
    return x, polynomial(x, SPLINE_Y, kelvin)


def polynomial(
    at: float,
    spline: tuple[tuple[float, tuple[float, float, float, float]], ...],
    kelvin: float,
) -> float:
    """Return the value of that part of a spline which is for a temperature."""
    a, b, c, d = next(factors for top, factors in spline if kelvin <= top)
    return ((a * at + b) * at + c) * at + d


def colour_of(kelvin: float) -> tuple[float, float, float]:
    """Return the colour of a temperature, linear Rec.709, of a luminance of 1.

    What Rec.709 cannot show, the deep orange below 1900 K, is cut off at its edge.
    """
    x, y = chromaticity(kelvin)
    xyz = (x / y, 1.0, (1.0 - x - y) / y)
    rgb = [max(0.0, sum(a * b for a, b in zip(row, xyz, strict=True))) for row in REC709_FROM_XYZ]
    luminance = sum(a * b for a, b in zip(LUMINANCE, rgb, strict=True))
    red, green, blue = (part / luminance for part in rgb)
    return red, green, blue
