"""Which of the eleven basic colour terms people may use for a colour: the data alone.

Each prototype is a colour of sRGB with the terms that people use for it, the usual one first. What
has several, such as teal, is between them: it might be called by any, so that neither is said.

How a colour is named by them: it is taken from linear Rec. 709 (D65) to CIELAB with white at
(1, 1, 1); it may be called by the terms of the nearest prototype and of all that are at most
`TOLERANCE` farther from it, by Euclid's distance there (CIE 1976).
How a thing is named: each of its pixels counts for all terms that it may be called by. A term is
said of the thing if it holds of `MOST_SHARE` of the pixels or more, and no other of more than
`NEXT_SHARE`. What holds of `MIGHT_SHARE` or more might be said by somebody.

The prototypes are the centroids of the ISCC-NBS system (Kelly and Judd, Color: Universal Language
and Dictionary of Names, NBS Special Publication 440, 1976), which was made for the colours of
surfaces, and has only five greys: those between are steps of Munsell's neutrals, black below 2.5
and white above 8.5 as in the same book, with what is near these limits called by both terms. For
what is more vivid than surfaces there are some of CSS Color 4, and the eleven terms' own colours in
xkcd's survey of names (2010, CC0). Which terms they have follows from their names: `reddish brown`
is brown, but might be called red.
"""

from __future__ import annotations

TOLERANCE = 3.0
"""Units of CIELAB; a difference of 2.3 is just noticed (Mahy and others, 1994)."""
MOST_SHARE, NEXT_SHARE = 0.6, 0.25
"""Shares of a thing's pixels: of the term that is said, at least; of any other, at most."""
MIGHT_SHARE = 0.05
"""Share from which on a term might be said by somebody."""

