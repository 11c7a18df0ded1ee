"""What the studios' routes of the JSON API do, whichever studio is asked."""

from __future__ import annotations

import uuid
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from ninja import Schema

from assets.imaging import THUMBNAIL_WIDTHS
from assets.info import AssetInfo
from creative_hub import cards, catalogue, selectors
from creative_hub.api.problems import MemberRequest, Problem, invalid
from creative_hub.catalogue import Kind
from creative_hub.forms import FORMS
from creative_hub.models import Generation
from creative_hub.services import quoting, submission
from wevion.lib.cursors import BadCursor
from workspaces.selectors import Member

PAGE_MAX = 100


def accept(request: MemberRequest, *, kind: Kind, order: Schema, key: str | None) -> dict[str, Any]:
    """Order, and answer as the first request with this key was answered. Raises Problem."""
    member = request.auth
    form = FORMS[kind](order.dict(exclude_none=True), member=member)
    if not form.is_valid():
        raise invalid(form.sentences())
    key = key or f"auto:{uuid.uuid4()}"
    if not submission.is_usable_key(key):
        limit = submission.KEY_MAX_CHARS
        raise invalid({"Idempotency-Key": [f"At most {limit} printable characters."]})
    try:
        generation = submission.submit(
            member=member,
            request=form.order(),
            submission_key=key,
            now=timezone.now(),
            may_wait=False,
        )
    except submission.CreditsRefused as refusal:
        raise Problem(402, refusal.as_json()) from None
    except submission.SubmissionInProgress:
        raise Problem(
            409, {"error": "The first request with this Idempotency-Key is still running."}
        ) from None
    except submission.SubmissionKeyReused:
        raise Problem(422, {"error": "This Idempotency-Key was used with another body."}) from None
    except submission.ProviderUnavailable as unavailable:
        raise Problem(503, {"error": str(unavailable)}) from None
    # A repeated request is answered as the first one was, however far the job is by now.
    return _envelope(generation) | {"status": "queued"}


def page(request: MemberRequest, *, kind: Kind, cursor: str, limit: int) -> dict[str, Any]:
    """A page of the generations the member may see, newest first. Raises Problem."""
    member = request.auth
    if not 1 <= limit <= PAGE_MAX:
        raise invalid({"limit": [f"Choose 1 to {PAGE_MAX}."]})
    try:
        found = selectors.page(
            member=member, kind=kind, cursor=cursor, size=limit, with_removed=True
        )
    except BadCursor:
        raise invalid({"cursor": ["This is not a cursor that we gave."]}) from None
    return {
        "items": _described(request, found.generations, member),
        "next_cursor": found.next_cursor or None,
    }


def one(request: MemberRequest, *, kind: Kind, generation_id: uuid.UUID) -> dict[str, Any]:
    """One generation of a studio with what it made. Raises Problem."""
    member = request.auth
    try:
        found = selectors.get_visible(member=member, generation_id=generation_id)
    except Generation.DoesNotExist:
        raise Problem(404, {"error": "Not found"}) from None
    if found.kind != kind:
        raise Problem(404, {"error": "Not found"})
    return _described(request, [found], member)[0]


def _envelope(generation: Generation) -> dict[str, Any]:
    return {
        "generation_id": generation.pk,
        "status": generation.status,
        "credits_estimated": generation.credits_estimated,
        "estimated_cost_cents": quoting.cost_cents(generation.credits_estimated),
        "created_at": generation.created_at,
        "polling_interval_ms": catalogue.POLLING_INTERVAL_MS,
    }


def _described(
    request: HttpRequest, generations: list[Generation], member: Member
) -> list[dict[str, Any]]:
    made = cards.cards(
        generations=generations, member=member, now=timezone.now(), with_places=False
    )
    return [
        _envelope(one)
        | {
            **_fields(request, one),
            "kind": one.kind,
            "prompt": one.prompt,
            "aspect_ratio": one.aspect_ratio,
            "credits_charged": one.credits_charged,
            "error_message": one.error_message or None,
            "error_code": one.error_code or None,
            "started_at": one.started_at,
            "completed_at": one.completed_at,
            "assets": [_asset(request, it.asset, it.variant) for it in card.results],
        }
        for one, card in zip(generations, made, strict=True)
    ]


def _fields(request: HttpRequest, one: Generation) -> dict[str, Any]:
    """The fields of the request that its studio alone has."""
    if one.kind == Kind.IMAGE:
        return {
            "style": one.style,
            "resolution": one.resolution,
            "num_variants": one.num_variants,
        }
    frame = one.start_frame_url or None
    if frame is None and one.start_frame_id:
        frame = request.build_absolute_uri(reverse("assets:original", args=[one.start_frame_id]))
    return {"provider": one.provider, "duration": one.duration_s, "image_url": frame}


def _asset(request: HttpRequest, asset: AssetInfo, variant: int) -> dict[str, Any]:
    return {
        "id": asset.id,
        "kind": asset.kind,
        "url": request.build_absolute_uri(reverse("assets:original", args=[asset.id])),
        "thumbnail_url": request.build_absolute_uri(
            reverse("assets:thumbnail", args=[asset.id, THUMBNAIL_WIDTHS[0]])
        ),
        "width": asset.width,
        "height": asset.height,
        "duration_s": asset.duration_s,
        "bytes": asset.bytes,
        "variant": variant,
    }
