"""Small makers of orders and generations, through the services themselves."""

from __future__ import annotations

import uuid
from datetime import datetime

from creative_hub.models import Generation
from creative_hub.services import submission
from creative_hub.services.submission import ImageRequest
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
