"""The words in a name: of a file, of a product, of a page."""

from __future__ import annotations

import re
import unicodedata

from farm.spec.plurals import singular_of

_NOISE = """
3d 3ds animated asset assets blend blender copy detailed download draft export exported final
fixed free game glb gltf hd hi high highpoly lod low lowpoly material mesh mid model models new
obj object objects optimised optimized pack part pbr poly polygon ply posed prop props quality
ready real realistic remesh retopo rig rigged sample scan scanned scene simple source stl test
tex texture textured textures thu thing things untitled update updated usd usdz ver version vol
web
"""
NOISE = frozenset(_NOISE.split())
"""Words of names that say nothing of what a thing is."""
GENERIC_STEMS = re.compile(
    r"(?:model|mesh|scene|textured|untitled|object|asset|obj|nontextured|visual|collision|"
    r"default|main|export|root|file|poisson|tsdf|simplified)[_\-. ]?\d*",
    re.IGNORECASE,
)
"""Names of files whose folder says what they show."""
_GENERIC_FOLDERS = """
assets clouds collision glb gltf google_16k google_512k google_64k materials mesh meshes model
models obj poisson source textures tsdf usd visual visuals
"""
GENERIC_FOLDERS = frozenset(_GENERIC_FOLDERS.split())
"""Names of folders that every model of a collection has."""
LONGEST = 40
"""Letters of a word."""
BEFORE_WHOLE = frozenset({"of", "for", "with", "by", "on", "in", "from", "and", "without", "to"})
"""What follows these words is not what a name is for: a bowl of fruit is a bowl."""
_DESCRIBING = """
beige big black blue bronze brown chrome clear copper cyan dark gold golden gray green grey
large light metal metallic mini multi old pink purple rainbow red retro round rusty set silver
small square steel tall turquoise vintage violet white yellow
"""
DESCRIBING = frozenset(_DESCRIBING.split())
"""Words at the end of a name that tell how a thing is, not what."""
_ALSO_DESCRIBING = """
apricot cherry chocolate coconut glass iron lemon lime mango orange peach plum stone
"""
ALSO_DESCRIBING = frozenset(_ALSO_DESCRIBING.split())
"""The same, where another noun stands before: `Mug_Orange` is no fruit."""
HASH = re.compile(
    r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}"
    r"|(?<![^\W_])(?=[0-9a-f]*\d)(?=\d*[a-f])[0-9a-f]{6,}(?![^\W_])",
    re.IGNORECASE,
)
"""An id of a site, or a part of one."""
VERSION = re.compile(r"(?:(?<![^\W_])|(?<=[a-z]{3}))v\d+(?![a-z])", re.IGNORECASE)
"""Such as `_v2`, also right behind a word."""
MATERIALS = {
    "wood": "wooden", "wooden": "wooden", "plastic": "plastic", "ceramic": "ceramic",
    "porcelain": "porcelain", "leather": "leather", "rubber": "rubber", "paper": "paper",
    "cardboard": "cardboard", "stone": "stone", "marble": "marble", "wicker": "wicker",
    "bamboo": "bamboo", "clay": "clay", "terracotta": "terracotta", "cotton": "cotton",
    "fabric": "fabric", "wool": "woollen", "woollen": "woollen", "woolen": "woollen",
    "knitted": "knitted", "cork": "cork", "concrete": "concrete",
}  # fmt: skip
"""Words for materials, as they stand before a noun. Metal and glass are measured."""


def words_of_name(name: str) -> list[str]:
    """Return the words of a name, lower case, each as one thing, without what says nothing.

    `000017_thu_models_wooden_cup2` is a wooden cup; `Mug_White_v2_lowpoly` a white mug.
    """
    name = unicodedata.normalize("NFC", name)  # names on macOS have letters and accents apart
    name = VERSION.sub(" ", name)
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", HASH.sub(" ", name))
    parts = re.findall(r"[^\W\d_]+|\d+", spaced)
    words = [singular_of(part.casefold()) for part in parts if not part.isdigit()]
    return [word for word in words if word not in NOISE and is_word(word)]


def is_word(word: str) -> bool:
    """Tell whether a person may have written it: no letter alone, none without a vowel."""
    if word in BEFORE_WHOLE:
        return True
    if not 3 <= len(word) <= LONGEST or not re.search(r"[aeiouy]|[^\x00-\x7f]", word):
        return False
    return not re.fullmatch(r"(.)\1*", word)


def head_of(words: list[str]) -> list[str]:
    """Return what a name is for, without what it is of, for or with."""
    for place, word in enumerate(words):
        if word in BEFORE_WHOLE and place:
            return words[:place]
    return words


def name_of_path(parts: tuple[str, ...], stem: str) -> str:
    """Return what says most of a file: its name, or that of its folder, where all are called alike.

    Args:
        parts: The folders above it, the nearest last.
        stem: Its name without the suffix.
    """
    if not GENERIC_STEMS.fullmatch(stem):
        return stem
    for folder in reversed(parts):
        if folder.casefold() not in GENERIC_FOLDERS and not GENERIC_STEMS.fullmatch(folder):
            return folder
    return stem
