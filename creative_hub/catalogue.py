"""What the studios offer: the one table behind form, validator, help texts, prices and API.

Source of the options: docs/contract.md.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    IMAGE = "image"
    VIDEO = "video"


PROMPT_MAX_CHARS = 4000
STYLE_MAX_CHARS = 64
POLLING_INTERVAL_MS = 4000


def listed(values: Iterable[object]) -> str:
    """1, 2, 3 or 4"""
    *most, last = [str(value) for value in values]
    return f"{', '.join(most)} or {last}" if most else last


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


P720 = Resolution(value="720p", short_side_px=720)
P1080 = Resolution(value="1080p", short_side_px=1080)
RESOLUTIONS = {one.value: one for one in (P720, P1080)}


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageStudio:
    """What Image Cinematic offers."""

    kind: Kind = Kind.IMAGE
    title: str = "Image Cinematic"
    provider: str = "seedream_4_0"
    provider_label: str = "Seedream 4.0"
    price_item: str = "image"
    styles: tuple[Style, ...] = STYLES
    ratios: tuple[Ratio, ...] = (RATIO_9X16, RATIO_1X1, RATIO_4X5, RATIO_16X9, RATIO_3X4)
    resolutions: tuple[Resolution, ...] = (P720, P1080)
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
class VideoProvider:
    """One provider of clips and what it makes.

    usual_s: shown before the first jobs have told how long they really take, in seconds.
    prompt_max_chars: what the provider itself takes at most; None for no limit below ours.
    """

    value: str
    label: str
    strength: str
    durations_s: tuple[int, ...]
    ratios: tuple[str, ...]
    default_duration_s: int
    resolution: Resolution
    has_sound: bool
    usual_s: int
    prompt_max_chars: int | None = None

    @property
    def price_item(self) -> str:
        """Its line in the price list: credits per second."""
        return self.value

    @property
    def durations(self) -> str:
        return listed(self.durations_s)

    @property
    def prompt_near_chars(self) -> int:
        """From how many characters on its limit is worth telling."""
        return (self.prompt_max_chars or PROMPT_MAX_CHARS) * 4 // 5

    def nearest_duration_s(self, wanted_s: float) -> int:
        """The closest length it makes; the shorter, which costs less, of two that are as close."""
        return min(self.durations_s, key=lambda one: (abs(one - wanted_s), one))

    def nearest_ratio(self, width: float, height: float) -> str:
        """The ratio it makes that crops a picture of these sides the least.

        Rounded, as 4:3 and 3:4 lie exactly between two: a tie goes to the one named first.
        """
        return min(
            self.ratios, key=lambda one: round(abs(math.log(_wide(one) * height / width)), 9)
        )


def _wide(ratio: str) -> float:
    wide, high = ratio.split(":")
    return int(wide) / int(high)


KLING = VideoProvider(
    value="kling_2_6",
    label="Kling 2.6",
    strength="Natural motion",
    durations_s=(5, 10),
    ratios=("16:9", "9:16", "1:1"),
    default_duration_s=5,
    resolution=P1080,
    has_sound=False,
    usual_s=120,
    # Kling API reference, "Text to Video": prompt.
    prompt_max_chars=2500,
)
VEO = VideoProvider(
    value="veo_3_1",
    label="Veo 3.1",
    strength="Realism, with sound",
    durations_s=(4, 6, 8),
    ratios=("16:9", "9:16"),
    default_duration_s=8,
    resolution=P720,
    has_sound=True,
    usual_s=90,
)
SEEDANCE = VideoProvider(
    value="seedance_pro",
    label="Seedance Pro",
    strength="Camera moves",
    durations_s=(4, 5, 6, 8, 10),
    ratios=("16:9", "9:16", "1:1"),
    default_duration_s=5,
    resolution=P1080,
    has_sound=False,
    usual_s=90,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoStudio:
    """What Video Cinematic offers."""

    kind: Kind = Kind.VIDEO
    title: str = "Video Cinematic"
    providers: tuple[VideoProvider, ...] = (KLING, VEO, SEEDANCE)
    durations_s: tuple[int, ...] = (4, 5, 6, 8, 10)
    ratios: tuple[Ratio, ...] = (RATIO_16X9, RATIO_9X16, RATIO_1X1)
    default_provider: str = KLING.value
    default_ratio: str = "16:9"

    def provider(self, value: str) -> VideoProvider:
        """Raises LookupError for one that is not offered."""
        for one in self.providers:
            if one.value == value:
                return one
        raise LookupError(value)

    def ratio(self, value: str) -> Ratio:
        return next(ratio for ratio in self.ratios if ratio.value == value)

    def duration_rule(self, provider: VideoProvider) -> str:
        """What lengths it makes, and who makes the others."""
        rule = f"{provider.label} makes {provider.durations} second clips."
        others = [one for one in self.durations_s if one not in provider.durations_s]
        makers = [one.label for one in self.providers if set(others) <= set(one.durations_s)]
        return _or_elsewhere(rule, f"{listed(others)} seconds" if others else "", makers)

    def ratio_rule(self, provider: VideoProvider) -> str:
        """What ratios it makes, and who makes the others."""
        rule = f"{provider.label} makes {listed(provider.ratios)} clips."
        others = [one.value for one in self.ratios if one.value not in provider.ratios]
        makers = [one.label for one in self.providers if set(others) <= set(one.ratios)]
        return _or_elsewhere(rule, listed(others) if others else "", makers)

    def prompt_rule(self, provider: VideoProvider) -> str:
        """How long a prompt it takes, and who takes longer ones; empty when it takes all."""
        if provider.prompt_max_chars is None:
            return ""
        makers = [one.label for one in self.providers if one.prompt_max_chars is None]
        rule = f"{provider.label} takes prompts of at most {provider.prompt_max_chars} characters."
        return _or_elsewhere(rule, "a longer one", makers)


def _or_elsewhere(rule: str, others: str, makers: Sequence[str]) -> str:
    return f"{rule} For {others} choose {listed(makers)}." if others and makers else rule


VIDEO = VideoStudio()


def provider_label(value: str) -> str:
    """What people call a provider, pictures' included."""
    labels = {one.value: one.label for one in VIDEO.providers}
    return {IMAGE.provider: IMAGE.provider_label, **labels}.get(value, value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Starter:
    """A prompt to begin with, offered where there is nothing to show yet."""

    id: str
    label: str
    prompt: str
    aspect_ratio: str
    style: str = ""

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

VIDEO_STARTERS = (
    Starter(
        id="product-turn",
        label="Product hero",
        prompt=(
            "Slow push in on a perfume bottle on wet basalt at dawn, haze drifting over a calm sea,"
            " one warm light from the left, drops running down the glass"
        ),
        aspect_ratio="1:1",
    ),
    Starter(
        id="ugc",
        label="UGC-style clip",
        prompt=(
            "Handheld phone footage of hands unboxing red sneakers on a sunlit kitchen table,"
            " quick natural movements, morning light from a window"
        ),
        aspect_ratio="9:16",
    ),
    Starter(
        id="seasonal-drive",
        label="Seasonal opener",
        prompt=(
            "Aerial drift over the first snow on a quiet mountain lake, soft winter morning light,"
            " mist rising from the water, camera gliding forward"
        ),
        aspect_ratio="16:9",
    ),
)
STARTERS = {Kind.IMAGE: IMAGE_STARTERS, Kind.VIDEO: VIDEO_STARTERS}

# Words for the camera, inserted into the prompt of a clip.
CAMERA_MOVES = (
    "Slow push in",
    "Dolly out",
    "Pan left",
    "Pan right",
    "Tilt up",
    "Orbit",
    "Crane up",
    "Handheld",
)
