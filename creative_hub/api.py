"""The JSON API of the studios: the same form and services as the pages.

Answers and refusals: docs/integrations.md.
"""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.utils import timezone
from ninja import Field, Header, Router, Schema, Status
from ninja.security import SessionAuth
from pydantic import ConfigDict

from assets.imaging import THUMBNAIL_WIDTHS
from assets.info import AssetInfo
from creative_hub import cards, catalogue, selectors
from creative_hub.forms import ImageForm
from creative_hub.models import Generation
from creative_hub.services import submission
from workspaces.access import DISPLACED, SAFE_METHODS
from workspaces.roles import Permission
from workspaces.selectors import Member

router = Router(tags=["Image Cinematic"])

PAGE_MAX = 100
# A refusal names at most this many fields.
FIELDS_NAMED_MAX = 20


class Problem(Exception):
    """A refusal with its status and body."""

    def __init__(self, status: int, body: dict[str, Any]) -> None:
        super().__init__(body.get("error"))
        self.status = status
        self.body = body


class ImageOrder(Schema):
    """Every option may be left out; the prompt may not."""

    model_config = ConfigDict(extra="forbid", strict=True)

    prompt: str = Field(description=f"1 to {catalogue.PROMPT_MAX_CHARS} characters")
    style: str | None = None
    aspect_ratio: str | None = None
    resolution: str | None = None
    num_variants: int | None = None


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


class GenerationOut(Accepted):
    kind: str
    prompt: str
    style: str
    aspect_ratio: str
    resolution: str
    num_variants: int
    credits_charged: int | None
    error_message: str | None
    error_code: str | None
    started_at: datetime | None
    completed_at: datetime | None
    assets: list[AssetOut]


class GenerationPage(Schema):
    items: list[GenerationOut]
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


class MemberAuth(SessionAuth):
    """Signed in by session, and the role in the active workspace has the permission.

    Runs before the body is looked at, so that a refused role learns nothing about it. The member
    becomes `request.auth`. Raises Problem 403.
    """

    def __init__(self, permission: Permission) -> None:
        super().__init__(csrf=True)
        self.permission = permission

    def _get_key(self, request: HttpRequest) -> str | None:
        # Signed out is a 401 whether or not a CSRF token came along.
        return super()._get_key(request) if request.user.is_authenticated else None

    def authenticate(self, request: HttpRequest, key: str | None) -> Member | None:
        if not super().authenticate(request, key):
            return None
        member: Member | None = request.workspaces.member  # type: ignore[attr-defined]
        if member is None or not member.may(self.permission):
            role = member.role if member else "no workspace"
            raise Problem(403, {"error": f"Your role ({role}) may not {self.permission}."})
        if request.workspaces.is_displaced and request.method not in SAFE_METHODS:  # type: ignore[attr-defined]
            raise Problem(403, {"error": f"You may not {DISPLACED}."})
        return member


class MemberRequest(HttpRequest):
    """A request behind MemberAuth."""

    auth: Member


@router.post(
    "/image-studio/generate",
    auth=MemberAuth(Permission.GENERATE),
    response={
        202: Accepted,
        400: InvalidInput,
        402: CreditRefusal,
        (401, 403, 409, 422, 503): Refusal,
    },
)
def generate(
    request: MemberRequest,
    order: ImageOrder,
    idempotency_key: str | None = Header(None, alias="Idempotency-Key"),  # type: ignore[type-arg]
) -> Status[dict[str, Any]]:
    """Order pictures. A repeated Idempotency-Key returns the first order and holds nothing more."""
    member = request.auth
    form = ImageForm(order.dict(exclude_none=True))
    if not form.is_valid():
        raise invalid(form.sentences())
    key = idempotency_key or f"auto:{uuid.uuid4()}"
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
    return Status(202, _envelope(generation) | {"status": "queued"})


