"""The bodies of the JSON API, in and out. See docs/integrations.md."""

from __future__ import annotations

import uuid
from datetime import datetime

from ninja import Field, Schema
from pydantic import ConfigDict

from creative_hub import catalogue

_PROMPT = Field(description=f"1 to {catalogue.PROMPT_MAX_CHARS} characters")


class ImageOrder(Schema):
    """Every option may be left out; the prompt may not."""

    model_config = ConfigDict(extra="forbid", strict=True)

    prompt: str = _PROMPT
    style: str | None = None
    aspect_ratio: str | None = None
    resolution: str | None = None
    num_variants: int | None = None


class VideoOrder(Schema):
    """Every option may be left out; the prompt may not.

    image_url: the start frame, one of your pictures here or a public https address.
    """

    model_config = ConfigDict(extra="forbid", strict=True)

    prompt: str = _PROMPT
    image_url: str | None = None
    provider: str | None = None
    duration: int | None = Field(None, description="Seconds")
    aspect_ratio: str | None = None


class Accepted(Schema):
    generation_id: uuid.UUID
    status: str
    credits_estimated: int
    estimated_cost_cents: int
    created_at: datetime
    polling_interval_ms: int


class AssetOut(Schema):
    id: uuid.UUID
    kind: str
    url: str
    thumbnail_url: str
    width: int
    height: int
    duration_s: float | None
    bytes: int
    variant: int


class Made(Accepted):
    """What every generation has, whichever studio made it."""

    kind: str
    prompt: str
    aspect_ratio: str
    credits_charged: int | None
    error_message: str | None
    error_code: str | None
    started_at: datetime | None
    completed_at: datetime | None
    assets: list[AssetOut]


class ImageGeneration(Made):
    style: str
    resolution: str
    num_variants: int


class VideoGeneration(Made):
    provider: str
    duration: int
    image_url: str | None


class ImagePage(Schema):
    items: list[ImageGeneration]
    next_cursor: str | None


class VideoPage(Schema):
    items: list[VideoGeneration]
    next_cursor: str | None


class Refusal(Schema):
    error: str


class InvalidInput(Refusal):
    fields: dict[str, list[str]]


class CreditRefusal(Refusal):
    required: int
    available: int
    held: int
    cap: int | None
    used: int | None
    resets_at: datetime | None
