"""Colours as people have named them, for those who name colours."""

XKCD: dict[str, str] = {
    "black": ("070d0d"),
    "blue": (
        "000133 00035b 010fcc 014182 0165fc 0203e2 021bf9 040273 04d9ff 0652ff 0c06f7 "
        "152eff 26f7fd 276ab3 2c6fbb 3b719f 3d7afd 49759c 5a86ad 6488ea 658cbb 95d0fc "
        "a2bffe cafffb d0fefe d4ffff d5ffff d6fffe"
    ),
    "brown": ("1d0200 341c02 410200 7f5112 876e4b ad8150 b1916e d3b683"),
    "green": (
        "01ff07 02590f 033500 062e03 089404 0cff0c 21fc0d 25ff29 287c37 2dfe54 2fef10 "
        "39ad48 4efd54 50a747 53fe5c 56ae57 5fa052 61e160 6fc276 74a662 75fd63 76a973 "
        "7bb274 96f97b b0ff9d b1fc99 b2fba5 c7fdb5 c8ffb0 cffdbc d1ffbd"
    ),
    "grey": ("363737 7d7f7c d8dcd6 fdfdfe"),
    "orange": ("c65102 d8863b dc4d01 f0833a f0944d fdaa48 ff5b00 ff964f ffa756"),
    "pink": (
        "cb0162 cb416b d1768f d5869d d58a94 d90166 da467d de9dac f36196 fdb0c0 fe019a "
        "fe01b1 ff028d ff0490 ff0789 ffbacd ffcfdc ffd1df fff4f2"
    ),
    "purple": (
        "2a0134 35063e 36013f 720058 751973 805b87 825f87 84597e 916e99 9900fa 9e43a2 "
        "a552e6 a55af4 a66fb5 aa23ff b790d4 bc13fe be03fd bf77f6 caa0ff cb00f5 f6cefc"
    ),
    "red": ("840000 9a0200 a90308 b9484e bb3f3f d3494e d9544d db5856 fe2f4a ff000d ff073a ff474c"),
    "yellow": ("cfff04 d5b60a eedc5b feff7f fffd01 fffe71 fffe7a ffff84"),
}
"""Of the survey of xkcd (2010, CC0): what was called by a basic term, alone or with a word such as
light, dark, bright, pale; six hexadecimal digits of sRGB each. None is a prototype of ours."""
