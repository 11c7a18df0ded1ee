"""The JSON API of the studios: the same forms and services as the pages.

Answers and refusals: docs/integrations.md.
"""

from __future__ import annotations

import uuid
from typing import Any

from ninja import Header, Router, Status

from creative_hub.api import answers, schemas
from creative_hub.api.problems import (
    MemberAuth,
    MemberRequest,
    Problem,
    invalid,
    json_problem,
    type_errors,
)
from creative_hub.catalogue import Kind
from workspaces.roles import Permission

__all__ = ["Problem", "invalid", "json_problem", "router", "type_errors"]

router = Router()

_ACCEPTED = {
    202: schemas.Accepted,
    400: schemas.InvalidInput,
    402: schemas.CreditRefusal,
    (401, 403, 409, 422, 503): schemas.Refusal,
}


@router.post(
    "/image-studio/generate",
    auth=MemberAuth(Permission.GENERATE),
    response=_ACCEPTED,
    tags=["Image Cinematic"],
)
def generate_images(
    request: MemberRequest,
    order: schemas.ImageOrder,
    idempotency_key: str | None = Header(None, alias="Idempotency-Key"),  # type: ignore[type-arg]
) -> Status[dict[str, Any]]:
    """Order pictures. A repeated Idempotency-Key returns the first order and holds nothing more."""
    return Status(202, answers.accept(request, kind=Kind.IMAGE, order=order, key=idempotency_key))


@router.get(
    "/image-studio/generations",
    auth=MemberAuth(Permission.OPEN_HUB),
    response={200: schemas.ImagePage, 400: schemas.InvalidInput, (401, 403): schemas.Refusal},
    tags=["Image Cinematic"],
)
def image_generations(request: MemberRequest, cursor: str = "", limit: int = 24) -> dict[str, Any]:
    """The generations you may see, newest first."""
    return answers.page(request, kind=Kind.IMAGE, cursor=cursor, limit=limit)


@router.get(
    "/image-studio/generations/{uuid:generation_id}",
    auth=MemberAuth(Permission.OPEN_HUB),
    response={200: schemas.ImageGeneration, (401, 403, 404): schemas.Refusal},
    tags=["Image Cinematic"],
)
def image_generation(request: MemberRequest, generation_id: uuid.UUID) -> dict[str, Any]:
    """One generation with its pictures."""
    return answers.one(request, kind=Kind.IMAGE, generation_id=generation_id)


@router.post(
    "/video-studio/generate",
    auth=MemberAuth(Permission.GENERATE),
    response=_ACCEPTED,
    tags=["Video Cinematic"],
)
def generate_clip(
    request: MemberRequest,
    order: schemas.VideoOrder,
    idempotency_key: str | None = Header(None, alias="Idempotency-Key"),  # type: ignore[type-arg]
) -> Status[dict[str, Any]]:
    """Order a clip. A repeated Idempotency-Key returns the first order and holds nothing more."""
    return Status(202, answers.accept(request, kind=Kind.VIDEO, order=order, key=idempotency_key))


@router.get(
    "/video-studio/generations",
    auth=MemberAuth(Permission.OPEN_HUB),
    response={200: schemas.VideoPage, 400: schemas.InvalidInput, (401, 403): schemas.Refusal},
    tags=["Video Cinematic"],
)
def video_generations(request: MemberRequest, cursor: str = "", limit: int = 24) -> dict[str, Any]:
    """The generations you may see, newest first."""
    return answers.page(request, kind=Kind.VIDEO, cursor=cursor, limit=limit)


@router.get(
    "/video-studio/generations/{uuid:generation_id}",
    auth=MemberAuth(Permission.OPEN_HUB),
    response={200: schemas.VideoGeneration, (401, 403, 404): schemas.Refusal},
    tags=["Video Cinematic"],
)
def video_generation(request: MemberRequest, generation_id: uuid.UUID) -> dict[str, Any]:
    """One generation with its clip."""
    return answers.one(request, kind=Kind.VIDEO, generation_id=generation_id)
