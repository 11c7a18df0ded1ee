"""From a provider's finished file to an asset of ours."""

from __future__ import annotations

import tempfile
import uuid
from datetime import datetime
from functools import lru_cache, partial
from typing import BinaryIO

import structlog
from django.conf import settings
from django.utils.text import slugify

from assets import clips, imaging, ingest
from assets.errors import RejectedFile
from creative_hub import wording
from creative_hub.models import Generation, ProviderJob
from creative_hub.providers.base import Adapter, ErrorClass, Order, Poll, ProviderError
from wevion.lib.fetch import Fetcher, FetchError, FetchLimits

log = structlog.get_logger(__name__)

# The largest picture any provider makes for us (Seedream 4.x: 4096x4096), with some room.
RESULT_MAX_PIXELS = 20_000_000
# A picture may come a little smaller than ordered, or a block off its ratio, and is made to fit.
# A clip is kept as it came, so its ratio may be off by the blocks that encoders work in only.
RESULT_MIN_SCALE = 0.5
RATIO_TOLERANCE = 1.1
CLIP_RATIO_TOLERANCE = 1.02
CLIP_MIN_SCALE = 0.6
# Providers add or drop a few frames: Kling's five seconds are 5.04.
CLIP_LENGTH_TOLERANCE_S = 0.5
_PICTURE_LIMITS = FetchLimits(max_bytes=64 * 2**20, connect_s=5, read_s=20, total_s=90)
_CLIP_LIMITS = FetchLimits(max_bytes=clips.MAX_CLIP_BYTES, connect_s=5, read_s=20, total_s=300)
# Checking and storing, on top of the download: of a picture, and of the largest clip.
_STORING_S, _STORING_CLIP_S = 30.0, 180.0
STEM_MAX_CHARS = 48


class DeliveryFailed(Exception):
    """The result could not be stored. code: of `wording`; detail: for admins."""

    def __init__(self, code: str, detail: str, *, is_retryable: bool) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail
        self.is_retryable = is_retryable


def limit_s(generation: Generation) -> float:
    """How long delivering one result takes at most, in seconds."""
    storing_s = _STORING_CLIP_S if generation.is_clip else _STORING_S
    return _limits(generation).total_s + storing_s


def deliver(job: ProviderJob, *, adapter: Adapter, order: Order, now: datetime) -> uuid.UUID:
    """Download, check, bring a picture to the ordered size, and store. Idempotent by job.

    Raises DeliveryFailed.
    """
    generation = job.generation
    with tempfile.TemporaryFile() as raw, tempfile.TemporaryFile() as fitted:
        _collect(job, raw, adapter=adapter, order=order)
        try:
            if not generation.is_clip:
                _check_size(raw, order)
                imaging.fit_image(
                    source=raw, target=fitted, width=generation.width, height=generation.height
                )
            asset = ingest.ingest(
                file=raw if generation.is_clip else fitted,
                accept=(generation.kind,),
                workspace_id=generation.workspace_id,
                membership_id=generation.membership_id,
                source="generated",
                source_reference=f"job:{job.external_id}",
                stem=stem(generation, variant=job.variant),
                is_sandbox=job.is_sandbox,
                now=now,
                # A clip is examined once: that takes most of the time.
                check=partial(_check_clip, order=order) if generation.is_clip else None,
            )
        except RejectedFile as rejected:
            raise DeliveryFailed(
                str(ErrorClass.BAD_RESULT), str(rejected.reason), is_retryable=False
            ) from rejected
        except OSError as error:  # the store, local or S3, did not take it
            raise DeliveryFailed(
                wording.NOT_STORED, type(error).__name__, is_retryable=True
            ) from error
    return asset.id


def _check_clip(clip: ingest.Examined, *, order: Order) -> None:
    """Refuse what is plainly not the clip that was ordered, by what is really in the file."""
    length_s = clip.duration_s if isinstance(clip, clips.ExaminedClip) else 0.0
    shape = (clip.width * order.height) / (clip.height * order.width)
    scale = min(clip.width, clip.height) / min(order.width, order.height)
    is_out_of_shape = not 1 / CLIP_RATIO_TOLERANCE <= shape <= CLIP_RATIO_TOLERANCE
    off_s = abs(length_s - (order.duration_s or 0))
    if is_out_of_shape or scale < CLIP_MIN_SCALE or off_s > CLIP_LENGTH_TOLERANCE_S:
        raise _not_as_ordered(
            came=f"{clip.width}x{clip.height}, {length_s:.1f} s",
            ordered=f"{order.width}x{order.height}, {order.duration_s} s",
        )


def _check_size(file: BinaryIO, order: Order) -> None:
    """Refuse, before it is decoded, what is plainly not the picture that was ordered."""
    width, height = imaging.shown_size(source=file)
    scale_x, scale_y = width / order.width, height / order.height
    is_too_small = min(scale_x, scale_y) < RESULT_MIN_SCALE
    is_out_of_shape = not 1 / RATIO_TOLERANCE <= scale_x / scale_y <= RATIO_TOLERANCE
    if is_too_small or is_out_of_shape or width * height > RESULT_MAX_PIXELS:
        raise _not_as_ordered(came=f"{width}x{height}", ordered=f"{order.width}x{order.height}")


def _not_as_ordered(*, came: str, ordered: str) -> DeliveryFailed:
    return DeliveryFailed(
        str(ErrorClass.BAD_RESULT), f"{came} came, {ordered} was ordered", is_retryable=False
    )


def stem(generation: Generation, *, variant: int) -> str:
    """What a download is called after its date: desert-highway-4x5-v2."""
    words = slugify(generation.prompt[:200])
    if len(words) > STEM_MAX_CHARS:
        words = words[: STEM_MAX_CHARS + 1].rpartition("-")[0] or words[:STEM_MAX_CHARS]
    ratio = generation.aspect_ratio.replace(":", "x")
    which = "" if generation.is_clip else f"v{variant}"
    return "-".join(part for part in (words, ratio, which) if part)


def _collect(job: ProviderJob, file: BinaryIO, *, adapter: Adapter, order: Order) -> None:
    """Put the result's bytes into the file."""
    if not job.result_url:
        try:
            adapter.collect(Poll(upstream_id=job.upstream_id, order=order), file)
        except ProviderError as error:
            raise DeliveryFailed(
                str(error.error_class), error.message, is_retryable=error.is_retryable
            ) from error
        return
    try:
        _fetcher(frozenset(settings.FETCH_ALLOWED_ORIGINS)).fetch_to(
            url=job.result_url, file=file, limits=_limits(job.generation)
        )
    except FetchError as error:
        raise DeliveryFailed(
            _code_of(error), str(error.reason), is_retryable=error.is_retryable
        ) from error


def _limits(generation: Generation) -> FetchLimits:
    return _CLIP_LIMITS if generation.is_clip else _PICTURE_LIMITS


def _code_of(error: FetchError) -> str:
    if error.is_expired:
        return str(ErrorClass.RESULT_EXPIRED)
    # What a later try may mend is a connection's fault; the rest is what the provider sent.
    return wording.NOT_STORED if error.is_retryable else str(ErrorClass.BAD_RESULT)


@lru_cache(maxsize=4)
def _fetcher(allowed_origins: frozenset[str]) -> Fetcher:
    return Fetcher(allowed_origins=allowed_origins)
