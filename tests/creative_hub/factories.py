"""Small makers of orders and generations, through the services themselves."""

from __future__ import annotations

import uuid
from datetime import datetime

from creative_hub.models import Generation
from creative_hub.services import submission
from creative_hub.services.orders import ImageRequest, VideoRequest
from tests.factories import NOW
from workspaces.selectors import Member


def order(**changes: object) -> ImageRequest:
    return ImageRequest(**{"prompt": "A boat at dawn", **changes})  # type: ignore[arg-type]


def submit(
    member: Member, *, key: str | None = None, now: datetime = NOW, **changes: object
) -> Generation:
    return submission.submit(
        member=member,
        request=order(**changes),
        submission_key=key or str(uuid.uuid4()),
        now=now,
    )


def clip_order(**changes: object) -> VideoRequest:
    first = {"prompt": "A boat at dawn", "provider": "kling_2_6", "duration": 5}
    return VideoRequest(**{**first, "aspect_ratio": "16:9", **changes})  # type: ignore[arg-type]


def submit_clip(
    member: Member, *, key: str | None = None, now: datetime = NOW, **changes: object
) -> Generation:
    return submission.submit(
        member=member,
        request=clip_order(**changes),
        submission_key=key or str(uuid.uuid4()),
        now=now,
    )