SURFACES = (
    ("black", "222222 1a2421 202428 28201c 1e2321 25241d 242124 282022"),
    ("black blue", "202830"),
    ("black purple", "291e29"),
    ("black red brown", "2e1d21"),
    ("white", "e9e9ed dfede8 eae3e1 e8e3e5 f2f3f4"),
    ("white yellow", "f0ead6"),
    (
        "grey",
        "81878b 5b504f 51585e 555555 4e5755 5d555b 5c504f 7d8984 b4bcc0 b9b8b5 b2beb5 bfb9bd "
        "848482 57554c c1b6b3 8b8589 8f817f",
    ),
    ("grey brown", "8e8279"),
    ("grey brown yellow", "bfb8a5"),
    ("grey green brown", "8a8776"),
    ("red", "841b2d ab4e52 bc3f4a 5c0923 be0032"),
    ("red brown", "722f37"),
    ("red purple", "673147 78184a 54133b"),
    ("red brown grey", "543d3f"),
    ("red orange brown", "aa381e"),
    ("red pink brown", "905d5d"),
    ("red purple black", "38152c"),
    ("red purple pink", "a8516e b3446c ce4676"),
    ("red black purple brown", "3f1728"),
    ("red purple pink brown grey", "915f6d"),
    (
        "green",
        "3eb489 83d37d 1b4d3e 355e3b 00543d 467129 00622d 6aab8e 93c592 3b7861 4a5d23 8a9a5b "
        "679267 007959 404f00 7e9f2e 44944a 8ed1b2 b6e5af c7e6d7 008856 8db600 27a64c",
    ),
    ("green black", "2b3d26 232f00 1c352d 173620 003118"),
    ("green blue", "00a693 004b49 00443f 66ada4 317873 007a74 96ded1 008882"),
    ("green brown", "867e36 665d1e"),
    ("green grey", "3a4b47 5e716a 515744 8f9779 8da399"),
    ("green yellow", "bdda57 c9dc89"),
    ("green black grey", "31362b"),
    ("green blue black", "002a29"),
    ("green brown black", "403d21"),
    ("green brown grey", "5b5842 8c8767"),
    ("green yellow brown", "98943e 9b9400"),
    ("green yellow white", "dadfb7"),
    ("green brown black grey", "363527"),
    ("blue", "4997d0 00304e 00416a 70a3cc 436b95 0067a5 a1caf1 bcd4e6 00a1c2"),
    ("blue green", "239eba 004958 2e8495 66aabc 367588 007791 9cd1dc 0085a1"),
    ("blue grey", "36454f 536878 91a3b0"),
    ("blue purple", "6c79b8 272458 8791bf 4e5180 545aa7 b3bce2 c0c8e1 30267a"),
    ("blue green black", "002e3b"),
    ("blue purple black", "252440"),
    ("blue purple grey", "4c516d 8c92ac"),
    ("yellow", "e9e450 fada5e eae679 f8de7e ebe8a4 f3e5ab d4af37 dcd300 f3c300"),
    ("yellow brown", "af8d13 c9ae5d"),
    ("yellow green", "b9b57d b9b459 beb72e"),
    ("yellow brown green", "ab9144"),
    ("yellow brown grey", "c2b280"),
    ("orange", "fd943f ed872d f38400"),
    ("orange brown", "be6516 d99058"),
    ("orange pink", "fab57f"),
    ("orange red", "d9603b e25822"),
    ("orange yellow", "ffc14f fbc97f eaa221 f6a600"),
    ("orange yellow brown", "c98500 e3a857"),
    ("orange brown pink red", "b4745e"),
    ("orange red pink brown", "cb6d51"),
    ("orange yellow brown pink", "fad6a5"),
    ("brown", "422518 4b3621 593319 654522 674c47 a67b5b 6f4e37 826644 80461b 996515"),
    ("brown black", "43302e"),
    ("brown green", "967117 6c541e"),
    ("brown grey", "635147 7e6d5a 958070"),
    ("brown orange", "ae6938"),
    ("brown pink", "a87c6d"),
    ("brown red", "56070c 79443b 882d17"),
    ("brown black green", "3b3121"),
    ("brown grey black", "3e322c 483c32"),
    ("brown grey pink", "977f73"),
    ("brown orange red", "9e4732"),
    ("brown orange yellow", "be8a3d c19a6b"),
    ("brown red black", "3e1d1e"),
    ("brown yellow green grey", "a18f60"),
    ("pink", "ffc8d6 de6fa1 f9ccca efbbcc dea5a4 d9a6a9 ea9399 e68fac ffb5ba"),
    ("pink grey", "c4aead"),
    ("pink orange", "f4c2c2 f99379 ffb7a5"),
    ("pink purple", "c17e91 d597ae"),
    ("pink red", "c08081 e4717a"),
    ("pink brown grey", "c2ac99"),
    ("pink grey brown", "c7ada3"),
    ("pink purple grey", "c3a6b1"),
    ("pink white grey", "ead8d7"),
    ("pink white purple", "e8ccd7"),
    ("pink orange white brown", "ecd5c5"),
    ("pink purple red grey", "af868e"),
    ("pink red brown orange", "c48379"),
    ("pink red grey brown", "ad8884"),
    (
        "purple",
        "d399e6 563c5c 5d3954 602f6b 702963 32174d b695c0 86608e 915c83 604e81 875692 604e97 "
        "401a4c 54194e d5badb dcd0ff d6cadd 9a4eae 9065ca",
    ),
    ("purple black", "301934 341731"),
    ("purple blue", "7e73b8 8c82b6 c4c3dd"),
    ("purple grey", "50404d 796878 836479"),
    ("purple pink", "b784a7 9e4f88 870074"),
    ("purple black blue", "2f2140"),
    ("purple blue grey", "554c69 9690ab"),
    ("purple grey pink", "aa98a9"),
    ("purple pink grey", "aa8a9e"),
)
"""Terms, and the centroids of ISCC-NBS that may be called so, as hexadecimal digits of sRGB."""
NEUTRALS = (
    ("black", "2a2a2a"),
    ("white", "e6e6e6"),
    ("grey", "484848 606060 7a7a7a 959595 b1b1b1 c6c6c6"),
    ("grey black", "3a3a3a"),
    ("grey white", "d2d2d2"),
)
"""The same of greys between those."""
VIVID = (
    ("black", "000000"),
    ("white", "ffffff f0f8ff"),
    ("white green", "f0fff0"),
    ("white pink", "fff0f5"),
    ("grey", "929591 808080"),
    ("red", "e50000 ff0000 8b0000 b22222 dc143c"),
    ("red orange", "ff4500 ff6347"),
    ("green", "15b01a 008000 00ff00 006400 32cd32 00ff7f"),
    ("green yellow", "7fff00"),
    ("blue", "0343df 0000ff 000080 0000cd 4169e1 191970 6495ed 00bfff 1e90ff b0e0e6"),
    ("blue green", "00ffff 40e0d0 00ced1"),
    ("blue purple", "6a5acd"),
    ("blue white green", "e0ffff"),
    ("yellow", "ffff14 ffff00 ffd700 f0e68c"),
    ("yellow white", "ffffe0"),
    ("orange", "f97306 ffa500 ff8c00"),
    ("orange brown", "d2691e"),
    ("orange pink red", "ff7f50"),
    ("orange yellow brown pink white", "ffdead"),
    ("brown", "653700 8b4513 a0522d"),
    ("brown red", "a52a2a"),
    ("pink", "ff81c0 ffc0cb ff1493 ff69b4"),
    ("pink purple", "ff00ff da70d6 ee82ee"),
    ("pink red", "ff0080"),
    ("pink white", "ffe4e1"),
    ("pink orange red", "fa8072"),
    ("pink red purple", "c71585 db7093"),
    ("purple", "7e1e9c 800080 8b008b 4b0082 9400d3"),
    ("purple blue", "8a2be2"),
    ("purple pink", "dda0dd"),
    ("purple blue white", "e6e6fa"),
)
"""The same of colours of screens."""
PROTOTYPES: tuple[tuple[str, tuple[str, ...]], ...] = tuple(
    (digits, tuple(terms.split()))
    for terms, colours in (*SURFACES, *NEUTRALS, *VIVID)
    for digits in colours.split()
)
"""Six hexadecimal digits of sRGB, and the terms (`farm.spec.expression.ColourTerm`)."""
