"""The two calls that all tests of the library make."""

from __future__ import annotations

import io
import uuid

from django.test import Client

from assets.info import AssetInfo
from assets.ingest import ingest
from tests.assets import pictures
from tests.factories import NOW, user_of
from workspaces.selectors import Member


def ingest_for(member: Member, data: bytes | None = None, **changes: object) -> AssetInfo:
    call = {
        "file": io.BytesIO(pictures.jpeg() if data is None else data),
        "workspace_id": member.workspace_id,
        "membership_id": member.membership_id,
        "source": "generated",
        "source_reference": f"job:{uuid.uuid4()}",
        "stem": "desert-highway-4x5-v2",
        "is_sandbox": False,
        "now": NOW,
        **changes,
    }
    return ingest(**call)  # type: ignore[arg-type]


def client_of(member: Member) -> Client:
    client = Client()
    client.force_login(user_of(member))
    return client