@router.get(
    "/image-studio/generations",
    auth=MemberAuth(Permission.OPEN_HUB),
    response={200: GenerationPage, 400: InvalidInput, (401, 403): Refusal},
)
def generations(request: MemberRequest, cursor: str = "", limit: int = 24) -> dict[str, Any]:
    """The generations you may see, newest first."""
    member = request.auth
    if not 1 <= limit <= PAGE_MAX:
        raise invalid({"limit": [f"Choose 1 to {PAGE_MAX}."]})
    try:
        page = selectors.page(
            member=member,
            kind=catalogue.Kind.IMAGE,
            cursor=cursor,
            size=limit,
            with_removed=True,
        )
    except selectors.BadCursor:
        raise invalid({"cursor": ["This is not a cursor that we gave."]}) from None
    return {
        "items": _described(request, page.generations, member),
        "next_cursor": page.next_cursor or None,
    }


@router.get(
    "/image-studio/generations/{uuid:generation_id}",
    auth=MemberAuth(Permission.OPEN_HUB),
    response={200: GenerationOut, (401, 403, 404): Refusal},
)
def generation(request: MemberRequest, generation_id: uuid.UUID) -> dict[str, Any]:
    """One generation with its pictures."""
    member = request.auth
    try:
        found = selectors.get_visible(member=member, generation_id=generation_id)
    except Generation.DoesNotExist:
        raise Problem(404, {"error": "Not found"}) from None
    if found.kind != catalogue.Kind.IMAGE:
        raise Problem(404, {"error": "Not found"})
    return _described(request, [found], member)[0]


def invalid(fields: dict[str, list[str]]) -> Problem:
    """The 400 of the contract: what is wrong, field by field."""
    return Problem(400, {"error": "Invalid input", "fields": fields})


def type_errors(errors: list[dict[str, Any]]) -> Problem:
    """The same 400 for a body whose fields are unknown, missing or of the wrong JSON type."""
    fields: dict[str, list[str]] = {}
    for error in errors[:FIELDS_NAMED_MAX]:
        # A body that is no object has no field to name.
        name = str(error["loc"][-1])
        name = "body" if name == "order" else name
        fields.setdefault(name, []).append(_type_sentence(name, error))
    return invalid(fields)


_TYPE_SENTENCES = {
    "string_type": "This must be text.",
    "int_type": "This must be a whole number.",
    "int_parsing": "This must be a whole number.",
    "model_attributes_type": "The body must be a JSON object.",
    "model_type": "The body must be a JSON object.",
}


def _type_sentence(name: str, error: dict[str, Any]) -> str:
    kind = error["type"]
    if kind == "extra_forbidden":
        return f"There is no field {name} here. The fields are {_listed_fields()}."
    if kind == "missing":
        required = ImageForm.base_fields.get(name)
        return str(required.error_messages["required"]) if required else "This is required."
    return _TYPE_SENTENCES.get(kind, str(error.get("msg", "This is not valid.")))


def _listed_fields() -> str:
    *most, last = ImageOrder.model_fields
    return f"{', '.join(most)} and {last}"


def _envelope(generation: Generation) -> dict[str, Any]:
    return {
        "generation_id": generation.pk,
        "status": generation.status,
        "credits_estimated": generation.credits_estimated,
        "estimated_cost_cents": submission.cost_cents(generation.credits_estimated),
        "created_at": generation.created_at,
        "polling_interval_ms": catalogue.POLLING_INTERVAL_MS,
    }


def _described(
    request: HttpRequest, generations: list[Generation], member: Member
) -> list[dict[str, Any]]:
    made = cards.cards(generations=generations, member=member, now=timezone.now())
    return [
        _envelope(one)
        | {
            "kind": one.kind,
            "prompt": one.prompt,
            "style": one.style,
            "aspect_ratio": one.aspect_ratio,
            "resolution": one.resolution,
            "num_variants": one.num_variants,
            "credits_charged": one.credits_charged,
            "error_message": one.error_message or None,
            "error_code": one.error_code or None,
            "started_at": one.started_at,
            "completed_at": one.completed_at,
            "assets": [_asset(request, it.asset, it.variant) for it in card.pictures],
        }
        for one, card in zip(generations, made, strict=True)
    ]


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


def json_problem(_: HttpRequest, problem: Problem) -> HttpResponse:
    """Turn a Problem into its answer."""
    return JsonResponse(problem.body, status=problem.status)
