"""Start frames: taken from an upload, the library or an address, and made ready to be sent."""

from __future__ import annotations

import hashlib
import tempfile
import uuid
from datetime import datetime
from functools import lru_cache
from typing import BinaryIO
from urllib.parse import urlsplit

from django.conf import settings
from django.http.request import validate_host
from django.urls import Resolver404, resolve

from assets import frames as frame_files
from assets import selectors as asset_selectors
from assets import storage
from assets.errors import AssetNotFound, RejectedFile
from assets.info import AssetInfo
from assets.ingest import ingest
from creative_hub import catalogue, wording
from creative_hub.models import Generation
from wevion.lib.fetch import Fetcher, FetchError, FetchLimits, FetchReason, target
from workspaces.selectors import Member

NOT_TAKEN = "We could not save the picture just now. That is our fault; try again in a moment."
# The longest address we keep.
URL_MAX_CHARS = 2000
FETCH_LIMIT_S = 45.0
# Fetching, checking and keeping one, in seconds.
LIMIT_S = FETCH_LIMIT_S + 60.0
_LIMITS = FetchLimits(
    max_bytes=frame_files.START_FRAME_MAX_BYTES + 1, connect_s=5, read_s=15, total_s=FETCH_LIMIT_S
)


class FrameRefused(Exception):
    """A picture that cannot start a clip. Its text is for people."""


class FrameNotFetched(Exception):
    """The picture behind an address did not become a start frame.

    code: of `wording`; detail: for admins. is_retryable: a later try may mend it.
    """

    def __init__(self, code: str, detail: str, *, is_retryable: bool) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail
        self.is_retryable = is_retryable


def take_upload(*, member: Member, file: BinaryIO, name: str, now: datetime) -> AssetInfo:
    """Check an uploaded picture, clean it of metadata and keep it. Idempotent by its bytes.

    Raises FrameRefused; OSError when the store did not take it.
    """
    try:
        return _keep(
            file,
            workspace_id=member.workspace_id,
            membership_id=member.membership_id,
            source="uploaded",
            reference=None,
            stem=name.rpartition(".")[0] or name,
            now=now,
        )
    except RejectedFile as rejected:
        raise FrameRefused(rejected.sentence) from rejected


def chosen(*, member: Member, asset_id: uuid.UUID) -> AssetInfo:
    """A picture of the library as a start frame. Raises FrameRefused, also for one not theirs."""
    try:
        asset = asset_selectors.get_visible(member=member, asset_id=asset_id)
        if asset.kind != catalogue.Kind.IMAGE:
            raise FrameRefused("A start frame is a picture; this is a clip.")
        frame_files.check_frame_size(width=asset.width, height=asset.height)
    except AssetNotFound:
        raise FrameRefused("There is no such picture among those you may use.") from None
    except RejectedFile as rejected:
        raise FrameRefused(rejected.sentence) from rejected
    return asset


def from_url(*, member: Member, url: str) -> AssetInfo | str:
    """What an address stands for: one of our own pictures, or an address the worker will fetch.

    Raises FrameRefused.
    """
    if len(url) > URL_MAX_CHARS or not url.isascii() or not url.isprintable():
        raise FrameRefused(
            f"image_url must be an address of at most {URL_MAX_CHARS} plain characters."
        )
    if asset_id := _own_asset(url):
        return chosen(member=member, asset_id=asset_id)
    try:
        # As the fetcher will read it: what it would refuse unasked is refused here and now.
        asked = target.parse(url=url)
        if asked.origin not in settings.FRAME_ALLOWED_ORIGINS:
            target.require_public(asked)
    except FetchError:
        raise FrameRefused(
            "image_url must be the address of one of your pictures here, or a public https address."
        ) from None
    return url


def fetched(generation: Generation, *, now: datetime) -> AssetInfo:
    """Fetch, check and keep the picture behind a generation's address. Idempotent.

    Raises FrameNotFetched.
    """
    with tempfile.TemporaryFile() as raw:
        try:
            # Whoever may name an address may not name the origins we allow our providers.
            _fetcher(frozenset(settings.FRAME_ALLOWED_ORIGINS)).fetch_to(
                url=generation.start_frame_url, file=raw, limits=_LIMITS
            )
            return _keep(
                raw,
                workspace_id=generation.workspace_id,
                membership_id=generation.membership_id,
                source="fetched",
                reference=f"frame:{generation.pk}",
                stem="start-frame",
                now=now,
            )
        except FetchError as error:
            is_too_large = error.reason is FetchReason.TOO_LARGE
            raise FrameNotFetched(
                wording.FRAME_UNUSABLE if is_too_large else wording.FRAME_NOT_FETCHED,
                str(error.reason),
                is_retryable=error.is_retryable,
            ) from error
        except RejectedFile as rejected:
            raise FrameNotFetched(
                wording.FRAME_UNUSABLE, rejected.sentence, is_retryable=False
            ) from rejected
        except OSError as error:
            raise FrameNotFetched(
                wording.FRAME_NOT_FETCHED, type(error).__name__, is_retryable=True
            ) from error


def prepared(generation: Generation) -> bytes:
    """The start frame as it is sent: a JPEG, cropped around its centre to the clip's ratio.

    Raises OSError when the store does not give it.
    """
    if generation.start_frame_id is None:
        return b""
    asset = asset_selectors.by_ids([generation.start_frame_id])[generation.start_frame_id]
    return frame_files.crop_for_clip(
        data=storage.read_original(asset),
        aspect_ratio=catalogue.VIDEO.ratio(generation.aspect_ratio).sides,
    )


def _keep(
    file: BinaryIO,
    *,
    workspace_id: uuid.UUID,
    membership_id: int,
    source: str,
    reference: str | None,
    stem: str,
    now: datetime,
) -> AssetInfo:
    clean = frame_files.clean_frame(file=file)
    digest = hashlib.sha256(clean.data).hexdigest()
    with tempfile.TemporaryFile() as cleaned:
        cleaned.write(clean.data)
        return ingest(
            file=cleaned,
            workspace_id=workspace_id,
            membership_id=membership_id,
            source=source,
            source_reference=reference or f"upload:{membership_id}:{digest}",
            stem=stem,
            is_sandbox=False,
            now=now,
        )


def _own_asset(url: str) -> uuid.UUID | None:
    """The asset that an address on this site is of, by whichever of its names it is called."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return None
    is_path = not parts.scheme and not parts.netloc
    is_web = parts.scheme in {"http", "https"}
    if not is_path and not (is_web and validate_host(host, settings.ALLOWED_HOSTS)):
        return None
    try:
        match = resolve(parts.path)
    except Resolver404:
        return None
    is_picture = match.view_name in {"assets:original", "assets:download", "assets:thumbnail"}
    is_page = match.view_name == "creative_hub:asset_detail"
    return match.kwargs["asset_id"] if is_picture or is_page else None


@lru_cache(maxsize=4)
def _fetcher(allowed_origins: frozenset[str]) -> Fetcher:
    return Fetcher(allowed_origins=allowed_origins)
