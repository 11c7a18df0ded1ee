"""What can be ordered: a validated request of either studio, and what it is paid by."""

from __future__ import annotations

import hashlib
import json
import uuid
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from creative_hub import catalogue


@dataclass(frozen=True, slots=True, kw_only=True)
class Sale:
    """What is paid for. item: of the price list; quantity: of its unit, in each variant."""

    item: str
    quantity: int = 1
    num_variants: int = 1


class OrderRequest(Protocol):
    """A validated order of either studio."""

    @property
    def provider(self) -> str: ...
    @property
    def sale(self) -> Sale: ...
    @property
    def digest(self) -> str:
        """The same for the same order: tells a repeated request from a changed one."""
        ...

    def columns(self) -> dict[str, Any]:
        """Its values in a Generation's columns."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageRequest:
    """A validated order of pictures, in the words of the API."""

    prompt: str
    style: str = catalogue.IMAGE.default_style
    aspect_ratio: str = catalogue.IMAGE.default_ratio
    resolution: str = catalogue.IMAGE.default_resolution
    num_variants: int = catalogue.IMAGE.default_variants

    @property
    def provider(self) -> str:
        return catalogue.IMAGE.provider

    @property
    def sale(self) -> Sale:
        return Sale(item=catalogue.IMAGE.price_item, num_variants=self.num_variants)

    @property
    def digest(self) -> str:
        return _digest(asdict(self))

    def columns(self) -> dict[str, Any]:
        width, height = catalogue.IMAGE.size(
            aspect_ratio=self.aspect_ratio, resolution=self.resolution
        )
        return {"kind": catalogue.Kind.IMAGE, "width": width, "height": height, **asdict(self)}


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoRequest:
    """A validated order of a clip. Its start frame is an asset, or an address to be fetched."""

    prompt: str
    provider: str
    duration: int
    aspect_ratio: str
    start_frame_id: uuid.UUID | None = None
    start_frame_url: str = ""

    @property
    def sale(self) -> Sale:
        made_by = catalogue.VIDEO.provider(self.provider)
        return Sale(item=made_by.price_item, quantity=self.duration)

    @property
    def digest(self) -> str:
        return _digest(asdict(self))

    def columns(self) -> dict[str, Any]:
        resolution = catalogue.VIDEO.provider(self.provider).resolution
        width, height = catalogue.VIDEO.ratio(self.aspect_ratio).size(resolution.short_side_px)
        return {
            "kind": catalogue.Kind.VIDEO,
            "prompt": self.prompt,
            "duration_s": self.duration,
            "aspect_ratio": self.aspect_ratio,
            "resolution": resolution.value,
            "width": width,
            "height": height,
            "start_frame_id": self.start_frame_id,
            "start_frame_url": self.start_frame_url,
        }


def _digest(order: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(order, sort_keys=True, default=str).encode()).hexdigest()
