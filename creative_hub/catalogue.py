"""What the studios offer: the one table behind form, validator, help texts, prices and API.

Source of the options: docs/contract.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    IMAGE = "image"
    VIDEO = "video"


PROMPT_MAX_CHARS = 4000
STYLE_MAX_CHARS = 64
POLLING_INTERVAL_MS = 4000


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    value: str  # as sent by the API; "" is no style
    label: str

    @property
    def sample(self) -> str:
        """Static path of its sample picture."""
        return f"img/styles/{(self.value or 'none').lower()}.webp"


STYLES = (
    Style(value="", label="None"),
    Style(value="photorealistic", label="Photorealistic"),
    Style(value="cinematic", label="Cinematic"),
    Style(value="3D", label="3D"),
    Style(value="anime", label="Anime"),
    Style(value="product", label="Product"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    value: str
    hint: str  # the placements this ratio is for

    @property
    def sides(self) -> tuple[int, int]:
        wide, high = self.value.split(":")
        return int(wide), int(high)

    @property
    def slug(self) -> str:
        """For file names and CSS classes: 4x5."""
        return self.value.replace(":", "x")

    def size(self, short_side_px: int) -> tuple[int, int]:
        """Width and height in pixels of a picture whose short side is this long."""
        wide, high = self.sides
        short = min(wide, high)
        return short_side_px * wide // short, short_side_px * high // short


RATIO_9X16 = Ratio(value="9:16", hint="Reels, TikTok")
RATIO_1X1 = Ratio(value="1:1", hint="Square feed")
RATIO_4X5 = Ratio(value="4:5", hint="Feed")
RATIO_16X9 = Ratio(value="16:9", hint="YouTube")
RATIO_3X4 = Ratio(value="3:4", hint="Portrait")


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolution:
    value: str
    short_side_px: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageStudio:
    """What Image Cinematic offers."""

    title: str = "Image Cinematic"
    provider: str = "seedream_4_0"
    provider_label: str = "Seedream 4.0"
    price_item: str = "image"
    styles: tuple[Style, ...] = STYLES
    ratios: tuple[Ratio, ...] = (RATIO_9X16, RATIO_1X1, RATIO_4X5, RATIO_16X9, RATIO_3X4)
    resolutions: tuple[Resolution, ...] = (
        Resolution(value="720p", short_side_px=720),
        Resolution(value="1080p", short_side_px=1080),
    )
    variants: tuple[int, ...] = (1, 2, 3, 4)
    default_style: str = ""
    default_ratio: str = "1:1"
    default_resolution: str = "1080p"
    default_variants: int = 1
    # Shown before the first jobs have told how long they really take, in seconds.
    usual_s: int = 30

    def ratio(self, value: str) -> Ratio:
        return next(ratio for ratio in self.ratios if ratio.value == value)

    def size(self, *, aspect_ratio: str, resolution: str) -> tuple[int, int]:
        """Width and height in pixels of what is delivered."""
        short = next(one.short_side_px for one in self.resolutions if one.value == resolution)
        return self.ratio(aspect_ratio).size(short)


IMAGE = ImageStudio()


@dataclass(frozen=True, slots=True, kw_only=True)
class Starter:
    """A prompt to begin with, offered where there is nothing to show yet."""

    id: str
    label: str
    prompt: str
    style: str
    aspect_ratio: str

    @property
    def ratio_slug(self) -> str:
        return self.aspect_ratio.replace(":", "x")


IMAGE_STARTERS = (
    Starter(
        id="product-hero",
        label="Product hero",
        prompt=(
            "A perfume bottle on wet basalt at dawn, haze over a calm sea behind it,"
            " one warm light from the left, room for a headline above"
        ),
        style="product",
        aspect_ratio="4:5",
    ),
    Starter(
        id="lifestyle",
        label="Lifestyle story",
        prompt=(
            "A lone car on a desert highway at golden hour, small in frame,"
            " long shadows, dust in the air, teal sky"
        ),
        style="cinematic",
        aspect_ratio="9:16",
    ),
    Starter(
        id="seasonal",
        label="Seasonal background",
        prompt=(
            "First snow over a quiet mountain lake, soft winter morning light,"
            " pale blue and gold, empty foreground for a product"
        ),
        style="photorealistic",
        aspect_ratio="16:9",
    ),
)
