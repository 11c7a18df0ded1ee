"""The stage a scene is painted on: the picture so far, and what every brush needs to know."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Literal

from PIL import Image

from creative_hub.providers.scene.paint import Point, Size
from creative_hub.providers.scene.palette import Palette


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What a style does to every scene. Numbers are shares of the natural effect."""

    name: str
    layers: Literal["haze", "clay", "cel"] = "haze"
    texture: float = 1.0
    ridged: float = 1.0
    saturation: float = 1.0
    grain: float = 3.2
    vignette: float = 0.13
    bloom: float = 0.22
    contrast: float = 0.12
    is_split_toned: bool = False
    has_streak: bool = False


@dataclass(slots=True)
class Stage:
    """One picture being painted. `image` is replaced stroke by stroke."""

    image: Image.Image
    seed: str
    words: frozenset[str]
    palette: Palette
    look: Look
    # Where the light comes from, in pixels; None under a soft studio light.
    sun: Point | None = None
    horizon: int = 0

    @property
    def size(self) -> Size:
        return self.image.size

    @property
    def width(self) -> int:
        return self.image.width

    @property
    def height(self) -> int:
        return self.image.height

    @property
    def unit(self) -> float:
        """The short side in pixels: what objects are measured in."""
        return float(min(self.image.size))

    def dice(self, name: str) -> random.Random:
        """A generator of its own for each part, so that parts do not shift each other."""
        return random.Random(f"{self.seed}/{name}")  # noqa: S311 - drawing, not secrets

    def asks_for(self, *words: str) -> bool:
        return not self.words.isdisjoint(words)
