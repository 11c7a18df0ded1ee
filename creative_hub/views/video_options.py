"""What the video composer offers: which options are on, why the others are off, and the frame."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from assets.info import AssetInfo
from creative_hub import cards, catalogue, selectors
from creative_hub.catalogue import VIDEO, Ratio, VideoProvider
from creative_hub.forms import VideoForm
from creative_hub.registry import Availability
from creative_hub.services import frames, quoting, switches
from workspaces.selectors import Member

# Ratios closer than this are cropped by less than anybody sees.
RATIO_TOLERANCE = 1.02


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderOption:
    """One provider in the composer. price: credits per second."""

    provider: VideoProvider
    served: Availability
    price: int
    usual: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One length or ratio. is_on: whether the chosen provider makes it."""

    value: str
    is_on: bool
    ratio: Ratio | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """The start frame in the composer. is_cropped: its ratio is not the clip's."""

    asset: AssetInfo
    ratio: str
    is_cropped: bool


def build(form: VideoForm, chosen: dict[str, str], *, now: datetime) -> dict[str, Any]:
    """The options around what is chosen. Fills in the provider's own default length."""
    made_by = form.made_by(chosen)
    chosen["provider"] = chosen["provider"] or made_by.value
    chosen["duration"] = chosen["duration"] or str(made_by.default_duration_s)
    served = switches.video_availability()
    frame = frame_shown(
        member=form.member, asset_id=chosen["start_frame_id"], aspect_ratio=chosen["aspect_ratio"]
    )
    return {
        "served": served[made_by.value],
        "is_sandbox": any(one.is_sandbox for one in served.values()),
        "providers": _providers(chosen, served, now=now),
        "usual": _usual(made_by, chosen["duration"], served[made_by.value]),
        "frame": frame,
        "moves": catalogue.CAMERA_MOVES,
        **offered(made_by, chosen),
    }


def offered(made_by: VideoProvider, chosen: Mapping[str, str]) -> dict[str, Any]:
    """Lengths and ratios, with the sentence that says who makes those that are off."""
    return {
        "made_by": made_by,
        "durations": [
            Option(value=str(one), is_on=one in made_by.durations_s) for one in VIDEO.durations_s
        ],
        "ratios": [
            Option(value=one.value, is_on=one.value in made_by.ratios, ratio=one)
            for one in VIDEO.ratios
        ],
        "duration_rule": VIDEO.duration_rule(made_by) if _is_limited(made_by) else "",
        "ratio_rule": VIDEO.ratio_rule(made_by) if len(made_by.ratios) < len(VIDEO.ratios) else "",
        "prompt_rule": "" if _is_sandbox(made_by) else VIDEO.prompt_rule(made_by),
    }


def adjusted(made_by: VideoProvider, chosen: dict[str, str]) -> dict[str, str]:
    """Move what the provider does not make to the nearest that it makes; what was said of it.

    Keeps what is valid. Returns a sentence by field for each change.
    """
    said: dict[str, str] = {}
    was = chosen["duration"]
    offered_s = {str(one) for one in VIDEO.durations_s}
    if was in offered_s and int(was) not in made_by.durations_s:
        chosen["duration"] = str(made_by.nearest_duration_s(int(was)))
        said["duration"] = (
            f"Duration set to {chosen['duration']} s: {made_by.label} has no {was} s."
        )
    was = chosen["aspect_ratio"]
    if was in {one.value for one in VIDEO.ratios} and was not in made_by.ratios:
        chosen["aspect_ratio"] = made_by.nearest_ratio(*VIDEO.ratio(was).sides)
        said["aspect_ratio"] = (
            f"Aspect ratio set to {chosen['aspect_ratio']}: {made_by.label} has no {was}."
        )
    return said


def frame_shown(*, member: Member, asset_id: str, aspect_ratio: str) -> Frame | None:
    """The start frame with this id as the page shows it; None when there is none to be used."""
    try:
        asset = frames.chosen(member=member, asset_id=uuid.UUID(asset_id))
    except (ValueError, frames.FrameRefused):
        return None
    return frame_of(asset, aspect_ratio=aspect_ratio)


def frame_of(asset: AssetInfo, *, aspect_ratio: str) -> Frame:
    offered_ratios = {one.value for one in VIDEO.ratios}
    known = aspect_ratio if aspect_ratio in offered_ratios else VIDEO.default_ratio
    wide, high = VIDEO.ratio(known).sides
    shape = (asset.width * high) / (asset.height * wide)
    return Frame(
        asset=asset,
        ratio=_ratio_in_words(asset.width, asset.height),
        is_cropped=not 1 / RATIO_TOLERANCE <= shape <= RATIO_TOLERANCE,
    )


def _ratio_in_words(width: int, height: int) -> str:
    """4:5 for one of the usual ratios, else 1.37:1 or 1:1.37."""
    for one in catalogue.IMAGE.ratios:
        wide, high = one.sides
        if 1 / RATIO_TOLERANCE <= (width * high) / (height * wide) <= RATIO_TOLERANCE:
            return one.value
    long, short = max(width, height), min(width, height)
    return f"{long / short:.2f}:1" if width > height else f"1:{long / short:.2f}"


def _is_sandbox(made_by: VideoProvider) -> bool:
    """Whether the sandbox stands in its place, which takes every prompt."""
    return switches.availability(provider=made_by.value).is_sandbox


def _is_limited(made_by: VideoProvider) -> bool:
    return len(made_by.durations_s) < len(VIDEO.durations_s)


def _providers(
    chosen: Mapping[str, str], served: Mapping[str, Availability], *, now: datetime
) -> list[ProviderOption]:
    prices = quoting.video_prices(now=now)
    return [
        ProviderOption(
            provider=one,
            served=served[one.value]
            if one.price_item in prices
            else switches.without_price(served[one.value], provider=one.value),
            price=prices.get(one.price_item, 0),
            usual=_usual(one, chosen["duration"], served[one.value]),
        )
        for one in VIDEO.providers
    ]


def _usual(made_by: VideoProvider, duration: str, served: Availability) -> str:
    lengths = {str(one): one for one in made_by.durations_s}
    length_s = lengths.get(duration, made_by.default_duration_s)
    sort = selectors.Sort(made_by.value, made_by.resolution.value, length_s, served.is_sandbox)
    return cards.duration(selectors.expected_s(sort))
