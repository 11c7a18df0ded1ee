"""An asset as a plain value, which other apps may keep."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime

from assets import containers


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetInfo:
    """One asset. width, height: pixels as shown; duration_s: seconds, None for a picture.

    creator_id: a membership. folder: where its files are in the store, for this app alone.
    """

    id: uuid.UUID
    workspace_id: uuid.UUID
    creator_id: int
    kind: str
    source: str
    media_type: str
    sha256: str
    bytes: int
    width: int
    height: int
    duration_s: float | None
    stem: str
    is_sandbox: bool
    created_at: datetime
    folder: str

    @property
    def extension(self) -> str:
        return containers.EXTENSIONS[self.media_type]

    @property
    def download_name(self) -> str:
        """E.g. wevion-image-20260702-desert-highway-4x5-v2.jpg; the day is the one in UTC."""
        day = f"{self.created_at.astimezone(UTC):%Y%m%d}"
        name = "-".join(part for part in ("wevion", self.kind, day, self.stem) if part)
        return f"{name}.{self.extension}"
