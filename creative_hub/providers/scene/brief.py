"""From words to a brief: which scene, which light, which look."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from creative_hub.providers.scene import city, deserts, landscapes, products, shores, studio
from creative_hub.providers.scene.abstract import abstract
from creative_hub.providers.scene.palette import MOODS, PALETTES, Palette
from creative_hub.providers.scene.stage import Look, Stage


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


SCENES: Mapping[str, Callable[[Stage], None]] = {
    "desert": deserts.desert,
    "sea": shores.sea,
    "city": city.city,
    "mountains": landscapes.mountains,
    "forest": landscapes.forest,
    "snow": landscapes.snow,
    "beach": shores.beach,
    "hills": landscapes.hills,
    "studio": studio.studio,
    "abstract": abstract,
}

# The first scene with a word in the prompt wins. Products come first, since a bottle on a beach is
# an ad for the bottle; words that only hint at a place come last.
SCENE_WORDS: tuple[tuple[str, frozenset[str]], ...] = (
    ("studio", frozenset(products.PRODUCT_WORDS) | _set("product products studio plinth pedestal")),
    ("desert", _set("desert highway dune dunes canyon mesa sahara route66 cactus")),
    ("snow", _set("snow snowy winter ski skiing snowboard glacier ice arctic christmas")),
    (
        "beach",
        _set("beach palm palms tropical island maldives surf surfer surfing resort vacation"),
    ),
    (
        "sea",
        _set(
            "sea ocean boat boats sailboat yacht ship sail sailing harbour harbor coast lighthouse"
        ),
    ),
    (
        "city",
        _set(
            "city neon street skyline urban downtown building buildings tokyo york cyberpunk taxi"
        ),
    ),
    ("forest", _set("forest woods jungle trees pine pines wood")),
    (
        "mountains",
        _set("mountain mountains lake alps peak peaks valley hiking fjord river camping aurora"),
    ),
    ("hills", _set("hills meadow field fields farm countryside vineyard garden flowers grass")),
    (
        "abstract",
        _set("portrait woman man face person people girl boy model fashion abstract shapes silk"),
    ),
    ("desert", _set("road car cars suv truck motorcycle driving drive sand")),
    ("city", _set("night traffic rooftop office bar club")),
    ("sea", _set("waves water sunset horizon")),
    ("abstract", _set("gradient background texture")),
    ("hills", _set("spring nature")),
)

# How scenes are dealt out when the prompt names none.
UNNAMED = ("hills", "abstract", "mountains", "sea", "city", "desert", "beach", "forest")

LOOKS: Mapping[str, Look] = {
    "photorealistic": Look(name="photorealistic"),
    "cinematic": Look(
        name="cinematic",
        grain=4.4,
        vignette=0.20,
        bloom=0.24,
        contrast=0.30,
        is_split_toned=True,
        has_streak=True,
        saturation=0.94,
    ),
    "3d": Look(
        name="3d",
        layers="clay",
        texture=0.0,
        ridged=0.15,
        saturation=1.14,
        grain=1.2,
        vignette=0.12,
        bloom=0.16,
        contrast=0.10,
    ),
    "anime": Look(
        name="anime",
        layers="cel",
        texture=0.55,
        ridged=0.8,
        saturation=1.30,
        grain=1.2,
        vignette=0.06,
        bloom=0.30,
        contrast=0.14,
    ),
    "product": Look(name="product", grain=2.0, vignette=0.07, bloom=0.14, contrast=0.12),
}

LOOK_WORDS: Mapping[str, str] = {
    "photorealistic": "photorealistic",
    "photo": "photorealistic",
    "realistic": "photorealistic",
    "cinematic": "cinematic",
    "film": "cinematic",
    "movie": "cinematic",
    "3d": "3d",
    "render": "3d",
    "clay": "3d",
    "isometric": "3d",
    "pixar": "3d",
    "anime": "anime",
    "manga": "anime",
    "ghibli": "anime",
    "cartoon": "anime",
    "illustration": "anime",
    "flat": "anime",
    "product": "product",
    "studio": "product",
    "packshot": "product",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Brief:
    """What to draw. seed feeds every dice of the picture."""

    scene: str
    palette: Palette
    look: Look
    words: frozenset[str]
    seed: str


def words_of(text: str) -> list[str]:
    return re.findall(r"[a-z0-9]+", text.lower())


def read(*, prompt: str, style: str, variant: int) -> Brief:
    """The brief of one variant. The same arguments give the same brief in every process."""
    words = words_of(prompt)
    style_words = words_of(style)
    digest = hashlib.sha256(" ".join(words).encode()).digest()
    look = next(
        (LOOKS[LOOK_WORDS[w]] for w in style_words if w in LOOK_WORDS), LOOKS["photorealistic"]
    )
    scene = _scene(words, look, digest)
    moods = _moods(words + style_words, scene, digest)
    mood = PALETTES[moods[(variant - 1) % len(moods)]]
    seed = f"{digest.hex()}/{look.name}/{variant}"
    stage_words = frozenset(words) | frozenset(style_words)
    return Brief(scene=scene, palette=mood, look=look, words=stage_words, seed=seed)


def _scene(words: list[str], look: Look, digest: bytes) -> str:
    if look.name == "product":
        return "studio"
    present = set(words)
    for scene, keys in SCENE_WORDS:
        if present & keys:
            return scene
    return UNNAMED[digest[0] % len(UNNAMED)]


def _moods(words: list[str], scene: str, digest: bytes) -> tuple[str, ...]:
    for word in words:
        if word in MOODS:
            return MOODS[word]
    if scene == "city":
        cycle: tuple[str, ...] = ("bluehour", "neon", "dusk", "night")
    elif scene == "beach":
        cycle = ("azure", "golden", "day", "sunset")
    elif scene == "snow":
        cycle = ("dawn", "day", "bluehour", "night")
    else:
        cycle = ("golden", "dawn", "day", "sunset", "dusk", "teal", "night")
    start = digest[1] % len(cycle)
    return cycle[start:] + cycle[:start]
